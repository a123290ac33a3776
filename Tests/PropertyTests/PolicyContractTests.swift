// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// What every rule of division promises, whichever it is.
@Suite("Every rule of division")
struct PolicyContractTests {
  private static let cases = QuotaRule.allCases.flatMap { rule in
    coreSeeds.map { (rule: rule, seed: $0) }
  }

  /// A split by a rule, of claims with everything that any rule looks at.
  private func instance(_ random: inout CoreRandom) -> SplitInstance {
    var instance = SplitInstance.random(&random)
    for index in instance.claims.indices {
      let cap = instance.claims[index].cap
      instance.claims[index].cold = random.chance(50) ? 0 : random.number(below: cap + 1)
      instance.claims[index].deferred = random.chance(50) ? 0 : random.number(below: cap + 1)
      instance.claims[index].cost = random.pick([1_250, 5_000, 10_000, 10_000, 80_000])
      instance.claims[index].weight = 100 * random.pick([1_250, 5_000, 10_000, 80_000])
    }
    return instance
  }

  @Test(
    "gives min(target, capacity) to the byte, within every cap, and always the same",
    arguments: cases
  )
  func contract(rule: QuotaRule, seed: UInt64) {
    var random = CoreRandom(seed: seed)
    var solver = QuotaSolver()
    for number in 0..<400 {
      let instance = instance(&random)
      var claims = instance.claims
      let given = solver.split(instance.target, by: rule, over: &claims, in: 0..<claims.count)
      var again = instance.claims
      var fresh = QuotaSolver()
      _ = fresh.split(instance.target, by: rule, over: &again, in: 0..<again.count)
      let holds =
        given == min(instance.target, instance.capacity)
        && claims.reduce(0) { $0 + $1.part } == given
        && claims.allSatisfy { $0.part <= $0.cap } && claims == again
      if !holds {
        Issue.record("\(rule.name), seed \(seed), instance \(number): \(instance)")
        return
      }
    }
  }

  @Test("bears the largest numbers there are", arguments: cases)
  func hostile(rule: QuotaRule, seed: UInt64) {
    var random = CoreRandom(seed: seed)
    var solver = QuotaSolver()
    for _ in 0..<100 {
      var claims = (0..<random.number(below: 20)).map { _ -> Claim in
        let size: UInt64 = random.pick([0, 1, 1 << 63, .max - 1, .max, random.next()])
        let cap = random.pick([size, size / 2, 0])
        return Claim(
          size: size,
          cap: cap,
          weight: random.pick([1, 49, 1_000_000, 800_000_000]),
          cold: random.pick([0, cap, cap / 3]),
          deferred: random.pick([0, .max]),
          cost: random.pick([0, 80_000])
        )
      }
      let capacity = claims.reduce(UInt128(0)) { $0 + UInt128($1.cap) }
      let target = random.pick([0, 1, 1 << 63, .max, random.next()])
      let given = solver.split(target, by: rule, over: &claims, in: 0..<claims.count)
      let sum = claims.reduce(UInt128(0)) { $0 + UInt128($1.part) }
      #expect(UInt128(given) == min(UInt128(target), capacity), "seed \(seed)")
      #expect(sum == UInt128(given), "seed \(seed)")
      #expect(claims.allSatisfy { $0.part <= $0.cap }, "seed \(seed)")
    }
  }

  @Test("adds up at every cgroup of a tree, and keeps what the kernel keeps", arguments: cases)
  func trees(rule: QuotaRule, seed: UInt64) {
    var random = CoreRandom(seed: seed)
    // Times eight seeds and four rules: two thousand trees and more.
    for number in 0..<64 {
      var world = random.world()
      for index in world.clients.indices {
        let depth = Int(random.number(below: 4))
        let path = (0..<depth).map { _ in "/" + random.pick(["a", "b", "c"]) }.joined()
        world.clients[index].facts.cgroup = path.isEmpty ? nil : path
        world.clients[index].facts.process = ProcessID(Int32(random.number(below: 8)) + 1)
      }
      var broker = world.broker()
      let start = MonotonicInstant(nanoseconds: 0)
      var settings = Configuration()
      settings.quota = rule
      _ = broker.handle(.configured(settings), at: start)
      for group in broker.cgroups where random.chance(40) {
        let protection = CgroupProtection(
          low: ByteCount(random.number(below: 1 << 34)),
          min: ByteCount(random.number(below: 1 << 33))
        )
        _ = broker.handle(.protected(group.path, protection), at: start)
      }
      let request = RoundRequest(
        bytes: ByteCount(random.number(below: world.bytes + 9)),
        level: random.pick([.low, .medium, .critical]),
        scope: .manual,
        dryRun: true
      )
      let plan = broker.plan(request)
      let problems = rule == .levelDown ? ShownPlan(plan).problems : sums(of: plan)
      if !(problems + kept(plan, broker)).isEmpty {
        Issue.record("\(rule.name), seed \(seed), tree \(number): \(problems)")
        return
      }
    }
  }

  /// Whatever does not add up.
  private func sums(of plan: PlanView) -> [String] {
    var problems: [String] = []
    let whole = plan.clients.reduce(ByteCount.zero) { $0 + $1.part }
    if whole != plan.part || plan.part != min(plan.target, plan.capacity) {
      problems.append("the whole")
    }
    for client in plan.clients {
      let caches = client.caches.reduce(ByteCount.zero) { $0 + $1.part }
      if caches != client.part || client.part > client.cap { problems.append(client.client.name) }
      for node in client.path where node.part > node.cap { problems.append("\(node.holder)") }
    }
    return problems
  }

  /// Cgroups that would be asked for what the kernel keeps.
  private func kept(_ plan: PlanView, _ broker: Broker) -> [String] {
    broker.cgroups.filter { group in
      var given = ByteCount.zero
      for client in plan.clients where DomainID.cgroup(group.path).contains(cgroup: client.cgroup) {
        given += client.part
      }
      var held = ByteCount.zero
      for client in broker.clients(after: nil, count: .max, where: { _ in true })
      where DomainID.cgroup(group.path).contains(cgroup: client.facts.cgroup) {
        held += client.caches.reduce(ByteCount.zero) { $0 + $1.declaration.usage.bytes }
      }
      let low = max(group.protection.low, group.protection.min)
      return given > held - (plan.level == .critical ? group.protection.min : low)
    }.map { "\($0.path) is kept" }
  }
}
