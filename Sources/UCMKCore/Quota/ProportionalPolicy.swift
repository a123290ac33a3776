// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Divides in proportion, exact in whole bytes: what rounding loses goes one byte each to the
/// largest remainders, the earlier party first.
struct Proportion: Sendable {
  private var remainders: [Remainder] = []

  /// Makes room for `count` parties.
  mutating func reserve(_ count: Int) { remainders.makeRoom(for: count) }

  /// Adds to each part what of `target` falls to it.
  ///
  /// - Parameters:
  ///   - target: At most the sum of `measures`.
  ///   - measures: In which proportion, party by party from the first of `range`; nobody is given
  ///     more than its measure.
  ///   - claims: Whose parts grow.
  ///   - range: Which of them.
  mutating func add(
    _ target: UInt64,
    by measures: [UInt64],
    to claims: inout [Claim],
    in range: Range<Int>
  ) {
    guard target > 0 else { return }
    remainders.clear()
    var whole: UInt128 = 0
    for measure in measures { whole += UInt128(measure) }
    precondition(UInt128(target) <= whole, "nobody is given more than its measure")
    // Remainders are below the sum: so much of them fits into 64 bits.
    let shift = UInt128(max(0, 64 - whole.leadingZeroBitCount))
    var given: UInt64 = 0
    for (place, index) in range.enumerated() where measures[place] > 0 {
      let (part, rest) = (UInt128(target) * UInt128(measures[place]))
        .quotientAndRemainder(dividingBy: whole)
      claims[index].part += UInt64(part)
      given += UInt64(part)
      guard rest > 0 else { continue }
      remainders.append(Remainder(bytes: UInt64(rest >> shift), index: index))
    }
    let left = Int(target - given)
    remainders.select(left, in: 0..<remainders.count)
    for place in 0..<left { claims[remainders[place].index].part += 1 }
  }
}

/// Takes the same fraction of what everybody could give, whatever it weighs and costs.
///
///     part_i = T · cap_i / Σ cap
///
/// The only rule under which cutting one program into two changes nothing even without cgroups;
/// it protects nobody who is small.
struct ProportionalPolicy: Sendable {
  private var proportion = Proportion()
  private var caps: [UInt64] = []

  /// Makes room for splits over `count` parties.
  mutating func reserve(_ count: Int) {
    proportion.reserve(count)
    caps.makeRoom(for: count)
  }

  /// Splits `target` over the claims in `range`; returns min(target, sum of the caps).
  mutating func split(
    _ target: UInt64,
    over claims: inout [Claim],
    in range: Range<Int>
  ) -> UInt64 {
    caps.clear()
    var capacity: UInt128 = 0
    for index in range {
      claims[index].part = 0
      caps.append(claims[index].cap)
      capacity += UInt128(claims[index].cap)
    }
    let given = UInt64(min(UInt128(target), capacity))
    proportion.add(given, by: caps, to: &claims, in: range)
    return given
  }
}
