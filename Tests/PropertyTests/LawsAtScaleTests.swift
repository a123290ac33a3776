// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UCMKCore

/// The laws of a fair division on two hundred thousand small instances, whole or by one seed:
/// `SEED=5 swift test --filter LawsAtScale`.
@Suite("The laws of level-down at scale")
struct LawsAtScaleTests {
  /// Times eight seeds: 200,000.
  private static let instances = 25_000

  @Test("hold for every instance", arguments: coreSeeds)
  func laws(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    var solver = LevelDown()
    for number in 0..<Self.instances {
      let instance = SplitInstance.few(&random)
      var claims = instance.claims
      let given = solver.split(instance.target, over: &claims, in: 0..<claims.count)
      var law = Law(instance: instance, parts: claims.map(\.part), solver: solver)
      if given != min(instance.target, instance.capacity) || !law.holds(number, &random) {
        Issue.record("law \(law.number), seed \(seed), instance \(number): \(instance)")
        return
      }
    }
  }

  @Test("agree with progressive filling in exact fractions", arguments: coreSeeds)
  func progressiveFilling(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    for number in 0..<400 {
      let claims = (0..<2 + random.number(below: 5)).map { _ -> Claim in
        let size = 1 + random.number(below: 1 << 20)
        let cap = random.pick([0, size, random.number(below: size + 1)])
        return Claim(size: size, cap: cap, weight: 1 + random.number(below: 100))
      }
      let capacity = claims.reduce(0) { $0 + $1.cap }
      let instance = SplitInstance(target: random.number(below: capacity + 1), claims: claims)
      let exact = ProgressiveFilling(instance)
      for (index, part) in instance.solved().enumerated() {
        let (least, most) = exact.bounds(of: index)
        #expect((least...most).contains(part), "seed \(seed), instance \(number)")
      }
    }
  }
}

/// One instance and its parts, held to one law after the other; a law that fails stays in `number`.
private struct Law {
  let instance: SplitInstance
  let parts: [UInt64]
  var solver: LevelDown
  var number = 0

  /// Whether the first three laws hold, and one of the others, in turn.
  mutating func holds(_ turn: Int, _ random: inout CoreRandom) -> Bool {
    guard exact() else { return fail(1) }
    guard !envies() else { return fail(2) }
    switch turn % 6 {
    case 0: return monotone(&random) || fail(4)
    case 1: return composes(&random) || fail(5)
    case 2: return population(&random) || fail(6)
    case 3: return scales(&random) || fail(7)
    case 4: return anonymous(&random) || fail(8)
    default: return consistent(&random) || fail(9)
    }
  }

  private mutating func fail(_ law: Int) -> Bool {
    number = law
    return false
  }

  private mutating func solved(_ target: UInt64, _ claims: [Claim]) -> [UInt64] {
    var claims = claims
    _ = solver.split(target, over: &claims, in: 0..<claims.count)
    return claims.map(\.part)
  }

  private var target: UInt64 { min(instance.target, instance.capacity) }

  /// Sums and bounds; no waste follows from them (law 3).
  private func exact() -> Bool {
    parts.reduce(0, +) == target && zip(parts, instance.claims).allSatisfy { $0 <= $1.cap }
  }

  /// Whether the giver that keeps least for its weight keeps less than somebody with room keeps.
  private func envies() -> Bool {
    var poorest: (kept: UInt64, weight: UInt64)?
    var richest: (kept: UInt64, weight: UInt64)?
    for (claim, part) in zip(instance.claims, parts) {
      if part > 0 {
        let kept = claim.size - part + 1
        if let least = poorest, kept * least.weight >= least.kept * claim.weight {
        } else {
          poorest = (kept, claim.weight)
        }
      }
      if part < claim.cap {
        let kept = claim.size - part - 1
        if let most = richest, kept * most.weight <= most.kept * claim.weight {
        } else {
          richest = (kept, claim.weight)
        }
      }
    }
    guard let poorest, let richest else { return false }
    return poorest.kept * richest.weight < richest.kept * poorest.weight
  }

  private mutating func monotone(_ random: inout CoreRandom) -> Bool {
    let more = solved(target + random.number(below: instance.capacity + 1), instance.claims)
    return zip(parts, more).allSatisfy { $0 <= $1 + 1 }
  }

  private mutating func composes(_ random: inout CoreRandom) -> Bool {
    let first = random.number(below: target + 1)
    let before = solved(first, instance.claims)
    var rest = instance.claims
    for index in rest.indices {
      rest[index].size -= before[index]
      rest[index].cap -= before[index]
    }
    let after = solved(target - first, rest)
    return parts.indices.allSatisfy { isClose(before[$0] + after[$0], parts[$0], within: 2) }
  }

  private mutating func population(_ random: inout CoreRandom) -> Bool {
    guard instance.capacity >= instance.target else { return true }
    let more = solved(target, instance.claims + [.random(&random)])
    return zip(more, parts).allSatisfy { $0 <= $1 + 1 }
  }

  private mutating func scales(_ random: inout CoreRandom) -> Bool {
    let factor = 2 + random.number(below: 48)
    let large = instance.claims.map {
      Claim(size: $0.size * factor, cap: $0.cap * factor, weight: $0.weight)
    }
    return zip(solved(target * factor, large), parts).allSatisfy {
      isClose($0, $1 * factor, within: factor + 1)
    }
  }

  private mutating func anonymous(_ random: inout CoreRandom) -> Bool {
    let order = instance.claims.indices.shuffled(using: &random)
    let shuffled = solved(target, order.map { instance.claims[$0] })
    return order.indices.allSatisfy { isClose(shuffled[$0], parts[order[$0]], within: 1) }
  }

  private mutating func consistent(_ random: inout CoreRandom) -> Bool {
    let gone = Int(random.number(below: UInt64(parts.count)))
    var others = parts
    let part = others.remove(at: gone)
    return zip(solved(target - part, instance.without(gone).claims), others).allSatisfy {
      isClose($0, $1, within: 2)
    }
  }
}

extension SplitInstance {
  /// 1…9 parties: most of what can go wrong needs three.
  static func few(_ random: inout CoreRandom) -> SplitInstance {
    let claims = (0...random.number(below: 9)).map { _ in Claim.random(&random) }
    let capacity = claims.reduce(0) { $0 + $1.cap }
    let within = random.number(below: capacity + 1)
    return SplitInstance(
      target: random.pick([0, 1, capacity, capacity + 5, within, within, within, within]),
      claims: claims
    )
  }
}

/// What everybody keeps, filled up from the poorest: whoever keeps least for its weight is given
/// more, together with all that keep as little, until nothing is left to give back.
///
/// The answer of the chain of linear programmes "raise the least, then the least of the others";
/// goes up where the solver goes down, and shares nothing with it.
private struct ProgressiveFilling {
  private let instance: SplitInstance
  /// What is kept for each unit of weight at the end, as a fraction.
  private var level = (numerator: UInt128(0), denominator: UInt128(1))

  init(_ instance: SplitInstance) {
    self.instance = instance
    let kept = UInt128(instance.capacity - min(instance.target, instance.capacity))
    // Where somebody begins to be filled up, or is full.
    var steps: [(size: UInt64, weight: UInt64)] = []
    for claim in instance.claims {
      steps.append((claim.size - claim.cap, claim.weight))
      steps.append((claim.size, claim.weight))
    }
    steps.sort { left, right in
      let here = UInt128(left.size) * UInt128(right.weight)
      return here < UInt128(right.size) * UInt128(left.weight)
    }
    for step in steps {
      let here = (numerator: UInt128(step.size), denominator: UInt128(step.weight))
      let (used, parts) = filled(here)
      if used <= kept * parts {
        level = here
        continue
      }
      // Between the last step and this one the same parties grow.
      let (before, unit) = filled(level)
      var growing: UInt128 = 0
      for claim in instance.claims where grows(claim) { growing += UInt128(claim.weight) }
      level = (
        level.numerator * growing + (kept * unit - before),
        level.denominator * growing
      )
      return
    }
  }

  /// What all were given back at a level, in parts of its denominator.
  private func filled(
    _ level: (numerator: UInt128, denominator: UInt128)
  ) -> (sum: UInt128, parts: UInt128) {
    var sum: UInt128 = 0
    for claim in instance.claims {
      let low = UInt128(claim.size - claim.cap) * level.denominator
      let high = UInt128(claim.size) * level.denominator
      let kept = min(max(level.numerator * UInt128(claim.weight), low), high)
      sum += kept - low
    }
    return (sum, level.denominator)
  }

  /// Whether a party is being filled just above the level.
  private func grows(_ claim: Claim) -> Bool {
    let here = level.numerator * UInt128(claim.weight)
    return here >= UInt128(claim.size - claim.cap) * level.denominator
      && here < UInt128(claim.size) * level.denominator
  }

  /// The whole bytes around what a party gives.
  func bounds(of index: Int) -> (least: UInt64, most: UInt64) {
    let claim = instance.claims[index]
    let low = UInt128(claim.size - claim.cap) * level.denominator
    let high = UInt128(claim.size) * level.denominator
    let kept = min(max(level.numerator * UInt128(claim.weight), low), high)
    let given = high - kept
    return (
      UInt64(given / level.denominator),
      UInt64((given + level.denominator - 1) / level.denominator)
    )
  }
}
