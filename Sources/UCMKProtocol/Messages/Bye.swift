// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Says that the client closes the connection on purpose.
public struct Bye: MessageParams, Hashable {
  /// `bye`.
  public static let method = Method.bye

  /// Why, for people; at most 256 bytes.
  public var reason: String?

  /// Makes the params.
  public init(reason: String? = nil) { self.reason = reason }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where the reason is no text.
  public init(params: JSONValue?) throws(RPCError) {
    reason = try ParamReader(params).text("reason", WireRange.text)
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      if let reason { writer.member("reason", reason) }
    }
  }
}
