// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Whether the refill cost that a client measured counts in the wide band.
///
/// Nobody but the client can time its refills. What can be seen is whether the other numbers that
/// it sends are so: it answered in `Defaults.vouchRounds` rounds that were measured, of what is
/// asked at least `Defaults.vouchTrust` comes, and its allocator keeps nothing back. A cost of a
/// client that says one thing and does another stays within the narrow band.
struct CostVoucher: Sendable, Equatable {
  /// Rounds that told something of what it gave; not counted on beyond what is needed.
  private(set) var rounds: UInt8 = 0

  /// Makes the state of a client that nothing is known of.
  init() {}

  /// Makes what was remembered of an earlier run; a number out of range is brought into it.
  init(rounds: UInt8) { self.rounds = min(rounds, Defaults.vouchRounds) }

  /// Takes note of a round in which the client was asked and which was measured.
  ///
  /// - Parameters:
  ///   - asked: Over all attempts; as for trust, small requests tell nothing.
  ///   - claimed: What it says it freed; of somebody who claims nothing, nothing is seen.
  ///   - hasAnswered: Whether it answered at least once.
  mutating func observe(asked: ByteCount, claimed: ByteCount, hasAnswered: Bool) {
    guard hasAnswered, claimed > .zero, asked >= Defaults.trustLeast else { return }
    rounds = min(rounds + 1, Defaults.vouchRounds)
  }

  /// Whether what was seen of the client agrees with what it says.
  @inline(__always)
  func agrees(trust: Trust, memoryKept: MemoryKept) -> Bool {
    rounds >= Defaults.vouchRounds && trust.effective >= Defaults.vouchTrust && !memoryKept.isKept
  }
}
