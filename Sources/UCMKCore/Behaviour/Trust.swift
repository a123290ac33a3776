// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How much of what is asked of a client comes: measured over asked, smoothed.
///
///     trust = 7/10 · trust + 3/10 · min(1, measured / asked)     at least 5 %
///
/// Begins at 70 %, so that a first disappointment counts at once; but until there is one, a client
/// is taken at its word. Otherwise whoever is new and honest would be asked for too much, and a
/// round that an administrator wants over new clients would not ask for what was said.
struct Trust: Sendable, Equatable {
  /// What was measured so far, 5 %…100 %.
  private(set) var parts = Defaults.trustOfNewcomer
  /// Whether it ever gave clearly less than it was asked for.
  private(set) var fellShort = false

  /// Makes the trust in a client that nothing is known of.
  init() {}

  /// Makes what was remembered of an earlier run; numbers out of range are brought into it.
  init(parts: Permyriad, fellShort: Bool) {
    self.parts = min(max(parts, Defaults.trustMinimum), .one)
    self.fellShort = fellShort
  }

  /// What counts when a round is planned.
  @inline(__always) var effective: Permyriad { fellShort ? parts : .one }

  /// Takes note of a round.
  ///
  /// - Parameters:
  ///   - measured: What was seen of what it claims.
  ///   - asked: Over all attempts; below `Defaults.trustLeast` the kernel's counters are too coarse
  ///     to tell anything.
  mutating func observe(measured: ByteCount, of asked: ByteCount) {
    guard asked >= Defaults.trustLeast else { return }
    let given = UInt128(min(measured, asked).value) * 10_000 / UInt128(asked.value)
    if given < UInt128(Defaults.trustTolerance.parts) { fellShort = true }
    // Rounded up: else a client that always gives all would stop short of one.
    let next = (7 * UInt64(parts.parts) + 3 * UInt64(given) + 9) / 10
    parts = max(Permyriad(UInt32(min(next, 10_000))), Defaults.trustMinimum)
  }
}
