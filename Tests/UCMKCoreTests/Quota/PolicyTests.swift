// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

private func split(_ rule: QuotaRule, _ target: UInt64, _ claims: [Claim]) -> [UInt64] {
  var solver = QuotaSolver()
  var claims = claims
  _ = solver.split(target, by: rule, over: &claims, in: 0..<claims.count)
  return claims.map(\.part)
}

@Suite("The law of the kernel's shrinkers")
struct ShrinkerLawTests {
  /// Worked by hand from `do_shrink_slab` in `mm/shrinker.c`.
  @Test(
    "scans what mm/shrinker.c scans",
    arguments: [
      // freeable, seeks, deferred, priority: delta, total
      (1_000_000, 2, 0, 12, 488, 488), (1_000_000, 2, 0, 0, 2_000_000, 2_000_000),
      (1_000_000, 1, 0, 12, 976, 976), (1_000_000, 8, 0, 12, 122, 122),
      (1_000_000, 0, 0, 12, 500_000, 500_000), (4_095, 2, 0, 12, 0, 0),
      (1_000_000, 2, 409_600, 12, 488, 588), (1_000, 2, 1_000_000, 4, 124, 2_000),
      (1_000, 2, 100, 0, 2_000, 2_000), (0, 2, 50, 0, 0, 0), (7, 0, 0, 12, 3, 3),
    ] as [(UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)]
  )
  func golden(
    freeable: UInt64,
    seeks: UInt64,
    deferred: UInt64,
    priority: UInt64,
    delta: UInt64,
    total: UInt64
  ) {
    let law = ShrinkerLaw(freeable: freeable, seeks: seeks * 10_000, deferred: deferred)
    #expect(law.delta(priority) == delta)
    #expect(law.total(priority) == total)
  }

  @Test("defers what was not scanned, at most twice what is freeable")
  func deferred() {
    let law = ShrinkerLaw(freeable: 1_000_000, deferred: 409_600)
    // 588 wanted: four batches of 128 are scanned, 76 are too few.
    #expect(law.rest(after: 512, 12) == 409_576)
    #expect(law.rest(after: 588, 12) == 409_500)
    #expect(ShrinkerLaw(freeable: 100, deferred: 1_000).rest(after: 0, 0) == 200)
    #expect(ShrinkerLaw(freeable: 100, deferred: 10).rest(after: 500, 0) == 0)
    #expect(ShrinkerLaw(freeable: .max, deferred: .max).rest(after: 0, 0) == .max)
  }

  @Test("asks the dear one for less, and spares nobody in the end")
  func split() {
    let claims = [
      Claim(size: 1 << 30, cap: 1 << 30, weight: 1_000_000),
      Claim(size: 1 << 30, cap: 1 << 30, weight: 2_000_000),
    ]
    let parts = UCMKCoreTests.split(.kernel, 3 << 16, claims)
    #expect(parts == [2 << 16, 1 << 16])
    #expect(UCMKCoreTests.split(.kernel, 2 << 30, claims) == [1 << 30, 1 << 30])
    #expect(UCMKCoreTests.split(.kernel, 0, claims) == [0, 0])
  }

  @Test("asks whoever still owes something for more")
  func owing() {
    var claims = [Claim](repeating: Claim(size: 1 << 24, cap: 1 << 24, weight: 1_000_000), count: 2)
    claims[0].deferred = 1 << 24
    #expect(UCMKCoreTests.split(.kernel, 8_192, claims) == [4_915, 3_277].map { $0 as UInt64 })
  }
}

@Suite("The proportional rule")
struct ProportionalPolicyTests {
  @Test("takes the same fraction of everybody")
  func fraction() {
    let claims = [
      Claim(size: 100, cap: 100, weight: 1), Claim(size: 900, cap: 60, weight: 9),
      Claim(size: 40, cap: 40, weight: 1), Claim(size: 40, cap: 0, weight: 1),
    ]
    #expect(split(.proportional, 100, claims) == [50, 30, 20, 0])
    #expect(split(.proportional, 500, claims) == [100, 60, 40, 0])
    #expect(split(.proportional, 0, claims) == [0, 0, 0, 0])
  }

  @Test("gives odd bytes to the largest remainders, the earlier first")
  func remainders() {
    let equal = [Claim](repeating: Claim(size: 10, cap: 10, weight: 1), count: 3)
    #expect(split(.proportional, 4, equal) == [2, 1, 1])
    #expect(split(.proportional, 5, equal) == [2, 2, 1])
  }
}

@Suite("The band")
struct BandPolicyTests {
  private let claims = [
    Claim(size: 100, cap: 100, weight: 1, cost: 3), Claim(size: 100, cap: 100, weight: 1, cost: 1),
    Claim(size: 100, cap: 100, weight: 1, cost: 2),
  ]

  @Test("moves half of the fair part to whoever is cheapest, and no more")
  func cheapest() {
    #expect(split(.band, 120, claims) == [20, 60, 40])
    #expect(split(.band, 0, claims) == [0, 0, 0])
    #expect(split(.band, 300, claims) == [100, 100, 100])
  }

  @Test("stops at a cap")
  func caps() {
    var capped = claims
    capped[1].cap = 45
    #expect(split(.band, 120, capped) == [20, 45, 55])
  }

  @Test("costs no more than the fair split, whatever the numbers")
  func cost() {
    var number: UInt64 = 1
    for _ in 0..<200 {
      let claims = (0..<6).map { _ -> Claim in
        number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let size = 1 + number >> 44
        return Claim(size: size, cap: size / 2, weight: 1 + number % 7, cost: number >> 20 % 50)
      }
      let target = claims.reduce(0) { $0 + $1.cap } / 3
      let fair = split(.levelDown, target, claims)
      let band = split(.band, target, claims)
      let costs = [fair, band].map { parts in
        zip(parts, claims).reduce(0) { $0 + $1.0 * $1.1.cost }
      }
      #expect(costs[1] <= costs[0])
      #expect(zip(band, fair).allSatisfy { $0 <= $1 + $1 / 2 && $0 + $1 / 2 >= $1 })
    }
  }
}

@Suite("The chosen rule")
struct ChosenRuleTests {
  /// Three clients of which one is dear, and a round by a rule.
  private func round(_ rule: QuotaRule) -> RoundView {
    var stage = Stage()
    var settings = Configuration()
    settings.quota = rule
    _ = stage.send(.configured(settings))
    stage.join(1, [100])
    stage.join(2, [300])
    stage.join(3, [200], cost: 40_000)
    _ = stage.ask(120)
    return stage.round(1)
  }

  @Test(
    "decides a round, and is shown with it",
    arguments: [
      (.levelDown, [0, 120, 0]), (.proportional, [20, 60, 40]), (.band, [0, 115, 5]),
    ] as [(QuotaRule, [UInt64])]
  )
  func decides(rule: QuotaRule, mebibytes: [UInt64]) {
    let round = round(rule)
    #expect(round.rule == rule)
    var parts: [UInt64] = [0, 0, 0]
    for client in round.clients {
      parts[Int(client.client.ordinal) - 1] = client.part.value >> 20
    }
    #expect(parts == mebibytes)
    #expect(round.part == .mebibytes(120))
  }

  @Test("may be that of the kernel")
  func kernel() {
    var stage = Stage()
    var settings = Configuration()
    settings.quota = .kernel
    _ = stage.send(.configured(settings))
    stage.join(1, [100])
    stage.join(2, [300])
    stage.join(3, [200], cost: 40_000)
    let request = RoundRequest(
      bytes: ByteCount(250_000),
      level: .medium,
      scope: .manual,
      dryRun: true
    )
    // At priority 12 it wants 2 · cap / 4,096 of the first two and half as much of the dear one.
    #expect(stage.broker.plan(request).clients.map(\.part.value) == [50_000, 150_000, 50_000])
  }

  @Test("is named as in the settings")
  func names() {
    #expect(QuotaRule.allCases.map(\.name) == ["level-down", "proportional", "kernel", "band"])
  }
}

@Suite("A cost that somebody vouches for")
struct VouchedCostTests {
  @Test(
    "counts from an eighth to eight times",
    arguments: [
      (0, 1_250), (50, 5_000), (100, 10_000), (700, 70_000), (1_000_000_000, 80_000),
    ] as [(UInt32, UInt32)]
  )
  func band(cost: UInt32, parts: UInt32) {
    #expect(CostBand.band(of: cost, median: 100, isVouched: true) == Permyriad(parts))
  }

  @Test("weighs more in the plan")
  func plan() {
    var stage = Stage()
    stage.join(1, [100], cost: 10_000)
    stage.join(2, [100], cost: 80_000)
    let request = RoundRequest(bytes: .mebibytes(60), level: .medium, scope: .manual, dryRun: true)
    #expect(
      stage.broker.plan(request).clients.map(\.caches[0].inputs.weight) == [1_000_000, 2_000_000]
    )
    var memory = RememberedBehaviour.blank
    memory.measuredRounds = 3
    _ = stage.send(.remembered(ClientID(2), memory))
    // What is only declared is not vouched for, whoever declares it.
    #expect(
      stage.broker.plan(request).clients.map(\.caches[0].inputs.weight) == [1_000_000, 2_000_000]
    )
    var usage = CacheUsage.mebibytes(100)
    usage.refillMicrosecondsPerMiB = 80_000
    _ = stage.send(.reported(ClientID(2), CacheID(1), usage))
    let plan = stage.broker.plan(request)
    #expect(plan.clients.map(\.caches[0].inputs.weight) == [1_000_000, 8_000_000])
    #expect(plan.clients.map(\.caches[0].inputs.isVouched) == [false, true])
    #expect(plan.clients.map(\.caches[0].inputs.refillMicrosecondsPerMiB) == [nil, 80_000])
  }

  @Test("measured by a client of which nothing was seen, it counts in the narrow band")
  func unseen() {
    var stage = Stage()
    stage.join(1, [100], cost: 10_000)
    stage.join(2, [100], cost: 10_000)
    var usage = CacheUsage.mebibytes(100)
    usage.refillMicrosecondsPerMiB = 80_000
    _ = stage.send(.reported(ClientID(2), CacheID(1), usage))
    let request = RoundRequest(bytes: .mebibytes(60), level: .medium, scope: .manual, dryRun: true)
    let plan = stage.broker.plan(request)
    #expect(plan.clients.map(\.caches[0].inputs.weight) == [1_000_000, 2_000_000])
    #expect(plan.clients.map(\.caches[0].inputs.isVouched) == [false, false])
    // A measured cost takes the declared one's place in the median as well.
    usage.refillMicrosecondsPerMiB = 5_000
    _ = stage.send(.reported(ClientID(2), CacheID(1), usage))
    #expect(stage.broker.plan(request).medianCost == 5_000)
  }
}

@Suite("Whom a round does not wake")
struct LeftOutTests {
  private func plan(
    _ sizes: [UInt64],
    _ target: UInt64,
    _ level: PressureLevel,
    isBounded: Bool = true
  ) -> (QuotaPlanner, ByteCount, ByteCount) {
    var registry = ClientRegistry()
    for (number, size) in sizes.enumerated() {
      let facts = ClientFacts.plain(UInt64(number) + 1)
      let place = registry.add(ClientAccount(id: ClientID(UInt64(number) + 1), facts: facts))
      let usage = CacheUsage(bytes: .kibibytes(size), reclaimable: .kibibytes(size))
      let declaration = CacheDeclaration(name: "cache", usage: usage)
      registry.addCache(CacheAccount(id: CacheID(1), declaration: declaration), at: place)
    }
    var planner = QuotaPlanner()
    let terms = QuotaTerms(
      target: .kibibytes(target),
      level: level,
      members: Membership(scope: .manual, byPath: true),
      now: MonotonicInstant(nanoseconds: 0),
      isBounded: isBounded
    )
    let (capacity, part) = planner.plan(terms, over: registry)
    return (planner, capacity, part)
  }

  @Test("at low all but the 64 largest quotas, above low nobody")
  func herd() {
    let sizes = (0..<100).map { 1_024 + UInt64($0) }
    let (low, capacity, part) = plan(sizes, 50_000, .low)
    #expect(low.claims.count { $0.part > 0 } == 64)
    #expect(part == .kibibytes(50_000))
    #expect(capacity == .kibibytes(sizes.suffix(64).reduce(0, +)))
    #expect(low.clients.prefix(36).allSatisfy { $0.isLeftOut && $0.deferred > .zero })
    #expect(low.clients.suffix(64).allSatisfy { !$0.isLeftOut && $0.deferred == .zero })
    #expect(plan(sizes, 50_000, .medium).0.claims.count { $0.part > 0 } == 100)
    #expect(plan(sizes, 50_000, .low, isBounded: false).0.claims.count { $0.part > 0 } == 100)
  }

  @Test("quotas below 256 KiB, the smaller half of them at a time")
  func small() {
    let (planner, capacity, part) = plan([1_000, 700, 600, 500], 900, .medium)
    // Fair would be 525, 225, 125 and 25 KiB: of the three small ones two go.
    #expect(part == .kibibytes(900))
    #expect(planner.claims.allSatisfy { $0.part == 0 || $0.part >= 256 << 10 })
    let fair = planner.clients.reduce(ByteCount.zero) { $0 + $1.fair }
    #expect(fair == part)
    #expect(planner.clients.map(\.isLeftOut) == [false, false, true, true])
    #expect(planner.clients[2].deferred > .zero)
    #expect(capacity == .kibibytes(1_700))
  }

  @Test("but nobody whose room is needed")
  func needed() {
    let (planner, capacity, part) = plan([100, 100, 100], 300, .medium)
    #expect(planner.claims.map(\.part) == [100 << 10, 100 << 10, 100 << 10])
    #expect(capacity == part)
    #expect(plan([100, 100, 100], 200, .medium).2 == .kibibytes(200))
  }
}
