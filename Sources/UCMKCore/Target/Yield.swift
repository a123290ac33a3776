// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How much available memory rises for each byte that clients were measured to give.
///
/// Less than one where allocators keep pages, or others take what was given at once. Learned from
/// every round of a domain that brought enough to tell it from noise; a client that delivers less
/// than it was asked for is not counted here a second time, for that is its trust.
struct Yield: Sendable, Equatable {
  /// The fraction in force: 25 %…100 %.
  ///
  /// At the floor four times the deficit is asked for.
  private(set) var fraction = Permyriad.one
  /// A round whose effect was not read yet.
  private var probe: Probe?

  private struct Probe: Sendable, Equatable {
    /// What was available when the round was opened.
    var available: ByteCount
    var opened: MonotonicInstant
    /// What was measured of it; nil while it runs.
    var measured: ByteCount?
  }

  /// The least it can be, and the weight of the newest round: one fifth.
  static let floor = Permyriad.percent(25)
  static let weight: Int64 = 5

  /// Takes note of a round that begins.
  mutating func begin(available: ByteCount, at now: MonotonicInstant) {
    probe = Probe(available: available, opened: now, measured: nil)
  }

  /// Takes note of what a round brought; less than 1 % of the capacity tells nothing.
  mutating func end(measured: ByteCount, capacity: ByteCount) {
    guard measured >= Permyriad.percent(1).of(capacity), measured > .zero else {
      probe = nil
      return
    }
    probe?.measured = measured
  }

  /// Takes the first reading after a round.
  ///
  /// - Parameters:
  ///   - available: What is available now.
  ///   - filling: How many bytes a second were taken before the round began.
  ///   - now: The time of the reading.
  mutating func observe(
    available: ByteCount,
    filling: UInt64,
    at now: MonotonicInstant
  ) {
    guard let probe, let measured = probe.measured else { return }
    self.probe = nil
    let elapsed = now.since(probe.opened)
    let taken = UInt128(filling) * UInt128(elapsed.nanoseconds) / 1_000_000_000
    let rise =
      UInt128(available.value) + taken
      - min(
        UInt128(available.value) + taken,
        UInt128(probe.available.value)
      )
    let parts = min(rise * 10_000 / UInt128(measured.value), UInt128(Permyriad.one.parts))
    let bounded = max(Int64(parts), Int64(Yield.floor.parts))
    let previous = Int64(fraction.parts)
    fraction = Permyriad(UInt32(previous + (bounded - previous) / Yield.weight))
  }
}

/// What is added to a target while tasks go on stalling although memory looks enough.
///
/// It grows with every stretch of stall above the set point but the first, which is what an alarm
/// is about, and leaks away faster, so that it acts only where the estimate of available memory is
/// wrong for long.
struct StallIntegral: Sendable, Equatable {
  /// Of a quarter of what clients could give: 0…25 %.
  private(set) var fraction = Permyriad.zero
  /// Whether the stretch before this one was above the set point too.
  private var isLasting = false

  /// The most it can be.
  static let maximum = Permyriad.percent(25)
  /// What a second at twice the set point adds, and what one without stall takes away.
  private static let step: UInt32 = 800, leak: UInt32 = 2_000

  /// Takes note of a stretch of about a second.
  ///
  /// - Parameter excess: By how many set points stall was above it; 0 where it was not.
  mutating func observe(excess: UInt32) {
    defer { isLasting = excess > 0 }
    if excess > 0 {
      guard isLasting else { return }
      let added = min(excess, 10) * StallIntegral.step
      fraction = min(StallIntegral.maximum, Permyriad(fraction.parts + added))
    } else {
      fraction = Permyriad(fraction.parts - min(fraction.parts, StallIntegral.leak))
    }
  }

  /// What is added to a target where clients could give `capacity`.
  func bytes(of capacity: ByteCount) -> ByteCount {
    ByteCount(fraction.of(capacity).value / 4)
  }
}
