// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// Clients as they say of themselves, and what an administrator says of them.
struct PlanWorld {
  struct Cache {
    var declaration: CacheDeclaration
    var override: CacheOverride?
  }

  struct Client {
    var facts: ClientFacts
    var caches: [Cache]
    /// Whether what it says agrees with what was seen of it in earlier rounds.
    var isSeen = false
  }

  var clients: [Client]

  /// All bytes of all caches.
  var bytes: UInt64 {
    clients.reduce(0) { $0 + $1.caches.reduce(0) { $0 + $1.declaration.usage.bytes.value } }
  }

  /// 1…12 clients of up to five caches, with floors and overrides of every kind.
  static func random(_ random: inout CoreRandom, hostile: Bool = false) -> PlanWorld {
    PlanWorld(
      clients: (0...random.number(below: 11)).map { number in
        let facts = ClientFacts(
          name: "client",
          process: ProcessID(Int32(number) + 1),
          user: 1,
          cgroup: random.pick([nil, "/a", "/a/b"]),
          grantedShare: random.pick([1, 50, 100, 100, 250, 10_000]),
          grantedFloor: random.chance(70) ? .zero : ByteCount(random.number(below: 1 << 32))
        )
        let caches = (0..<random.number(below: 6)).map { _ in
          Cache.random(&random, hostile: hostile)
        }
        return Client(facts: facts, caches: caches)
      }
    )
  }

  /// Clients of 1…4 equally dear caches, without floors and cgroups: what the laws of division
  /// speak of.
  static func plain(_ random: inout CoreRandom) -> PlanWorld {
    var world = random.world()
    for client in world.clients.indices {
      world.clients[client].facts.grantedFloor = .zero
      world.clients[client].facts.cgroup = nil
      for cache in world.clients[client].caches.indices {
        world.clients[client].caches[cache].declaration.floor = .zero
        world.clients[client].caches[cache].declaration.costMicrosecondsPerMiB = 10_000
        world.clients[client].caches[cache].override?.floor = nil
      }
    }
    return world
  }

  /// Has some clients measure what refills cost, and some of them be known for what they say.
  mutating func measureCosts(_ random: inout CoreRandom) {
    for client in clients.indices {
      clients[client].isSeen = random.chance(50)
      for cache in clients[client].caches.indices where random.chance(50) {
        let cost: UInt32 = random.pick([0, 1, 900, 10_000, 40_000, 1_000_000, .max])
        clients[client].caches[cache].declaration.usage.refillMicrosecondsPerMiB = cost
      }
    }
  }

  /// A broker that was told all this.
  func broker() -> Broker {
    var broker = Broker()
    let start = MonotonicInstant(nanoseconds: 0)
    _ = broker.handle(.configured(Configuration()), at: start)
    for (number, client) in clients.enumerated() {
      let id = ClientID(UInt64(number) + 1)
      _ = broker.handle(.joined(id, client.facts), at: start)
      if client.isSeen {
        var memory = RememberedBehaviour.blank
        memory.measuredRounds = 3
        _ = broker.handle(.remembered(id, memory), at: start)
      }
      for (place, cache) in client.caches.enumerated() {
        let name = CacheID(UInt32(place) + 1)
        _ = broker.handle(.registered(id, name, cache.declaration), at: start)
        if let override = cache.override {
          _ = broker.handle(.overridden(id, name, override), at: start)
        }
      }
    }
    return broker
  }

  /// What the broker would ask for.
  func plan(
    _ target: UInt64,
    at level: PressureLevel = .medium,
    scope: Scope = .manual
  ) -> PlanView {
    broker().plan(
      RoundRequest(bytes: ByteCount(target), level: level, scope: scope, dryRun: false)
    )
  }

  /// The parts of all clients, zero for those that give nothing.
  func parts(_ target: UInt64, at level: PressureLevel = .medium) -> [UInt64] {
    var parts = [UInt64](repeating: 0, count: clients.count)
    for client in plan(target, at: level).clients {
      parts[Int(client.client.ordinal) - 1] = client.part.value
    }
    return parts
  }
}

extension PlanWorld.Cache {
  static func random(_ random: inout CoreRandom, hostile: Bool) -> PlanWorld.Cache {
    let bytes = hostile && random.chance(30) ? UInt64.max : random.number(below: 1 << 33)
    let floor = random.chance(50) ? 0 : random.number(below: 1 << 32)
    let declaration = CacheDeclaration(
      name: "cache",
      share: random.pick([0, 1, 33, 100, 100, .max]),
      floor: ByteCount(floor),
      costMicrosecondsPerMiB: random.pick([0, 1, 5_000, 10_000, 10_000, 40_000, .max]),
      minimumLevel: random.pick([.low, .low, .low, .medium, .critical]),
      release: random.pick([.sync, .sync, .slow, .gc]),
      usage: CacheUsage(
        bytes: ByteCount(bytes),
        reclaimable: ByteCount(random.chance(70) ? bytes : random.number(below: 1 << 33))
      )
    )
    guard random.chance(25) else { return PlanWorld.Cache(declaration: declaration) }
    let override = CacheOverride(
      share: random.chance(50) ? random.pick([0, 1, 500, 10_000, .max]) : nil,
      floor: random.chance(50) ? ByteCount(random.number(below: 1 << 33)) : nil,
      minimumLevel: random.chance(40) ? random.pick([.low, .medium, .critical]) : nil
    )
    return PlanWorld.Cache(declaration: declaration, override: override)
  }
}

extension CoreRandom {
  /// Up to twelve clients of modest size.
  mutating func world() -> PlanWorld { PlanWorld.random(&self) }
}
