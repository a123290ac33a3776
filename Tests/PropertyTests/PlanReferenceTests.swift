// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("The plan against a slow reference")
struct PlanReferenceTests {
  private static let worlds = 25

  @Test("every floor, cap, weight and part is what the definition gives", arguments: coreSeeds)
  func everyPart(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    for step in 0..<Self.worlds {
      var world = random.world()
      if random.chance(50) { world.measureCosts(&random) }
      let target = random.number(below: world.bytes + 2)
      let level = random.pick([.low, .medium, .critical] as [PressureLevel])
      let path: String? = random.pick([nil, nil, "/a", "/a/b", "/nobody"])
      let scope: Scope = path.map { .domain(.cgroup($0)) } ?? .manual
      let plan = world.plan(target, at: level, scope: scope)
      let reference = ReferencePlan(world, target: target, level: level, within: path)
      #expect(plan.medianCost == reference.median, "seed \(seed) step \(step)")
      let found = plan.clients.map(ReferencePlan.Client.init)
      #expect(found == reference.clients, "seed \(seed) step \(step)")
      let capacity = reference.clients.reduce(ByteCount.zero) { $0 + ByteCount($1.cap) }
      #expect(plan.capacity == capacity, "seed \(seed) step \(step)")
    }
  }

  @Test("what a plan shows is enough to compute it again", arguments: coreSeeds)
  func fromInputs(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    for step in 0..<Self.worlds {
      var world = random.world()
      world.measureCosts(&random)
      let plan = world.plan(random.number(below: world.bytes + 2))
      let shown = ShownPlan(plan)
      #expect(shown.problems == [], "seed \(seed) step \(step)")
      for client in plan.clients {
        for cache in client.caches {
          let weight = UInt64(cache.inputs.share) * UInt64(cache.inputs.costBand.parts)
          #expect(cache.inputs.weight == weight, "seed \(seed) step \(step)")
          let cost =
            cache.inputs.refillMicrosecondsPerMiB ?? cache.inputs.costMicrosecondsPerMiB
          let (least, most): (UInt64, UInt64) =
            cache.inputs.isVouched ? (1_250, 80_000) : (5_000, 20_000)
          let median = UInt64(plan.medianCost)
          let parts = median == 0 ? 10_000 : UInt64(cost) * 10_000 / median
          #expect(
            UInt64(cache.inputs.costBand.parts) == min(most, max(least, parts)),
            "seed \(seed) step \(step)"
          )
        }
      }
    }
  }

  @Test("the split agrees with the largest sizes and weights there are", arguments: coreSeeds)
  func hostileSplit(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    for step in 0..<Self.worlds {
      let count = 2 + random.number(below: 20)
      let claims = (0..<count).map { _ in
        let size: UInt64 = random.pick([0, 1, .max, .max - 1, 1 << 63, random.next()])
        let cap = random.chance(50) ? size : random.number(below: max(1, size))
        return Claim(size: size, cap: cap, weight: random.pick([1, 2, 3, UInt64(UInt32.max)]))
      }
      let capacity = claims.reduce(ByteCount.zero) { $0 + ByteCount($1.cap) }
      let instance = SplitInstance(
        target: random.number(below: max(1, capacity.value)),
        claims: claims
      )
      let parties = claims.map {
        ReferencePlan.Party(size: $0.size, cap: $0.cap, weight: $0.weight)
      }
      #expect(
        instance.solved() == ReferencePlan.split(instance.target, over: parties),
        "seed \(seed) step \(step)"
      )
    }
  }

  @Test("a plan over caches of absurd size stays exact and within every cap", arguments: coreSeeds)
  func hostileWorld(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    for step in 0..<Self.worlds {
      let world = PlanWorld.random(&random, hostile: true)
      let target = random.pick([0, 1, random.next(), .max])
      let plan = world.plan(target, at: random.pick([.low, .medium, .critical]))
      #expect(plan.part == min(plan.target, plan.capacity), "seed \(seed) step \(step)")
      let sum = plan.clients.reduce(ByteCount.zero) { $0 + $1.part }
      #expect(sum == plan.part, "seed \(seed) step \(step)")
      for client in plan.clients {
        #expect(client.part <= client.cap, "seed \(seed) step \(step)")
        let caches = client.caches.reduce(ByteCount.zero) { $0 + $1.part }
        #expect(caches == client.part, "seed \(seed) step \(step)")
        #expect(client.caches.allSatisfy { $0.part <= $0.inputs.cap }, "seed \(seed) step \(step)")
      }
    }
  }

  @Test("a round asks what the plan showed, rounded up to whole pages", arguments: coreSeeds)
  func roundFollowsPlan(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    for step in 0..<Self.worlds {
      let world = random.world()
      let target = random.number(below: world.bytes + 2)
      let plan = world.plan(target)
      var broker = world.broker()
      let request = RoundRequest(
        bytes: ByteCount(target),
        level: .medium,
        scope: .manual,
        dryRun: false
      )
      let now = MonotonicInstant(nanoseconds: 5)
      let effects = broker.handle(.requested(RequestToken(1), request), at: now)
      var asked: [[ByteCount]] = []
      for case .ask(let order) in effects {
        asked.append(broker.targets[order.targets].map(\.bytes))
      }
      let shown = plan.clients.map { client in client.caches.map(\.asked).filter { $0 > .zero } }
      #expect(asked == shown.filter { !$0.isEmpty }, "seed \(seed) step \(step)")
      #expect(broker.round(RoundID(1))?.part == plan.part, "seed \(seed) step \(step)")
    }
  }

  @Test("the reference computes as everybody does", arguments: coreSeeds)
  func naturals(seed: UInt64) {
    var random = CoreRandom(seed: seed)
    for _ in 0..<200 {
      let (left, right) = (random.next() >> random.number(below: 64), random.next())
      let divisor = max(1, random.next() >> random.number(below: 64))
      let product = BigNatural(left) * BigNatural(right)
      let wide = UInt128(left) * UInt128(right)
      let (quotient, rest) = product.divided(by: divisor)
      #expect(quotient * BigNatural(divisor) + BigNatural(rest) == product)
      #expect(UInt128(rest) == wide % UInt128(divisor))
      #expect((product + BigNatural(left)) - product == BigNatural(left))
      #expect((BigNatural(left) < BigNatural(right)) == (left < right))
    }
  }
}

extension ReferencePlan.Client {
  /// What of a shown client the reference computes as well.
  init(_ quota: ClientQuota) {
    self.init(
      id: quota.client.ordinal,
      cap: quota.cap.value,
      weight: quota.weight,
      part: quota.part.value,
      caches: quota.caches.map { cache in
        ReferencePlan.Cache(
          id: cache.id.number,
          floor: cache.inputs.floor.value,
          cap: cache.inputs.cap.value,
          weight: cache.inputs.weight,
          part: cache.part.value
        )
      }
    )
  }
}
