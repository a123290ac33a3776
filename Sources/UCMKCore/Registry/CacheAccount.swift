// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// What is known of one cache.
///
/// The small questions that planning asks of every cache are inlined: asked of an element of an
/// array from outside, each would copy the account with its strings first.
struct CacheAccount: Sendable, Equatable {
  /// Its id on the session.
  let id: CacheID
  /// What the client declares, with the usage last reported.
  var declaration: CacheDeclaration
  /// What an administrator set instead, while it lasts.
  var override = CacheOverride()
  /// The soft ceiling in force.
  var limit: CacheCeiling?
  /// Asked for and not yet answered.
  var inFlight = ByteCount.zero

  /// Makes the account of a cache that was just registered.
  init(id: CacheID, declaration: CacheDeclaration) {
    self.id = id
    self.declaration = declaration
  }

  /// All bytes, and those that could go, as last reported.
  @inline(__always) var bytes: ByteCount { declaration.usage.bytes }
  @inline(__always) var reclaimable: ByteCount {
    min(declaration.usage.reclaimable, declaration.usage.bytes)
  }

  /// What the client measured that a refill costs, if it did.
  @inline(__always) var refill: UInt32? { declaration.usage.refillMicrosecondsPerMiB }
  /// The cost that counts: measured, else declared.
  @inline(__always) var cost: UInt32 { refill ?? declaration.costMicrosecondsPerMiB }

  /// The share in force: granted × claimed, at least 1, or the administrator's own number.
  ///
  /// - Parameter granted: What the administrator grants the client, 1…10,000.
  /// - Returns: 1…10,000.
  @inline(__always)
  func share(granted: UInt32) -> UInt32 {
    if let share = override.share { return min(max(share, 1), 10_000) }
    let claimed = min(max(declaration.share, 1), 100)
    return max(1, min(max(granted, 1), 10_000) * claimed / 100)
  }

  /// The level from which it is asked.
  @inline(__always) var minimumLevel: PressureLevel {
    override.minimumLevel ?? declaration.minimumLevel
  }

  /// The floor before the level is looked at: what the client wishes, bounded, or more where the
  /// administrator says so.
  ///
  /// - Parameter granted: This cache's part of the administrator's floor for the whole client.
  /// - Returns: What must remain, below critical.
  @inline(__always)
  func floor(granted: ByteCount) -> ByteCount {
    if let floor = override.floor { return floor }
    return max(min(declaration.floor, Defaults.floorMaximum.of(bytes)), granted)
  }

  /// Whether it can be asked at `level` at all.
  ///
  /// A collector may need memory before it frees some: at critical it is left alone.
  @inline(__always)
  func takesPart(at level: PressureLevel) -> Bool {
    guard level == .critical else { return minimumLevel <= level }
    return declaration.release != .gc
  }

  /// The most that it can be asked for: what could go, less what must stay and what is under way.
  @inline(__always)
  func cap(above floor: ByteCount) -> ByteCount { min(reclaimable, bytes - floor) - inFlight }

  /// Ends an override whose time is over.
  mutating func endOverride(at now: MonotonicInstant) {
    if let until = override.until, until <= now { override = CacheOverride() }
  }
}

/// A soft ceiling, and who lifts it.
struct CacheCeiling: Sendable, Equatable {
  /// Stay under this.
  var bytes: ByteCount
  /// What the cache held before the shortage: until it may hold that much again it is limited.
  var wanted: ByteCount
  /// The round that set it.
  var round: RoundID
  /// The domain whose recovery lifts it; nil for a manual round.
  var domain: DomainID?
}
