// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// The laws of weighted max-min, on thousands of random instances a seed.
@Suite("The level-down split")
struct QuotaLawsTests {
  private static let instances = 120

  private func forAll(
    _ seed: UInt64,
    _ body: (SplitInstance, [UInt64], inout CoreRandom) -> Void
  ) {
    var random = CoreRandom(seed: seed)
    for _ in 0..<Self.instances {
      let instance = SplitInstance.random(&random)
      body(instance, instance.solved(), &random)
    }
  }

  @Test("1: gives the target exactly, and nobody more than its cap", arguments: coreSeeds)
  func exact(seed: UInt64) {
    forAll(seed) { instance, parts, _ in
      #expect(parts.reduce(0, +) == min(instance.target, instance.capacity), "seed \(seed)")
      #expect(zip(parts, instance.claims).allSatisfy { $0 <= $1.cap }, "seed \(seed)")
    }
  }

  @Test("2: leaves no justified envy, to the byte", arguments: coreSeeds)
  func noEnvy(seed: UInt64) {
    forAll(seed) { instance, parts, _ in
      #expect(!hasJustifiedEnvy(instance.claims, parts), "seed \(seed) \(instance)")
    }
  }

  @Test("3: asks for no more than is wanted and wastes no room", arguments: coreSeeds)
  func pareto(seed: UInt64) {
    forAll(seed) { instance, parts, _ in
      let sum = parts.reduce(0, +)
      let hasRoom = zip(parts, instance.claims).contains { $0 < $1.cap }
      #expect(sum <= instance.target, "seed \(seed)")
      #expect(sum == instance.target || !hasRoom, "seed \(seed)")
    }
  }

  @Test("4: never gives less when more is wanted", arguments: coreSeeds)
  func monotone(seed: UInt64) {
    forAll(seed) { instance, parts, random in
      let above = instance.target + random.number(below: instance.capacity + 1)
      let more = instance.solved(target: above)
      #expect(zip(parts, more).allSatisfy { $0 <= $1 + 1 }, "seed \(seed)")
    }
  }

  @Test("5: in two rounds takes the same as in one", arguments: coreSeeds)
  func composition(seed: UInt64) {
    forAll(seed) { instance, parts, random in
      let target = min(instance.target, instance.capacity)
      let first = random.number(below: target + 1)
      let before = instance.solved(target: first)
      var rest = instance
      rest.target = target - first
      for index in rest.claims.indices {
        rest.claims[index].size -= before[index]
        rest.claims[index].cap -= before[index]
      }
      let after = rest.solved()
      for index in parts.indices {
        #expect(
          isClose(before[index] + after[index], parts[index], within: 2),
          "seed \(seed)"
        )
      }
    }
  }

  @Test("6: with one party more asks no other for more", arguments: coreSeeds)
  func population(seed: UInt64) {
    forAll(seed) { instance, parts, random in
      guard instance.capacity >= instance.target else { return }
      var larger = instance
      larger.claims.append(.random(&random))
      let others = larger.solved().dropLast()
      #expect(zip(others, parts).allSatisfy { $0 <= $1 + 1 }, "seed \(seed)")
    }
  }

  @Test("7: scales with its numbers", arguments: coreSeeds)
  func scale(seed: UInt64) {
    forAll(seed) { instance, parts, random in
      let factor = 2 + random.number(below: 48)
      var scaled = instance
      scaled.target *= factor
      for index in scaled.claims.indices {
        scaled.claims[index].size *= factor
        scaled.claims[index].cap *= factor
      }
      for (large, small) in zip(scaled.solved(), parts) {
        #expect(isClose(large, small * factor, within: factor + 1), "seed \(seed)")
      }
    }
  }

  @Test("8: does not care for the order of the parties", arguments: coreSeeds)
  func anonymity(seed: UInt64) {
    forAll(seed) { instance, parts, random in
      let order = instance.claims.indices.shuffled(using: &random)
      var shuffled = instance
      shuffled.claims = order.map { instance.claims[$0] }
      for (place, part) in shuffled.solved().enumerated() {
        #expect(isClose(part, parts[order[place]], within: 1), "seed \(seed)")
      }
    }
  }

  @Test("9: without one party and its part asks the others for the same", arguments: coreSeeds)
  func consistency(seed: UInt64) {
    forAll(seed) { instance, parts, random in
      guard instance.claims.count > 1 else { return }
      let gone = Int(random.number(below: UInt64(instance.claims.count)))
      var rest = instance.without(gone)
      rest.target = min(instance.target, instance.capacity) - parts[gone]
      var others = parts
      others.remove(at: gone)
      for (part, before) in zip(rest.solved(), others) {
        #expect(isClose(part, before, within: 2), "seed \(seed)")
      }
    }
  }

  @Test("agrees with a search for the level by bisection", arguments: coreSeeds)
  func bisection(seed: UInt64) {
    forAll(seed) { instance, parts, _ in
      let reference = BisectionReference(instance)
      for (index, part) in parts.enumerated() {
        let (least, most) = reference.bounds(of: index)
        #expect(part + 1 >= least && part <= most + 1, "seed \(seed) \(instance)")
      }
    }
  }

  @Test("agrees with taking one byte after the other", arguments: coreSeeds)
  func byteByByte(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    for _ in 0..<100 {
      let claims = (0...random.number(below: 6)).map { _ -> Claim in
        let size = random.number(below: 200)
        return Claim(
          size: size,
          cap: random.number(below: size + 1),
          weight: 1 + random.number(below: 20)
        )
      }
      let target = random.number(below: claims.reduce(0) { $0 + $1.cap } + 1)
      let instance = SplitInstance(target: target, claims: claims)
      for (part, expected) in zip(instance.solved(), takenByteByByte(instance)) {
        #expect(isClose(part, expected, within: 1), "seed \(seed) \(instance)")
      }
    }
  }

  @Test("stays exact with the largest numbers there are", arguments: coreSeeds)
  func hostile(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    for _ in 0..<200 {
      let claims = (0..<20).map { _ in
        Claim(
          size: .max - random.number(below: 3),
          cap: random.pick([0, 1, .max >> 1, .max - 3]),
          weight: random.pick([1, 200_000_000, UInt64(UInt32.max)])
        )
      }
      let target = random.pick([0, 1, .max >> 1, .max, random.next()])
      let sum = claims.reduce(UInt128(0)) { $0 + UInt128($1.cap) }
      let parts = SplitInstance(target: target, claims: claims).solved()
      #expect(
        parts.reduce(UInt128(0)) { $0 + UInt128($1) } == min(UInt128(target), sum),
        "seed \(seed)"
      )
      #expect(zip(parts, claims).allSatisfy { $0 <= $1.cap }, "seed \(seed)")
    }
  }

  @Test("is as quick on sorted and on equal parties: selection never degenerates")
  func degenerate() {
    for shape in 0..<3 {
      let claims = (0..<20_000).map { index -> Claim in
        let size = UInt64([index, 20_000 - index, 5][shape]) + 1
        return Claim(size: size, cap: size, weight: 1)
      }
      let capacity = claims.reduce(0) { $0 + $1.cap }
      let parts = SplitInstance(target: capacity / 2, claims: claims).solved()
      #expect(parts.reduce(0, +) == capacity / 2)
    }
  }
}

/// Whether one byte could move from a giver to another that would still keep more for its weight.
func hasJustifiedEnvy(_ claims: [Claim], _ parts: [UInt64]) -> Bool {
  for (giver, given) in zip(claims, parts) where given > 0 {
    for (other, part) in zip(claims, parts) where part < other.cap {
      let kept = UInt128(giver.size - given + 1) * UInt128(other.weight)
      let left = UInt128(other.size - part - 1) * UInt128(giver.weight)
      if kept < left { return true }
    }
  }
  return false
}

/// The level as a binary fraction of 40 places, found by halving; nothing of it is shared with the
/// solver.
private struct BisectionReference {
  private static let places: UInt128 = 40
  private let instance: SplitInstance
  private var low: UInt128 = 0
  private var high: UInt128

  init(_ instance: SplitInstance) {
    self.instance = instance
    high = (UInt128(instance.claims.map(\.size).max() ?? 0) + 1) << Self.places
    while high - low > 1 {
      let middle = low + (high - low) / 2
      let sum = instance.claims.indices.reduce(UInt128(0)) { $0 + scaledPart($1, at: middle) }
      let target = UInt128(min(instance.target, instance.capacity)) << Self.places
      if sum >= target { low = middle } else { high = middle }
    }
  }

  /// The part of a party lies between those at both ends of the bracket.
  func bounds(of index: Int) -> (least: UInt64, most: UInt64) {
    (
      UInt64(scaledPart(index, at: high) >> Self.places),
      UInt64(scaledPart(index, at: low) >> Self.places)
    )
  }

  private func scaledPart(_ index: Int, at level: UInt128) -> UInt128 {
    let claim = instance.claims[index]
    let size = UInt128(claim.size) << Self.places
    let kept = level * UInt128(claim.weight)
    return size > kept ? min(size - kept, UInt128(claim.cap) << Self.places) : 0
  }
}

/// Takes one byte after the other from whoever keeps most for its weight.
private func takenByteByByte(_ instance: SplitInstance) -> [UInt64] {
  var parts = instance.claims.map { _ in UInt64(0) }
  for _ in 0..<instance.target {
    let richest = instance.claims.indices.filter { parts[$0] < instance.claims[$0].cap }
      .max { left, right in
        let first = instance.claims[left]
        let second = instance.claims[right]
        return (first.size - parts[left]) * second.weight
          < (second.size - parts[right]) * first.weight
      }
    guard let richest else { break }
    parts[richest] += 1
  }
  return parts
}
