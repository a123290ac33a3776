// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How many bytes the caches of a domain may grow by, from one reading to the next.
///
/// The rate begins small and rises by a fixed step as long as nothing happens, but never takes more
/// than a quarter of what is free above the high watermark in a second: caches that fill all at
/// once bring the next shortage.
struct GrowthBudget: Sendable, Equatable {
  /// Since when caches may grow.
  let begun: MonotonicInstant
  /// Bytes a second.
  private(set) var rate = Defaults.growRate
  private var countedAt: MonotonicInstant
  /// Allowed and not handed out: the parts that were too small for a message.
  private(set) var left = ByteCount.zero

  /// Makes a budget that begins now, with nothing in it.
  init(at now: MonotonicInstant) {
    begun = now
    countedAt = now
  }

  /// What may be handed out now.
  ///
  /// - Parameters:
  ///   - headroom: What is available above the high watermark.
  ///   - now: The time of that reading.
  /// - Returns: The bytes; whatever `spend` is not told of is there again the next time.
  mutating func draw(headroom: ByteCount, at now: MonotonicInstant) -> ByteCount {
    let elapsed = now.since(countedAt)
    countedAt = now
    let fastest = min(rate, ByteCount(headroom.value / 4))
    let fresh = UInt128(fastest.value) * UInt128(elapsed.nanoseconds) / 1_000_000_000
    rate = min(rate + Defaults.growStep, Defaults.growRateMaximum)
    // What memory has become too short for meanwhile is not handed out.
    left = min(left + ByteCount(UInt64(clamping: fresh)), headroom)
    return left
  }

  /// Takes note that so much was handed out.
  mutating func spend(_ bytes: ByteCount) { left = left - bytes }
}
