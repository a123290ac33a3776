// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// How a cache frees what it is asked for (`docs/PROTOCOL.md` §5).
public enum ReleaseKind: UInt8, Sendable, Hashable, CaseIterable {
  /// In the call itself.
  case sync
  /// By a collector, which may grow first: not asked at critical.
  case gc
  /// Later than a second after the answer.
  case slow

  /// The word on the wire.
  public var name: String {
    switch self {
    case .sync: "sync"
    case .gc: "gc"
    case .slow: "slow"
    }
  }

  /// The kind that `name` names, or nil for any other word.
  public init?(name: String) {
    for kind in ReleaseKind.allCases where kind.name == name {
      self = kind
      return
    }
    return nil
  }
}

/// How large a cache is and how much of it could go now.
public struct CacheUsage: Sendable, Hashable {
  /// All bytes of the cache.
  public var bytes: ByteCount
  /// Bytes that could be freed now; at most `bytes`.
  public var reclaimable: ByteCount
  /// Bytes of `reclaimable` that nothing used within the last 60 s, where the client knows.
  public var cold: ByteCount?
  /// What the client measured that it takes to rebuild a MiB of what was dropped, from the miss to
  /// the entry's being put back, in µs: 0…10^9; nil where it did not measure.
  public var refillMicrosecondsPerMiB: UInt32?
  /// Entries, hits and misses, where the client counts them.
  ///
  /// Hits and misses only rise.
  public var entries: UInt64?, hits: UInt64?, misses: UInt64?

  /// Makes a usage; `reclaimable` is cut to `bytes`, and `cold` to that.
  public init(
    bytes: ByteCount,
    reclaimable: ByteCount,
    cold: ByteCount? = nil,
    refillMicrosecondsPerMiB: UInt32? = nil,
    entries: UInt64? = nil,
    hits: UInt64? = nil,
    misses: UInt64? = nil
  ) {
    self.bytes = bytes
    self.reclaimable = min(bytes, reclaimable)
    self.cold = cold.map { min($0, bytes, reclaimable) }
    self.refillMicrosecondsPerMiB = refillMicrosecondsPerMiB
    self.entries = entries
    self.hits = hits
    self.misses = misses
  }

  /// An empty cache.
  public static let zero = CacheUsage(bytes: .zero, reclaimable: .zero)
}

/// What a client says of one of its caches.
public struct CacheDeclaration: Sendable, Hashable {
  /// 1…64 of `[a-z0-9][a-z0-9._-]*`, unique on the session.
  public var name: String
  /// 1…100: how much of its granted share the client claims for this cache.
  public var share: UInt32
  /// Bytes it wishes to keep.
  public var floor: ByteCount
  /// The size it would like at most, if any.
  public var ceiling: ByteCount?
  /// Time to rebuild one MiB of what is freed: 0…10^9 µs.
  ///
  /// A guess of the program's; what was measured is in `usage`.
  public var costMicrosecondsPerMiB: UInt32
  /// Asked from this level on; critical is always asked.
  public var minimumLevel: PressureLevel
  /// How it frees.
  public var release: ReleaseKind
  /// The first report.
  public var usage: CacheUsage
  /// At most 8 pairs, shown to people; in the order in which they were sent.
  public var labels: [Label]

  /// One label, shown to people.
  public struct Label: Sendable, Hashable {
    /// At most 32 bytes.
    public var key: String
    /// At most 64 bytes.
    public var value: String

    /// Makes a label.
    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  /// The cost of a cache that declares none: 10,000 µs per MiB, about one MiB read from a disk.
  public static let defaultCost: UInt32 = 10_000

  /// Makes a declaration with the defaults of `docs/PROTOCOL.md` §5.
  public init(
    name: String,
    share: UInt32 = 100,
    floor: ByteCount = .zero,
    ceiling: ByteCount? = nil,
    costMicrosecondsPerMiB: UInt32 = CacheDeclaration.defaultCost,
    minimumLevel: PressureLevel = .low,
    release: ReleaseKind = .sync,
    usage: CacheUsage = .zero,
    labels: [Label] = []
  ) {
    self.name = name
    self.share = share
    self.floor = floor
    self.ceiling = ceiling
    self.costMicrosecondsPerMiB = costMicrosecondsPerMiB
    self.minimumLevel = minimumLevel
    self.release = release
    self.usage = usage
    self.labels = labels
  }
}
