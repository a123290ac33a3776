// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Finds the level of a split by settling parties one crowd after the other.
///
/// If nobody were bounded, the level would be a plain fraction of sums:
///
///     μ = (Σ size - T) / Σ weight
///
/// At this level some would give less than nothing and some more than their cap. Cut to their
/// bounds, the parts add up to more than T, or to less. Too much: the level lies higher, so those
/// below it now give nothing whatever it is, and are settled. Too little: it lies lower, and those
/// that are exhausted now stay so. Either way the rest is the same problem with fewer parties, and
/// a handful of passes ends it (variable fixing: Bitran 1981, Kiwiel 2008). Somebody could
/// choose sizes that settle one party a pass; patience then ends, and `MarkSearch` takes over.
struct LevelSearch: Sendable {
  /// A party that is not settled yet, without what the search does not need.
  private struct Party: Sendable {
    var size: UInt64, cap: UInt64, weight: UInt64
  }

  /// What a pass found.
  private struct Pass {
    /// Caps of those that are exhausted; sizes and weights of those that give a part.
    var exhausted: UInt64 = 0, givingSizes: UInt64 = 0, givingWeights: UInt64 = 0
  }

  /// Where a party stands at the level of a pass.
  private static let below: UInt8 = 0, giving: UInt8 = 1, exhausted: UInt8 = 2

  private var parties: [Party] = []
  private var standing: [UInt8] = []
  private var marks = MarkSearch()

  /// Makes room for `count` parties.
  mutating func reserve(_ count: Int) {
    parties.makeRoom(for: count)
    standing.makeRoom(for: count)
    marks.reserve(count)
  }

  /// The level at which the parts add up to `target`.
  ///
  /// - Parameters:
  ///   - target: Above zero and below the sum of the caps.
  ///   - claims: The parties.
  ///   - range: Which of them.
  /// - Returns: The exact fraction, not reduced.
  mutating func level(_ target: UInt64, over claims: [Claim], in range: Range<Int>) -> QuotaLevel {
    parties.clear()
    standing.clear()
    var sizes: UInt128 = 0
    var weights: UInt64 = 0
    for index in range where claims[index].cap > 0 {
      let claim = claims[index]
      precondition(claim.weight > 0 && claim.weight <= UInt32.max, "weights are 1...2^32-1")
      parties.append(Party(size: claim.size, cap: claim.cap, weight: claim.weight))
      standing.append(Self.giving)
      sizes += UInt128(claim.size)
      weights += claim.weight
    }
    guard let sizes = UInt64(exactly: sizes) else {
      return marks.level(target, over: claims, in: range)
    }
    return settle(target, sizes, weights) ?? marks.level(target, over: claims, in: range)
  }

  /// Settles parties until the level is known; nil where patience ends.
  private mutating func settle(
    _ target: UInt64,
    _ allSizes: UInt64,
    _ allWeights: UInt64
  ) -> QuotaLevel? {
    var (target, sizes, weights) = (target, allSizes, allWeights)
    // Random parties take three to eight passes, whatever their number.
    for _ in 0..<24 {
      let level = (numerator: sizes - target, denominator: weights)
      let pass = Self.look(parties, &standing, at: level)
      // The sum of the parts cut to their bounds, against the target; both times the denominator.
      let whole = pass.exhausted + pass.givingSizes
      let wanted = UInt128(level.numerator) * UInt128(pass.givingWeights)
      let isShort = whole < target
      let found = isShort ? 0 : UInt128(whole - target) * UInt128(level.denominator)
      if !isShort, found == wanted {
        return QuotaLevel(numerator: UInt128(level.numerator), denominator: level.denominator)
      }
      let settled = !isShort && found > wanted ? Self.below : Self.exhausted
      let gone = Self.drop(settled, standing, from: &parties)
      sizes -= gone.sizes
      weights -= gone.weights
      if settled == Self.exhausted { target -= gone.caps }
    }
    return nil
  }

  /// Notes where everybody stands at a level.
  private static func look(
    _ parties: [Party],
    _ standing: inout [UInt8],
    at level: (numerator: UInt64, denominator: UInt64)
  ) -> Pass {
    var pass = Pass()
    let top = UInt128(level.numerator)
    let bottom = UInt128(level.denominator)
    // Not by the array: it would ask at each store whether it is the only owner.
    var standing = standing.mutableSpan
    for index in parties.indices {
      let party = parties[index]
      let kept = top * UInt128(party.weight)
      let size = UInt128(party.size) * bottom
      if size <= kept {
        standing[index] = below
      } else if UInt128(party.size - party.cap) * bottom >= kept {
        standing[index] = exhausted
        pass.exhausted += party.cap
      } else {
        standing[index] = giving
        pass.givingSizes += party.size
        pass.givingWeights += party.weight
      }
    }
    return pass
  }

  /// Takes out those that are settled, and returns their sums.
  private static func drop(
    _ settled: UInt8,
    _ standing: [UInt8],
    from parties: inout [Party]
  ) -> (sizes: UInt64, weights: UInt64, caps: UInt64) {
    var gone: (sizes: UInt64, weights: UInt64, caps: UInt64) = (0, 0, 0)
    var place = 0
    var kept = parties.mutableSpan
    for index in kept.indices {
      let party = kept[index]
      if standing[index] == settled {
        gone.sizes += party.size
        gone.weights += party.weight
        gone.caps += party.cap
      } else {
        kept[place] = party
        place += 1
      }
    }
    parties.removeLast(parties.count - place)
    return gone
  }
}
