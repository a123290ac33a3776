// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Asks for the last rounds, newest first.
public struct RoundList: MessageParams, Hashable {
  /// `round.list`.
  public static let method = Method.roundList

  /// How many at most: 1…256.
  public var limit: Int

  /// `docs/PROTOCOL.md` §7.
  public static let defaultLimit = 32

  /// Makes the params.
  public init(limit: Int = RoundList.defaultLimit) { self.limit = limit }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where the limit is out of range.
  public init(params: JSONValue?) throws(RPCError) {
    let limit = try ParamReader(params).unsigned("limit", 1...256)
    self.limit = Int(limit ?? UInt64(RoundList.defaultLimit))
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { $0.member("limit", UInt64(limit)) }
  }
}
