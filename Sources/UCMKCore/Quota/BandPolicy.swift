// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Fair first, then cheap: within half of its fair part up or down, whoever is cheapest gives most.
///
///     fair_i = level-down by share alone
///     fair_i / 2 <= part_i <= min(cap_i, 3/2 · fair_i)     Σ part_i = Σ fair_i
///     Σ cost_i · part_i is as small as it can be
///
/// A division with lower bounds, upper bounds and one sum is solved by filling the cheapest up
/// first; nothing cheaper exists. Half is a price of fairness that can be seen: nobody gives more
/// than one and a half times its fair part.
struct BandPolicy: Sendable {
  /// A party that may give more than the least of its band.
  private struct Priced: Ranked, Sendable {
    let cost: UInt64, room: UInt64
    let index: Int

    func precedes(_ other: Priced) -> Bool {
      cost != other.cost ? cost < other.cost : index < other.index
    }
  }

  private var fair = LevelDown()
  private var priced: [Priced] = []

  /// Makes room for splits over `count` parties.
  mutating func reserve(_ count: Int) {
    fair.reserve(count)
    priced.makeRoom(for: count)
  }

  /// Splits `target` over the claims in `range`; returns min(target, sum of the caps).
  mutating func split(
    _ target: UInt64,
    over claims: inout [Claim],
    in range: Range<Int>
  ) -> UInt64 {
    let given = fair.split(target, over: &claims, in: range)
    priced.clear()
    var left: UInt64 = 0
    for index in range where claims[index].part > 0 {
      let fair = claims[index].part
      let half = fair / 2
      let room = min(claims[index].cap - fair, half) + half
      claims[index].part -= half
      left += half
      priced.append(Priced(cost: claims[index].cost, room: room, index: index))
    }
    priced.heapSort(0..<priced.count)
    for party in priced {
      let more = min(left, party.room)
      claims[party.index].part += more
      left -= more
    }
    precondition(left == 0, "the bands have room for what is fair")
    return given
  }
}
