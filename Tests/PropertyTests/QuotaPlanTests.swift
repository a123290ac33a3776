// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// The laws of the whole plan: over clients, then over the caches of each.
@Suite("The plan")
struct QuotaPlanTests {
  private static let instances = 60

  /// Clients with caches of random size, cost, share and floor.
  private func clients(_ random: inout CoreRandom) -> [[CacheDeclaration]] {
    (0...random.number(below: 11)).map { _ in
      (0..<random.number(below: 5)).map { _ in
        let bytes = ByteCount(random.number(below: 1 << 32))
        return CacheDeclaration(
          name: "cache",
          share: 1 + UInt32(random.number(below: 100)),
          floor: random.chance(60) ? .zero : ByteCount(random.number(below: 1 << 31)),
          costMicrosecondsPerMiB: UInt32(random.pick([0, 5_000, 10_000, 10_000, 40_000])),
          minimumLevel: random.pick([.low, .low, .low, .medium]),
          usage: CacheUsage(
            bytes: bytes,
            reclaimable: random.chance(70) ? bytes : ByteCount(random.number(below: 1 << 32))
          )
        )
      }
    }
  }

  private func registry(_ clients: [[CacheDeclaration]]) -> ClientRegistry {
    var registry = ClientRegistry()
    for (place, caches) in clients.enumerated() {
      let facts = ClientFacts(
        name: "client",
        process: ProcessID(Int32(place)),
        user: 1,
        cgroup: nil
      )
      let index = registry.add(ClientAccount(id: ClientID(UInt64(place) + 1), facts: facts))
      for (number, declaration) in caches.enumerated() {
        let id = CacheID(UInt32(number) + 1)
        registry.addCache(CacheAccount(id: id, declaration: declaration), at: index)
      }
    }
    return registry
  }

  private func terms(_ target: UInt64, _ level: PressureLevel = .medium) -> QuotaTerms {
    QuotaTerms(
      target: ByteCount(target),
      level: level,
      members: Membership(scope: .manual, byPath: true),
      now: MonotonicInstant(nanoseconds: 0)
    )
  }

  /// The parts of all clients, zero for those that do not take part.
  private func parts(of planner: QuotaPlanner, count: Int) -> [UInt64] {
    var parts = [UInt64](repeating: 0, count: count)
    for (client, claim) in zip(planner.clients, planner.claims) {
      parts[client.account] = claim.part
    }
    return parts
  }

  private func forAll(
    _ seed: UInt64,
    _ body: ([[CacheDeclaration]], UInt64, inout CoreRandom) -> Void
  ) {
    var random = CoreRandom(seed: seed)
    for _ in 0..<Self.instances {
      let clients = clients(&random)
      let sum = clients.joined().reduce(UInt64(1)) { $0 + $1.usage.bytes.value }
      body(clients, random.number(below: sum), &random)
    }
  }

  @Test("adds up to min(target, capacity) over clients and over caches", arguments: coreSeeds)
  func exact(seed: UInt64) {
    forAll(seed) { clients, target, random in
      let level = random.pick([.low, .medium, .critical] as [PressureLevel])
      var planner = QuotaPlanner()
      let (capacity, part) = planner.plan(terms(target, level), over: registry(clients))
      #expect(part == min(ByteCount(target), capacity), "seed \(seed)")
      #expect(planner.claims.reduce(0) { $0 + $1.part } == part.value, "seed \(seed)")
      for (client, claim) in zip(planner.clients, planner.claims) {
        let caches = planner.cacheClaims[client.caches]
        #expect(caches.reduce(0) { $0 + $1.part } == claim.part, "seed \(seed)")
        #expect(caches.allSatisfy { $0.part <= $0.cap }, "seed \(seed)")
        #expect(caches.reduce(0) { $0 + $1.cap } == claim.cap, "seed \(seed)")
      }
    }
  }

  @Test("leaves no envy among clients, nor among the caches of one", arguments: coreSeeds)
  func noEnvy(seed: UInt64) {
    forAll(seed) { clients, target, _ in
      var planner = QuotaPlanner()
      _ = planner.plan(terms(target), over: registry(clients))
      #expect(!hasJustifiedEnvy(planner.claims, planner.claims.map(\.part)), "seed \(seed)")
      for client in planner.clients {
        let caches = Array(planner.cacheClaims[client.caches])
        #expect(!hasJustifiedEnvy(caches, caches.map(\.part)), "seed \(seed)")
      }
    }
  }

  @Test("takes no more of anybody when less is wanted", arguments: coreSeeds)
  func monotone(seed: UInt64) {
    forAll(seed) { clients, target, random in
      var planner = QuotaPlanner()
      _ = planner.plan(terms(target), over: registry(clients))
      let all = parts(of: planner, count: clients.count)
      _ = planner.plan(terms(random.number(below: target + 1)), over: registry(clients))
      let fewer = parts(of: planner, count: clients.count)
      #expect(zip(fewer, all).allSatisfy { $0 <= $1 + 1 }, "seed \(seed)")
    }
  }

  @Test("does not care in which order clients came", arguments: coreSeeds)
  func anonymity(seed: UInt64) {
    forAll(seed) { clients, target, random in
      let order = clients.indices.shuffled(using: &random)
      var planner = QuotaPlanner()
      _ = planner.plan(terms(target), over: registry(clients))
      let before = parts(of: planner, count: clients.count)
      _ = planner.plan(terms(target), over: registry(order.map { clients[$0] }))
      let after = parts(of: planner, count: clients.count)
      for (place, part) in after.enumerated() {
        #expect(isClose(part, before[order[place]], within: 1), "seed \(seed)")
      }
    }
  }

  @Test("a cache cut into two equal ones changes nothing for its client", arguments: coreSeeds)
  func cutting(seed: UInt64) {
    forAll(seed) { clients, target, _ in
      // Same cost everywhere, or cutting a cache would move the median.
      var whole = clients
      for client in whole.indices {
        for cache in whole[client].indices {
          whole[client][cache].costMicrosecondsPerMiB = 10_000
          whole[client][cache].floor = .zero
          let bytes = whole[client][cache].usage.bytes.value / 2 * 2
          whole[client][cache].usage = CacheUsage(
            bytes: ByteCount(bytes),
            reclaimable: ByteCount(bytes)
          )
        }
      }
      guard let first = whole.first?.first else { return }
      var cut = whole
      var half = first
      half.usage = CacheUsage(
        bytes: ByteCount(first.usage.bytes.value / 2),
        reclaimable: ByteCount(first.usage.bytes.value / 2)
      )
      cut[0][0] = half
      cut[0].append(half)
      var planner = QuotaPlanner()
      _ = planner.plan(terms(target), over: registry(whole))
      let before = parts(of: planner, count: whole.count)
      _ = planner.plan(terms(target), over: registry(cut))
      #expect(parts(of: planner, count: cut.count) == before, "seed \(seed)")
    }
  }

  @Test("takes in two rounds what it takes in one, where floors do not move", arguments: coreSeeds)
  func composition(seed: UInt64) {
    forAll(seed) { clients, target, random in
      // One cache each: the mean weight of a client's caches moves with their sizes.
      let single = clients.compactMap { caches -> [CacheDeclaration]? in
        guard var cache = caches.first else { return nil }
        cache.floor = .zero
        cache.costMicrosecondsPerMiB = 10_000
        return [cache]
      }
      var planner = QuotaPlanner()
      let (_, whole) = planner.plan(terms(target), over: registry(single))
      let atOnce = parts(of: planner, count: single.count)
      let first = random.number(below: whole.value + 1)
      _ = planner.plan(terms(first), over: registry(single))
      let before = parts(of: planner, count: single.count)
      var rest = single
      for index in rest.indices {
        let usage = rest[index][0].usage
        rest[index][0].usage = CacheUsage(
          bytes: usage.bytes - ByteCount(before[index]),
          reclaimable: usage.reclaimable - ByteCount(before[index])
        )
      }
      _ = planner.plan(terms(whole.value - first), over: registry(rest))
      let after = parts(of: planner, count: single.count)
      for index in single.indices {
        #expect(isClose(before[index] + after[index], atOnce[index], within: 2), "seed \(seed)")
      }
    }
  }

  @Test("honours floors below critical", arguments: coreSeeds)
  func floors(seed: UInt64) {
    forAll(seed) { clients, _, _ in
      var planner = QuotaPlanner()
      _ = planner.plan(terms(.max), over: registry(clients))
      for (client, _) in zip(planner.clients, planner.claims) {
        for cache in client.caches {
          let declared = clients[client.account][planner.caches[cache].index]
          let bounded = min(declared.floor.value, declared.usage.bytes.value / 4)
          let kept = declared.usage.bytes.value - planner.cacheClaims[cache].part
          #expect(kept >= bounded, "seed \(seed)")
        }
      }
    }
  }
}
