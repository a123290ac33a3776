// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// New soft ceilings; nothing is freed because of them alone.
public struct Limit: MessageParams, Hashable {
  /// `limit`.
  public static let method = Method.limit

  /// At most 62.
  public var caches: [CacheLimit]

  /// Makes the params.
  public init(caches: [CacheLimit]) { self.caches = caches }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    caches = try ParamReader(params).requireCacheLimits()
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { $0.member(limits: caches) }
  }
}
