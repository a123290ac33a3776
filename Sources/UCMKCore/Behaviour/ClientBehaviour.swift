// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// What a client did in earlier rounds, as far as it counts in the next.
struct ClientBehaviour: Sendable, Equatable {
  /// How much of what is asked comes.
  var trust = Trust()
  /// What it gave beyond its fair part.
  var ledger = Ledger()
  /// Whether it answers.
  var breaker = Breaker()
  /// Whether its allocator keeps what its caches give up.
  var memoryKept = MemoryKept()
  /// In how many rounds it was seen what it gave.
  var voucher = CostVoucher()
  /// Until when its caches are too young to be asked: they are being filled.
  var newUntil: MonotonicInstant?

  /// The part of what is asked that is expected.
  ///
  /// A client whose allocator keeps memory counts with a quarter of its caps at most. Trust tells
  /// the same loss already and is not multiplied by it.
  @inline(__always) var expected: Permyriad {
    memoryKept.isKept ? min(trust.effective, Defaults.memoryKeptYield) : trust.effective
  }

  /// Whether a refill cost that it measured counts in the wide band.
  @inline(__always) var vouchesForCost: Bool {
    voucher.agrees(trust: trust, memoryKept: memoryKept)
  }

  /// Whether it is new.
  @inline(__always)
  func isNew(at now: MonotonicInstant) -> Bool {
    guard let newUntil else { return false }
    return newUntil > now
  }
}

extension ClientAccount {
  /// The most that its caches may be asked for together: little while nobody knows whether it
  /// answers.
  @inline(__always) var askableTogether: ByteCount {
    behaviour.breaker.isProbing ? Defaults.breakerProbe - inFlight : ByteCount(.max)
  }
}

/// What is kept of a client's behaviour over a restart of the daemon.
///
/// The breaker is not: the program may have been restarted as well.
package struct RememberedBehaviour: Sendable, Equatable {
  /// Measured over asked, smoothed; 500…10,000.
  package var trust: Permyriad
  /// Whether it ever gave clearly less than it was asked for; before that its trust does not count.
  package var fellShort: Bool
  /// What it gave beyond its fair part, in bytes.
  package var ledger: Int64
  /// Whether its allocator keeps what its caches give up.
  package var keepsMemory: Bool
  /// Rounds in which it was seen what it gave, 0…`Defaults.vouchRounds`: the first ones only.
  package var measuredRounds: UInt8

  /// Makes a memory; values out of range are brought into it when the broker is told.
  package init(
    trust: Permyriad,
    fellShort: Bool,
    ledger: Int64,
    keepsMemory: Bool,
    measuredRounds: UInt8 = 0
  ) {
    self.trust = trust
    self.fellShort = fellShort
    self.ledger = ledger
    self.keepsMemory = keepsMemory
    self.measuredRounds = measuredRounds
  }

  /// The memory of a client with which nothing ever happened.
  package static let blank = RememberedBehaviour(
    trust: Defaults.trustOfNewcomer,
    fellShort: false,
    ledger: 0,
    keepsMemory: false
  )
}
