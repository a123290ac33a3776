// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// What a client gave beyond its fair part, in bytes; negative where it gave less.
///
/// Fades by a sixteenth with each round it takes part in and by half every ten minutes, so that old
/// rounds do not decide for ever. What is halved is worked out when somebody asks: no timer runs.
struct Ledger: Sendable, Equatable {
  /// As of `since`.
  private var balance: Int64 = 0
  private var since = MonotonicInstant(nanoseconds: 0)

  /// The largest balance either way: twice what the wire can carry.
  static let maximum = Int64(2 * ByteCount.wireMaximum.value)

  /// Makes an empty one.
  init() {}

  /// Makes what was remembered of an earlier run; a number out of range is brought into it.
  init(_ balance: Int64, at now: MonotonicInstant) {
    self.balance = min(max(balance, -Ledger.maximum), Ledger.maximum)
    since = now
  }

  /// The balance, halved for every ten minutes since it was last moved.
  @inline(__always)
  func balance(at now: MonotonicInstant) -> Int64 {
    guard balance != 0 else { return 0 }
    let halves = now.since(since).nanoseconds / Defaults.ledgerHalfLife.nanoseconds
    return halves > 62 ? 0 : balance / (1 << Int64(halves))
  }

  /// Takes note of a round.
  ///
  /// - Parameters:
  ///   - surplus: What it gave less its part of all that was given.
  ///   - cap: What it could give; the balance stays within twice that.
  ///   - now: When the round was settled.
  mutating func settle(_ surplus: Int64, cap: ByteCount, at now: MonotonicInstant) {
    let halves = now.since(since).nanoseconds / Defaults.ledgerHalfLife.nanoseconds
    let faded = balance(at: now)
    let kept = faded - faded / 16
    // A balance too small to lose a sixteenth loses a byte: it must not last for ever.
    let rest = kept == faded ? faded - faded.signum() : kept
    let sum = rest.addingReportingOverflow(surplus)
    let whole = sum.overflow ? (surplus > 0 ? Int64.max : Int64.min) : sum.partialValue
    let most = Int64(min(cap, .wireMaximum).value) * 2
    balance = min(max(whole, -most), most)
    let step = halves.multipliedReportingOverflow(by: Defaults.ledgerHalfLife.nanoseconds)
    since = step.overflow ? now : since + TimeSpan(nanoseconds: step.partialValue)
  }

  /// The size that counts in a split: whoever gave more than its part looks smaller, whoever owes
  /// looks larger; by half and twice at most, and never smaller than what it could give.
  @inline(__always)
  static func effectiveSize(_ size: UInt64, cap: UInt64, balance: Int64) -> UInt64 {
    guard balance != 0 else { return size }
    let most = size.multipliedReportingOverflow(by: 2)
    let twice = most.overflow ? UInt64.max : most.partialValue
    let shifted: UInt64
    if balance > 0 {
      shifted = size - min(size, balance.magnitude)
    } else {
      let sum = size.addingReportingOverflow(balance.magnitude)
      shifted = sum.overflow ? .max : sum.partialValue
    }
    return max(min(max(shifted, size / 2), twice), cap)
  }
}

/// Divides what a round brought by the fair parts, and says who gave how much more than its own.
///
///     surplus_i = given_i - fair_i · Σ given / Σ fair
///
/// The surpluses add up to zero to the byte: what the divisions lose goes one byte each to the
/// largest remainders.
struct LedgerSettlement: Sendable {
  /// One client of the round.
  struct Entry: Sendable, Equatable {
    /// Whose it is, for whoever settles.
    let index: Int
    /// What the first split gave it, and what was measured of it.
    let fair: UInt64, given: UInt64
    /// What it gave beyond its part.
    fileprivate(set) var surplus: Int64 = 0

    /// Makes an entry; numbers beyond what the wire can carry count as that.
    init(index: Int, fair: ByteCount, given: ByteCount) {
      self.index = index
      self.fair = min(fair, .wireMaximum).value
      self.given = min(given, .wireMaximum).value
    }
  }

  private(set) var entries: [Entry] = []
  private var remainders: [Remainder] = []

  /// Makes room for a round over `count` clients.
  mutating func reserve(_ count: Int) {
    entries.makeRoom(for: count)
    remainders.makeRoom(for: count)
  }

  /// Forgets the round before.
  mutating func begin() { entries.clear() }

  /// Adds a client.
  mutating func add(_ entry: Entry) { entries.append(entry) }

  /// Works out the surpluses; they stay at zero where nobody had a fair part.
  mutating func divide() {
    var fair: UInt128 = 0
    var given: UInt128 = 0
    for entry in entries {
      fair += UInt128(entry.fair)
      given += UInt128(entry.given)
    }
    guard fair > 0 else { return }
    // 2^31 entries of 2^53 bytes: sums of 84 bits, products of 137. A round has 2^14 clients.
    precondition(entries.count <= 1 << 20, "products of a round fit into 128 bits")
    remainders.clear()
    // Remainders are below the sum: so much of them fits into 64 bits.
    let shift = UInt128(max(0, 64 - fair.leadingZeroBitCount))
    var divided: UInt128 = 0
    for place in entries.indices {
      let (part, rest) = (UInt128(entries[place].fair) * given).quotientAndRemainder(
        dividingBy: fair
      )
      divided += part
      // Where one gave as much as all others together, a part can be larger than what it gave by
      // more than 63 bits can tell; the sums above are far below that.
      entries[place].surplus = Int64(entries[place].given) - Int64(clamping: part)
      if rest > 0 { remainders.append(Remainder(bytes: UInt64(rest >> shift), index: place)) }
    }
    let left = Int(given - divided)
    remainders.select(left, in: 0..<remainders.count)
    for place in 0..<left { entries[remainders[place].index].surplus -= 1 }
  }
}
