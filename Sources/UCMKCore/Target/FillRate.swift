// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How fast a domain fills, as far as it is sure.
///
/// Each sample is the fall of available memory since the one before, corrected for what clients
/// freed in between, per second. The rate is the smallest of the last four, or nothing while there
/// are fewer: a step is not a trend, and a wrong trend would cost clients their caches.
struct FillRate: Sendable, Equatable {
  /// Samples that must agree.
  static let samples = 4
  /// Readings closer together than this say more about chance than about demand.
  static let spacing = TimeSpan.milliseconds(100)

  private var ring: InlineRing = InlineRing()
  private var last: (available: ByteCount, at: MonotonicInstant)?
  private var freed = ByteCount.zero

  /// Bytes per second, zero while memory does not get less.
  var bytesPerSecond: UInt64 { UInt64(max(0, ring.minimum ?? 0)) }

  /// Takes note that clients gave this much since the last reading.
  mutating func credit(_ bytes: ByteCount) { freed += bytes }

  /// Takes a reading.
  mutating func observe(available: ByteCount, at now: MonotonicInstant) {
    guard let last else {
      self.last = (available, now)
      freed = .zero
      return
    }
    let elapsed = now.since(last.at)
    guard elapsed >= FillRate.spacing else { return }
    let filled = Int128(last.available.value) - Int128(available.value) + Int128(freed.value)
    let rate = filled * 1_000_000_000 / Int128(elapsed.nanoseconds)
    ring.push(Int64(clamping: rate))
    self.last = (available, now)
    freed = .zero
  }

  /// How much more will be used after `lead` if it goes on; saturates.
  func growth(within lead: TimeSpan) -> ByteCount {
    let product = UInt128(bytesPerSecond) * UInt128(lead.nanoseconds) / 1_000_000_000
    return ByteCount(UInt64(clamping: product))
  }

  static func == (left: FillRate, right: FillRate) -> Bool {
    left.ring == right.ring && left.freed == right.freed
      && left.last?.available == right.last?.available && left.last?.at == right.last?.at
  }
}

/// The last four samples.
private struct InlineRing: Sendable, Equatable {
  private var first: Int64 = 0, second: Int64 = 0, third: Int64 = 0, fourth: Int64 = 0
  private var count = 0

  mutating func push(_ sample: Int64) {
    (first, second, third, fourth) = (second, third, fourth, sample)
    count = min(count + 1, FillRate.samples)
  }

  /// The smallest, once there are four.
  var minimum: Int64? {
    count == FillRate.samples ? min(min(first, second), min(third, fourth)) : nil
  }
}
