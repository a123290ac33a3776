// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// The numbers of one cache that a split looks at, apart from its texts.
///
/// A split asks every cache for most of them. Asked of an element of an array, each question would
/// copy the account with its strings, which costs more than the answer; these are copied once, and
/// nothing of them is counted.
struct CacheFigures: Sendable, Equatable {
  /// As last reported.
  var usage: CacheUsage
  /// Asked for and not yet answered.
  var inFlight = ByteCount.zero
  /// What the client declares.
  private(set) var declaredShare: UInt32, declaredCost: UInt32, declaredFloor: ByteCount
  private(set) var declaredLevel: PressureLevel, release: ReleaseKind
  /// What an administrator set instead, while it lasts.
  var override = CacheOverride()

  /// Makes the figures of a cache that was just declared.
  init(_ declaration: CacheDeclaration) {
    usage = declaration.usage
    declaredShare = declaration.share
    declaredCost = declaration.costMicrosecondsPerMiB
    declaredFloor = declaration.floor
    declaredLevel = declaration.minimumLevel
    release = declaration.release
  }

  /// Takes the numbers of another declaration; what is in flight and set by hand stays.
  mutating func declare(_ declaration: CacheDeclaration) {
    var other = CacheFigures(declaration)
    other.inFlight = inFlight
    other.override = override
    self = other
  }

  /// All bytes, and those that could go, as last reported.
  @inline(__always) var bytes: ByteCount { usage.bytes }
  @inline(__always) var reclaimable: ByteCount { min(usage.reclaimable, usage.bytes) }
  /// What the client measured that a refill costs, if it did.
  @inline(__always) var refill: UInt32? { usage.refillMicrosecondsPerMiB }
  /// The cost that counts: measured, else declared.
  @inline(__always) var cost: UInt32 { refill ?? declaredCost }

  /// The share in force: granted × claimed, at least 1, or the administrator's own number.
  ///
  /// - Parameter granted: What the administrator grants the client, 1…10,000.
  /// - Returns: 1…10,000.
  @inline(__always)
  func share(granted: UInt32) -> UInt32 {
    if let share = override.share { return min(max(share, 1), 10_000) }
    let claimed = min(max(declaredShare, 1), 100)
    return max(1, min(max(granted, 1), 10_000) * claimed / 100)
  }

  /// The level from which it is asked.
  @inline(__always) var minimumLevel: PressureLevel {
    override.minimumLevel ?? declaredLevel
  }

  /// The floor before the level is looked at: what the client wishes, bounded, or more where the
  /// administrator says so.
  ///
  /// - Parameter granted: This cache's part of the administrator's floor for the whole client.
  /// - Returns: What must remain, below critical.
  @inline(__always)
  func floor(granted: ByteCount) -> ByteCount {
    if let floor = override.floor { return floor }
    return max(min(declaredFloor, Defaults.floorMaximum.of(bytes)), granted)
  }

  /// Whether it can be asked at `level` at all.
  ///
  /// A collector may need memory before it frees some: at critical it is left alone.
  @inline(__always)
  func takesPart(at level: PressureLevel) -> Bool {
    guard level == .critical else { return minimumLevel <= level }
    return release != .gc
  }

  /// The most that it can be asked for: what could go, less what must stay and what is under way.
  @inline(__always)
  func cap(above floor: ByteCount) -> ByteCount { min(reclaimable, bytes - floor) - inFlight }
}
