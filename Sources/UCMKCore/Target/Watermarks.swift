// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// The three heights of available memory that steer a domain, in bytes.
///
///     0 ─── low ─── high ─── grow ─── capacity
///       round     enough   caches
///       starts    is freed may grow
struct Watermarks: Sendable, Equatable {
  /// Below it a round starts.
  var low: ByteCount
  /// At it a round has done enough.
  var high: ByteCount
  /// Above it caches may grow.
  var grow: ByteCount

  /// Nothing is ever short of nothing: the marks of a domain that was never read.
  static let none = Watermarks(low: .zero, high: .zero, grow: .zero)

  /// The marks of a domain of this capacity.
  ///
  /// What an administrator wrote stands, put into order. The defaults are clamped: a large machine
  /// needs no 5 % in reserve, a small one more. A cgroup has the upper clamps only: the lower ones
  /// keep the host above the marks at which the kernel itself reclaims, and a cgroup has none.
  ///
  /// What the host's low mark must not lie below, so that clients are asked before the kernel
  /// reclaims, is `kernelMarks`; at most half the capacity of it counts.
  static func resolved(
    _ settings: WatermarkSettings,
    of capacity: ByteCount,
    in domain: DomainID,
    kernelMarks: ByteCount
  ) -> Watermarks {
    let low = settings.low.resolved(of: capacity)
    let high = max(low, settings.high.resolved(of: capacity))
    let grow = max(high, settings.grow.resolved(of: capacity))
    guard !settings.isExplicit else { return Watermarks(low: low, high: high, grow: grow) }

    let isHost = domain == .host
    let least = isHost ? ByteCount(.max) : ByteCount.zero
    var clampedLow = max(min(Defaults.lowMinimum, least), min(low, Defaults.lowMaximum))
    if isHost { clampedLow = max(clampedLow, min(kernelMarks, ByteCount(capacity.value / 2))) }
    let band = max(min(Defaults.bandMinimum, least), min(high - low, Defaults.bandMaximum))
    let growth = max(min(Defaults.growMinimum, least), min(grow - high, Defaults.growMaximum))
    return Watermarks(
      low: clampedLow,
      high: clampedLow + band,
      grow: clampedLow + band + growth
    )
  }
}
