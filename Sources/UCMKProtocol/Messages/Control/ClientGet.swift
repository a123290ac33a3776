// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Asks for one client with its last rounds.
public struct ClientGet: MessageParams, Hashable {
  /// `client.get`.
  public static let method = Method.clientGet

  /// The name of the session, such as `c17`.
  public var session: String

  /// Makes the params.
  public init(session: String) { self.session = session }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where the session is no text of 1…64 bytes.
  public init(params: JSONValue?) throws(RPCError) {
    session = try ParamReader(params).requireText("session", WireRange.name)
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { $0.member("session", session) }
  }
}
