// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// The soft ceiling of one cache, in `limit`, `relax` and the answer to `limit.get`.
public struct CacheLimit: Sendable, Hashable {
  /// Which cache.
  public var id: CacheID
  /// What it should stay under, or nil where it may grow.
  public var limit: ByteCount?

  /// Makes an entry.
  public init(id: CacheID, limit: ByteCount?) {
    self.id = id
    self.limit = limit
  }
}

extension ParamReader {
  /// The list under `caches`, or nil where it is absent.
  func cacheLimits() throws(RPCError) -> [CacheLimit]? {
    guard let list = try list("caches", 0...WireRange.items.upperBound) else { return nil }
    var limits: [CacheLimit] = []
    for value in list.elements {
      let path = ParamPath.root.element(limits.count, of: "caches")
      let reader = try ParamReader(value, path: path)
      let id = try reader.requireCacheID()
      guard let limit = try reader.bytesOrNull("limit") else {
        throw reader.invalid("limit", want: "\(WireRange.text(WireRange.count)) or null")
      }
      limits.append(CacheLimit(id: id, limit: limit))
    }
    return limits
  }

  func requireCacheLimits() throws(RPCError) -> [CacheLimit] {
    guard let limits = try cacheLimits() else {
      throw invalid("caches", want: "list of 0...\(WireRange.items.upperBound)")
    }
    return limits
  }
}

extension JSONWriter {
  mutating func member(limits: [CacheLimit]) {
    member(array: "caches") { writer in
      for entry in limits {
        writer.object { writer in
          writer.member("id", UInt64(entry.id.number))
          writer.member("limit", orNull: entry.limit)
        }
      }
    }
  }
}
