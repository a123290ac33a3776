// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UCMKCore

/// The quick searches for the level against the plain one, byte for byte.
@Suite("The quick split and the sorted one")
struct SplitAgreementTests {
  /// Claims of one of several kinds, each unpleasant in its own way.
  private func claims(_ kind: UInt64, _ random: inout CoreRandom) -> [Claim] {
    (0..<2 + random.number(below: 40)).map { number in
      switch kind {
      case 0: return .random(&random)
      case 1:  // Many marks at one height.
        let size = 1 + random.number(below: 4)
        return Claim(size: size, cap: random.number(below: size + 1), weight: 1)
      case 2:  // Each twice the one before.
        let size = UInt64(1) << (number + 10)
        return Claim(size: size, cap: size, weight: 1 + random.number(below: 3))
      case 3:  // As large as numbers get.
        let size: UInt64 = random.pick([.max, .max - 1, 1 << 63, random.next()])
        let cap = random.pick([size, size / 2, 1])
        return Claim(size: size, cap: cap, weight: random.pick([1, UInt64(UInt32.max)]))
      default:  // Narrow steps far apart.
        let size = (number + 1) * (1 << 40)
        return Claim(size: size, cap: 1 + random.number(below: 3), weight: 1 + number)
      }
    }
  }

  @Test("give every party the same", arguments: coreSeeds)
  func agreement(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    var solver = LevelDown()
    for step in 0..<1_500 {
      var claims = claims(UInt64(step % 5), &random)
      let capacity = claims.reduce(UInt128(0)) { $0 + UInt128($1.cap) }
      let target = UInt64(clamping: UInt128(random.next()) * (capacity + 2) >> 64)
      let sorted = SortedSplit(target, over: claims)
      _ = solver.split(target, over: &claims, in: 0..<claims.count)
      if claims.map(\.part) != sorted.parts {
        Issue.record("seed \(seed) step \(step): \(target) over \(claims), not \(sorted.parts)")
        return
      }
    }
  }

  @Test("find the same level by settling and by selection", arguments: coreSeeds)
  func levels(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    var search = LevelSearch()
    var marks = MarkSearch()
    for step in 0..<500 {
      let claims = claims(UInt64(step % 3), &random).filter { $0.cap > 0 }
      let capacity = claims.reduce(0) { $0 + $1.cap }
      guard capacity > 1 else { continue }
      let target = 1 + random.number(below: capacity - 1)
      let settled = search.level(target, over: claims, in: 0..<claims.count)
      let selected = marks.level(target, over: claims, in: 0..<claims.count)
      for claim in claims {
        // A level between two flat stretches has several fractions; what is kept is one.
        let left = max(claim.size - claim.cap, min(claim.size, kept(settled, claim)))
        let right = max(claim.size - claim.cap, min(claim.size, kept(selected, claim)))
        #expect(left == right, "seed \(seed) step \(step)")
      }
    }
  }

  private func kept(_ level: QuotaLevel, _ claim: Claim) -> UInt64 {
    UInt64(clamping: level.kept(by: claim.weight).kept)
  }

  @Test("agree on a hundred thousand parties")
  func crowd() {
    var random = CoreRandom(seed: 7)
    var claims = (0..<100_000).map { _ -> Claim in
      let size = 1 + random.number(below: 1 << 34)
      return Claim(size: size, cap: size / 2, weight: random.pick([50, 100, 200]))
    }
    let target = claims.reduce(0) { $0 + $1.cap } / 3
    let sorted = SortedSplit(target, over: claims)
    var solver = LevelDown()
    #expect(solver.split(target, over: &claims, in: 0..<claims.count) == target)
    #expect(claims.map(\.part) == sorted.parts)
  }

  @Test("agree where settling loses patience")
  func patience() {
    // Each party is a thousand times the next and may give little of itself, so that a level that
    // is not bounded exhausts one after the other.
    var claims = (0..<60).map { number -> Claim in
      let size = UInt64(1) << number
      return Claim(size: size, cap: max(1, size / 3), weight: UInt64(1) << (number / 2))
    }
    claims += claims.map { Claim(size: $0.size, cap: $0.size, weight: 1 << 31) }
    let capacity = claims.reduce(0) { $0 + $1.cap }
    var solver = LevelDown()
    for number in 1..<200 {
      let target = capacity / 200 * UInt64(number)
      _ = solver.split(target, over: &claims, in: 0..<claims.count)
      #expect(claims.map(\.part) == SortedSplit(target, over: claims).parts)
    }
  }

  @Test("ask nobody of nobody")
  func nobody() {
    var claims: [Claim] = []
    var solver = LevelDown()
    #expect(solver.split(.max, over: &claims, in: 0..<0) == 0)
    #expect(solver.split(0, over: &claims, in: 0..<0) == 0)
    claims = [Claim(size: 0, cap: 0, weight: 1), Claim(size: 9, cap: 0, weight: 1)]
    #expect(solver.split(5, over: &claims, in: 0..<2) == 0)
    #expect(claims.map(\.part) == [0, 0])
  }

  @Test("show the level from which every part follows")
  func shownLevel() {
    var claims = [100, 60, 30].map { Claim(size: $0, cap: $0, weight: 1) }
    var solver = LevelDown()
    #expect(solver.split(100, over: &claims, in: 0..<3) == 100)
    #expect(solver.level == QuotaLevel(numerator: 90, denominator: 3))
    #expect(solver.split(190, over: &claims, in: 0..<3) == 190)
    #expect(solver.level == .ground)
    #expect(solver.split(0, over: &claims, in: 0..<3) == 0)
    #expect(solver.level == nil)
    #expect(solver.split(25, over: &claims, in: 0..<1) == 25)
    #expect(solver.level == QuotaLevel(numerator: 75, denominator: 1))
  }
}
