// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One party to a split, with nothing but what the daemon prints.
struct ExplainedParty {
  var size: UInt64 = 0, cap: UInt64 = 0, weight: UInt64 = 1
  var cold: UInt64 = 0, cost: UInt64 = 0, deferred: UInt64 = 0

  /// Several as one: sums, and means of weight and cost by size.
  static func sum(of parties: [ExplainedParty]) -> ExplainedParty {
    var whole = ExplainedParty()
    var weighted = BigRational(0)
    var priced = BigRational(0)
    for party in parties {
      whole.size += party.size
      whole.cap += party.cap
      whole.cold += party.cold
      whole.deferred += party.deferred
      weighted = weighted + BigRational(party.size) * BigRational(party.weight)
      priced = priced + BigRational(party.size) * BigRational(party.cost)
    }
    guard whole.size > 0 else { return whole }
    whole.weight = max(1, (weighted / BigRational(whole.size)).floor)
    whole.cost = (priced / BigRational(whole.size)).floor
    return whole
  }
}

/// The four rules as `docs/POLICY.md` states them, over fractions that nothing rounds.
enum ExplainedSplit {
  /// The parts of `target`, party by party.
  static func parts(
    of target: UInt64,
    by rule: String,
    over parties: [ExplainedParty]
  ) -> [UInt64] {
    let caps = parties.map(\.cap)
    let given = min(target, caps.reduce(0, +))
    switch rule {
    case "level-down": return taxed(given, over: parties)
    case "proportional": return proportion(given, of: caps)
    case "kernel": return kernel(given, over: parties)
    case "band": return band(given, over: parties)
    default: preconditionFailure("the rule is one of four")
    }
  }

  // MARK: - Level-down

  /// Cold bytes are parties of their own: k = 8 (`docs/POLICY.md` §3).
  static func taxed(_ target: UInt64, over parties: [ExplainedParty]) -> [UInt64] {
    guard parties.contains(where: { $0.cold > 0 }) else { return levelDown(target, over: parties) }
    var elements: [ExplainedParty] = []
    for party in parties {
      let cold = min(party.cold, party.cap)
      let hot = party.size - cold
      elements.append(ExplainedParty(size: cold + hot / 8, cap: cold, weight: party.weight))
      elements.append(
        ExplainedParty(
          size: hot,
          cap: party.cap - cold,
          weight: min(8 * party.weight, 4_294_967_295)
        )
      )
    }
    let parts = levelDown(target, over: elements)
    return parties.indices.map { parts[2 * $0] + parts[2 * $0 + 1] }
  }

  /// Σ clamp(size - μ · weight, 0, cap) = target, for one μ.
  static func levelDown(_ target: UInt64, over parties: [ExplainedParty]) -> [UInt64] {
    let caps = parties.map(\.cap)
    guard target > 0 else { return caps.map { _ in 0 } }
    guard target < caps.reduce(0, +) else { return caps }
    let level = level(target, over: parties)
    let exact = parties.map { party in
      let above = BigRational(party.size) - level * BigRational(party.weight)
      return min(above, BigRational(party.cap))
    }
    return whole(exact, adding: target)
  }

  /// The level, between two of the marks at which somebody starts to give or is exhausted.
  private static func level(_ target: UInt64, over parties: [ExplainedParty]) -> BigRational {
    var marks: [BigRational] = []
    for party in parties where party.cap > 0 {
      marks.append(BigRational(party.size) / BigRational(party.weight))
      marks.append(BigRational(party.size - party.cap) / BigRational(party.weight))
    }
    marks.sort(by: >)
    // By halves: what is given only grows as the level falls.
    var (low, high) = (0, marks.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if given(at: marks[middle], by: parties) < BigRational(target) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    let floor = marks[low]
    // Right above that mark the same parties give, each straight to it.
    var constant = BigRational(0)
    var slope = BigRational(0)
    for party in parties where party.cap > 0 {
      let weight = BigRational(party.weight)
      if BigRational(party.size - party.cap) / weight > floor {
        constant = constant + BigRational(party.cap)
      } else if BigRational(party.size) / weight > floor {
        constant = constant + BigRational(party.size)
        slope = slope + weight
      }
    }
    guard slope > BigRational(0) else { return floor }
    return (constant - BigRational(target)) / slope
  }

  private static func given(at level: BigRational, by parties: [ExplainedParty]) -> BigRational {
    var sum = BigRational(0)
    for party in parties where party.cap > 0 {
      let above = BigRational(party.size) - level * BigRational(party.weight)
      let part = min(above, BigRational(party.cap))
      // Over one denominator, since those of the sum would grow without end.
      sum = sum + BigRational(part.numerator, over: part.denominator)
    }
    return sum
  }

  // MARK: - The other rules

  /// In proportion to `measures`.
  static func proportion(_ target: UInt64, of measures: [UInt64]) -> [UInt64] {
    guard target > 0 else { return measures.map { _ in 0 } }
    let whole = BigRational(measures.reduce(0, +))
    let exact = measures.map { BigRational(target) * BigRational($0) / whole }
    return self.whole(exact, adding: target)
  }

  /// The law of `do_shrink_slab`, from priority 12 down to 0, then in proportion to the rest.
  static func kernel(_ target: UInt64, over parties: [ExplainedParty]) -> [UInt64] {
    var parts = parties.map { _ in UInt64(0) }
    var freeable = parties.map(\.cap)
    var deferred = parties.map(\.deferred)
    let seeks = parties.map { max(1, $0.weight / 50) }
    var left = target
    for priority in (0...12).reversed() where left > 0 {
      let work = parties.indices.map {
        (BigRational(freeable[$0] >> UInt64(priority)) * BigRational(40_000)
          / BigRational(seeks[$0])).floor
      }
      let wanted = parties.indices.map {
        min((deferred[$0] >> UInt64(priority)) + work[$0], 2 * freeable[$0], freeable[$0])
      }
      guard wanted.reduce(0, +) < left else {
        return zip(parts, proportion(left, of: wanted)).map { $0 + $1 }
      }
      for index in parties.indices {
        let all = deferred[index] + work[index]
        deferred[index] = min(all - min(all, wanted[index]), 2 * freeable[index])
        parts[index] += wanted[index]
        freeable[index] -= wanted[index]
        left -= wanted[index]
      }
    }
    return zip(parts, proportion(left, of: freeable)).map { $0 + $1 }
  }

  /// Half of everybody's fair part, then the cheapest first up to one and a half.
  static func band(_ target: UInt64, over parties: [ExplainedParty]) -> [UInt64] {
    let fair = levelDown(target, over: parties)
    var parts = fair.map { $0 - $0 / 2 }
    var left = fair.map { $0 / 2 }.reduce(0, +)
    let order = parties.indices.sorted {
      parties[$0].cost != parties[$1].cost ? parties[$0].cost < parties[$1].cost : $0 < $1
    }
    for index in order {
      let half = fair[index] / 2
      let more = min(left, min(parties[index].cap - fair[index], half) + half)
      parts[index] += more
      left -= more
    }
    return parts
  }

  /// Whole bytes: each rounded down, what is left one each to the largest fractions, the earlier
  /// party first.
  private static func whole(_ exact: [BigRational], adding target: UInt64) -> [UInt64] {
    var parts = exact.map(\.floor)
    let fractions = exact.map(\.fraction)
    let order = exact.indices.filter { fractions[$0] > BigRational(0) }
      .sorted { fractions[$0] != fractions[$1] ? fractions[$0] > fractions[$1] : $0 < $1 }
    for index in order.prefix(Int(target - parts.reduce(0, +))) { parts[index] += 1 }
    return parts
  }
}
