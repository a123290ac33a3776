// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// One connection of a client that has said hello.
public struct BrokerSession: Sendable, Hashable {
  /// The name that the broker gave: `c1`, `c2` and so on.
  public let name: String
  /// What the client calls itself.
  public let clientName: String
  /// Whether the caches of a lost session were given back.
  public let isResumed: Bool
}

/// One cache as the broker knows it.
public struct BrokerCache: Sendable, Hashable {
  /// The name on the wire.
  public let name: String
  /// The id that the broker gave.
  public let id: CacheID
}

/// What is asked of one cache.
public struct ShrinkTarget: Sendable, Hashable {
  /// Which cache.
  public var id: CacheID
  /// Free this much.
  public var bytes: ByteCount
  /// Stay under this until relaxed.
  public var limit: ByteCount?

  /// Asks `bytes` of `cache`.
  public init(_ cache: BrokerCache, _ bytes: ByteCount, limit: ByteCount? = nil) {
    self.init(id: cache.id, bytes, limit: limit)
  }

  /// Asks `bytes` of whatever has this id.
  public init(id: CacheID, _ bytes: ByteCount, limit: ByteCount? = nil) {
    self.id = id
    self.bytes = bytes
    self.limit = limit
  }
}

/// How a request to shrink is sent.
public struct ShrinkTerms: Sendable, Hashable {
  /// Why, as a word, so that one of the future can be sent too.
  public var level: String
  /// What is short.
  public var scope: Scope
  /// When to answer: 50…60,000 ms.
  public var deadline: TimeSpan
  /// Whether free heap pages are to be handed back.
  public var trim: Bool
  /// Whether to free nothing and say what would be freed.
  public var isDryRun: Bool
  /// The round; the next one where nil.
  public var round: UInt64?
  /// Which try within the round.
  public var attempt: UInt32

  /// Makes terms.
  ///
  /// The deadline is long, so that a busy machine changes no test's result.
  public init(
    level: PressureLevel = .medium,
    scope: Scope = .domain(.host),
    deadline: TimeSpan = .seconds(30),
    trim: Bool = false,
    isDryRun: Bool = false
  ) {
    self.level = level.name
    self.scope = scope
    self.deadline = deadline
    self.trim = trim
    self.isDryRun = isDryRun
    attempt = 1
  }
}

/// What the client answered to a request to shrink.
public struct ShrinkAnswer: Sendable, Hashable {
  /// What became of one cache.
  public struct Target: Sendable, Hashable {
    /// Which.
    public let id: CacheID
    /// What it says it freed.
    public let freed: ByteCount
    /// Its size now.
    public let bytes: ByteCount
    /// What it could still free.
    public let reclaimable: ByteCount
    /// Whether more comes of this request.
    public let more: Bool
  }

  /// The round.
  public let round: UInt64
  /// One for each cache that was asked, in that order.
  public let targets: [Target]
  /// How long it took, as the client says.
  public let took: TimeSpan

  /// The sum over all caches.
  public var freed: ByteCount { targets.reduce(.zero) { $0 + $1.freed } }
}

/// A request that was sent and may be answered.
public struct PendingRequest: Sendable, Hashable {
  /// The broker's id for it.
  public let id: UInt64
}
