// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UCMKSim

/// Curves are dear to compute: one library for all tests.
private let library = CacheMix.Library()

@Suite("Miss curves")
struct MissCurveTests {
  private let curve = MissCurve(objects: 1_000, exponent: 0.8)

  @Test("more room hits more often, all of it always")
  func rises() {
    var last = 0.0
    for objects in stride(from: 0.0, through: 1_000, by: 20) {
      let hits = curve.hitRatio(objects: objects)
      #expect(hits >= last)
      last = hits
    }
    #expect(curve.hitRatio(objects: 0) < 0.01)
    #expect(curve.hitRatio(objects: 1_000) > 0.999)
  }

  @Test("equal popularity hits as often as it has room")
  func even() {
    let even = MissCurve(objects: 300, exponent: 0)
    for objects in [30.0, 150, 270] {
      #expect(abs(even.hitRatio(objects: objects) - objects / 300) < 0.002)
    }
  }

  @Test("agrees with an LRU cache that is played through")
  func played() {
    var chance = Chance(seed: 11)
    let popularity = (1...200).map { 1 / Double($0) }
    let sum = popularity.reduce(0, +)
    var held: [Int] = []
    var hits = 0
    let (warm, requests, room) = (2_000, 30_000, 50)
    for request in 0..<(warm + requests) {
      var place = chance.fraction() * sum
      let object = popularity.firstIndex { part in
        place -= part
        return place < 0
      }
      guard let object else { continue }
      if let index = held.firstIndex(of: object) {
        held.remove(at: index)
        if request >= warm { hits += 1 }
      } else if held.count == room {
        held.removeFirst()
      }
      held.append(object)
    }
    let curve = MissCurve(objects: 200, exponent: 1)
    #expect(abs(curve.hitRatio(objects: Double(room)) - Double(hits) / Double(requests)) < 0.015)
  }

  @Test("groups of ranks change little")
  func groups() {
    let exact = (1...5_000).map { 1 / Double($0) }
    let sum = exact.reduce(0, +)
    let curve = MissCurve(objects: 5_000, exponent: 1)
    let time = MissCurve.times[240]
    let inside = exact.reduce(0) { $0 + 1 - Double.exp(-$1 / sum * time) }
    #expect(abs(curve.objects(within: time) / inside - 1) < 0.001)
  }

  @Test(
    "a broken line is constant beyond its ends",
    arguments: [
      (-1.0, 5.0), (0, 5), (1, 6), (2, 7), (3, 3.5), (4, 0), (9, 0),
    ]
  )
  func line(x: Double, y: Double) {
    #expect(interpolate(x, from: [0, 2, 4], to: [5, 7, 0]) == y)
    #expect(interpolate(x, from: [], to: []) == 0)
  }
}

extension Double {
  /// e^x by its series in pieces: the tests need no C library.
  fileprivate static func exp(_ x: Double) -> Double {
    var term = 1.0
    var sum = 1.0
    let small = x / 1_024
    for index in 1...12 {
      term *= small / Double(index)
      sum += term
    }
    for _ in 0..<10 { sum *= sum }
    return sum
  }
}

@Suite("Mixes")
struct MixTests {
  private func mix(_ number: UInt64 = 7) -> CacheMix { CacheMix(number: number, library: library) }

  @Test("a mix has twelve caches that its number decides")
  func numbers() {
    #expect(mix(1).caches.map(\.size) == mix(1).caches.map(\.size))
    #expect(mix(1).caches.map(\.size) != mix(2).caches.map(\.size))
    #expect(mix().caches.count == 12)
    for cache in mix().caches {
      #expect([1_024, 4_096, 16_384].contains(cache.objectBytes))
      #expect(cache.size > 0.2 * 20_000 * cache.objectBytes - 1)
      #expect(cache.size < 0.9 * 100_000 * cache.objectBytes)
    }
  }

  @Test("a cache loses more the less it holds, and everything without memory")
  func losses() {
    for cache in mix().caches {
      let losses = (0...10).map { cache.loss(holding: cache.size * Double($0) / 10) }
      #expect(zip(losses, losses.dropFirst()).allSatisfy { $0 > $1 })
      #expect(abs(losses[0] - cache.rate * cache.cost) < 0.01 * losses[0])
      #expect(cache.loss(holding: 2 * cache.size) == losses[10])
      #expect(cache.touched(within: 1e9) == cache.size)
      #expect(cache.touched(within: 0.001) < cache.size)
    }
  }

  @Test(
    "every split gives what is wanted or more, and nobody more than it has",
    arguments: MixPolicy.allCases,
    [0.1, 0.6]
  )
  func sums(policy: MixPolicy, part: Double) {
    for number in UInt64(0)..<4 {
      let mix = mix(number)
      let target = (mix.total * part).rounded(.down)
      let parts = policy.parts(of: target, from: mix)
      let given = parts.reduce(0, +)
      #expect(given >= target - 16, "mix \(number)")
      for (cache, part) in zip(mix.caches, parts) { #expect(part >= 0 && part <= cache.size + 1) }
      if policy != .dropAll, policy != .killBiggest {
        #expect(abs(given - target) < 1e-5 * target + 16, "mix \(number)")
      }
    }
  }

  @Test("the daemon's split is exact to the byte", arguments: [0.01, 0.1, 0.3, 0.6, 0.999])
  func exact(part: Double) {
    let mix = mix(3)
    let target = (mix.total * part).rounded(.down)
    for costs in [BrokerSplit.Costs.equal, .vouched, .declared] {
      #expect(BrokerSplit(mix, costs: costs).parts(of: target).reduce(0, +) == target)
    }
  }

  @Test("the optimum loses least, and its price rises with the target")
  func optimum() {
    let mix = mix(5)
    for part in MixStudy.parts {
      let target = mix.total * part
      let best = mix.addedLoss(giving: MixPolicy.optimum.parts(of: target, from: mix))
      #expect(best > 0)
      for policy in MixPolicy.allCases {
        let loss = mix.addedLoss(giving: policy.parts(of: target, from: mix))
        #expect(loss >= best * 0.98, "\(policy)")
      }
    }
  }

  @Test("equal costs make the daemon's split that of a falling level")
  func level() {
    let mix = mix(2)
    let target = (mix.total * 0.3).rounded(.down)
    let daemon = MixPolicy.maxMin.parts(of: target, from: mix)
    let fair = FairSplit().parts(of: target, sizes: mix.caches.map(\.size))
    for (left, right) in zip(daemon, fair) { #expect(abs(left - right) <= 2) }
  }

  @Test(
    "shares of a target go to the others where a cap is reached",
    arguments: [
      (6.0, [3.0, 2, 1]), (12, [6, 4, 2]), (15, [9, 4, 2]), (16, [10, 4, 2]), (0, [0, 0, 0]),
    ] as [(Double, [Double])]
  )
  func fill(target: Double, parts: [Double]) {
    let found = MixPolicy.fill(target, caps: [10, 4, 2], shares: [3, 2, 1])
    #expect(zip(found, parts).allSatisfy { abs($0 - $1) < 1e-9 }, "\(found)")
  }

  @Test("costs count from an eighth of the median to eight times")
  func costs() {
    for number in UInt64(0)..<10 {
      let costs = MixPolicy.relativeCosts(mix(number))
      #expect(costs.allSatisfy { $0 >= 0.125 && $0 <= 8 })
      #expect(costs.contains { $0 >= 1 } && costs.contains { $0 <= 1 })
    }
  }

  @Test("the study has a row for each policy and part, and the order of the splits")
  func study() async throws {
    let study = await MixStudy.run(mixes: 5)
    #expect(study.rows.count == 33)
    #expect(await MixStudy.run(mixes: 5) == study)
    let best = try #require(study.row(.optimum, 0.3))
    #expect(best.loss == 1 && best.lossHigh == 1)
    let cost = try #require(study.row(.vouched, 0.3))
    let plain = try #require(study.row(.maxMin, 0.3))
    let part = try #require(study.row(.proportional, 0.3))
    #expect(cost.loss < plain.loss && plain.loss < part.loss)
    #expect(abs(part.jain - 1) < 1e-9)
    #expect(study.row(.dropAll, 0.1)?.freed ?? 0 > 9)
    #expect(study.row(.optimum, 0.2) == nil)
    #expect(study.lines.count == 12)
    #expect(study.lines[11].hasPrefix("optimum"))
    #expect(study.lines[0].hasPrefix("split") && study.lines[0].hasSuffix("freed/T"))
  }

  @Test(
    "Jain's index is 1 where all are the same and 1/n where one has all",
    arguments: [
      ([2.0, 2, 2], 1.0), ([5, 0, 0, 0], 0.25), ([1, 3], 0.8), ([0, 0], 1),
    ] as [([Double], Double)]
  )
  func index(values: [Double], expected: Double) {
    #expect(abs(jain(values) - expected) < 1e-12)
  }
}

@Suite("Liars and shirkers")
struct LiarTests {
  @Test("whoever declares the highest cost keeps more, and less so within the narrow band")
  func topCost() {
    let mixes = (0..<12).map { CacheMix(number: UInt64($0), library: library) }
    func mean(vouched: Bool, _ lie: Lie) -> Double {
      mixes.enumerated().reduce(0) { sum, mix in
        sum + LiarStudy.once(lie, by: mix.offset % 12, in: mix.element, vouched: vouched) / 12
      }
    }
    #expect(mean(vouched: true, .topCost) > mean(vouched: false, .topCost))
    #expect(mean(vouched: false, .topCost) > 0)
    #expect(mean(vouched: false, .topCost) < 0.3)
    #expect(mean(vouched: true, .hidesHalf) >= 0)
  }

  @Test("after 20 rounds a declaration has gained nothing")
  func manyRounds() {
    let mixes = (0..<24).map { CacheMix(number: UInt64($0), library: library) }
    for lie in Lie.allCases {
      let gain = mixes.enumerated().reduce(0) { sum, mix in
        sum + LiarStudy.manyRounds(lie, by: mix.offset % 12, in: mix.element) / 24
      }
      #expect(gain < 0.05, "\(lie)")
    }
  }

  @Test("the truth about a client that is asked for nothing gains nothing")
  func untouched() {
    let mix = CacheMix(number: 1, library: library)
    let smallest = mix.caches.indices.min { mix.caches[$0].size < mix.caches[$1].size } ?? 0
    #expect(LiarStudy.once(.hidesHalf, by: smallest, in: mix, vouched: false) == 0)
  }

  @Test("the study has every lie with both kinds of cost")
  func study() async {
    let rows = await LiarStudy.run(mixes: 4)
    #expect(rows.map(\.vouched) == [true, true, false, false])
    #expect(rows.map(\.lie) == [.topCost, .hidesHalf, .topCost, .hidesHalf])
    #expect(rows.allSatisfy { $0.gainMost >= $0.gain && $0.afterRounds.isNaN == $0.vouched })
    let lines = LiarStudy.lines(rows)
    #expect(lines.count == 5)
    #expect(lines[1].contains("vouched, 1/8..8") && lines[1].hasSuffix("-"))
  }

  @Test("a round of the bench gives what is wanted, of the largest first")
  func bench() {
    let mebibytes = [800.0, 400, 100]
    var bench = RoundBench(
      mebibytes.map { RoundBench.Client(size: $0 * mebibyte, reclaimable: $0 * mebibyte) }
    )
    #expect(bench.round(100 * mebibyte).map { $0 / mebibyte } == [100, 0, 0])
    #expect(bench.round(500 * mebibyte).map { $0 / mebibyte } == [400, 100, 0])
    #expect(bench.given.map { $0 / mebibyte } == [500, 100, 0])
    #expect(bench.clients.map { $0.size / mebibyte } == [300, 300, 100])
    bench.resize(2, to: 1_000 * mebibyte, reclaimable: 10 * mebibyte)
    let given = bench.round(20 * mebibyte)
    #expect(given[2] == 10 * mebibyte)
    #expect(given.reduce(0, +) >= 20 * mebibyte && given.reduce(0, +) < 21 * mebibyte)
  }

  @Test("one that gives nothing keeps the other from nothing")
  func shirker() {
    var shirker = RoundBench.Client(size: 512 * mebibyte, reclaimable: 512 * mebibyte)
    let honest = shirker
    shirker.fraction = 0
    var bench = RoundBench([shirker, honest])
    let given = bench.round(128 * mebibyte)
    #expect(given[0] == 0)
    #expect(given[1] >= 64 * mebibyte && given[1] <= 129 * mebibyte)
  }

  @Test("over 200 rounds the core spreads the load better than a proportional split")
  func longRun() async {
    let plain = await LongRun.mean(.proportional, seeds: 2)
    let core = await LongRun.mean(.ucmkd, seeds: 2)
    #expect(abs(plain.shirkers - 0.3) < 0.02)
    #expect(plain.jainHonest > 0.98 && core.jainHonest > 0.98)
    #expect(core.jain > plain.jain && core.delivered > plain.delivered)
    #expect(core.shirkers > plain.shirkers)
    #expect(LongRun.run(.ucmkd, seed: 9) == LongRun.run(.ucmkd, seed: 9))
    let lines = await LongRun.lines(seeds: 1)
    #expect(lines.count == 3 && lines[2].hasPrefix("ucmkd"))
  }
}
