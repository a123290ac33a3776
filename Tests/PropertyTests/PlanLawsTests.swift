// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// The laws that hold for the split alone, on whole plans: several caches a client, administrators'
/// shares, levels and kinds of release among them.
@Suite("The laws of the whole plan")
struct PlanLawsTests {
  private func forAll(
    _ seed: UInt64,
    plain: Bool = true,
    _ body: (PlanWorld, UInt64, inout CoreRandom) -> Void
  ) {
    var random = CoreRandom(seed: seed)
    for _ in 0..<25 {
      let world = plain ? PlanWorld.plain(&random) : random.world()
      body(world, random.number(below: world.bytes + 1), &random)
    }
  }

  @Test("6: with one client more asks no other for more", arguments: coreSeeds)
  func population(seed: UInt64) {
    forAll(seed) { world, target, random in
      var crowded = world
      crowded.clients += Array(PlanWorld.plain(&random).clients.prefix(1))
      // A process of its own: as another session of a process it would share that one's part.
      crowded.clients[world.clients.count].facts.process = ProcessID(1_000)
      let before = world.parts(target)
      let after = crowded.parts(target)
      #expect(zip(after, before).allSatisfy { $0 <= $1 + 1 }, "seed \(seed)")
    }
  }

  @Test("7: scales with sizes, floors and target", arguments: coreSeeds)
  func scale(seed: UInt64) {
    forAll(seed, plain: false) { world, target, random in
      let factor = UInt64(1) << random.number(below: 9)
      var small = world
      for client in small.clients.indices {
        // A client's floor is split by division, which does not scale to the byte.
        small.clients[client].facts.grantedFloor = .zero
        for cache in small.clients[client].caches.indices {
          small.clients[client].caches[cache].multiply(by: 4)
        }
      }
      var large = small
      for client in large.clients.indices {
        for cache in large.clients[client].caches.indices {
          large.clients[client].caches[cache].multiply(by: factor)
        }
      }
      let parts = small.parts(target)
      let scaled = large.parts(target * factor)
      for (part, more) in zip(parts, scaled) {
        // A byte at each of three levels: two cgroups and the client.
        #expect(isClose(part * factor, more, within: 3 * factor), "seed \(seed)")
      }
    }
  }

  @Test("7: does not care in which unit all costs are declared", arguments: coreSeeds)
  func costUnit(seed: UInt64) {
    forAll(seed, plain: false) { world, target, random in
      var cheap = world
      for client in cheap.clients.indices {
        for cache in cheap.clients[client].caches.indices {
          let cost = UInt32(random.pick([1_000, 7_000, 10_000, 30_000]))
          cheap.clients[client].caches[cache].declaration.costMicrosecondsPerMiB = cost
        }
      }
      var dear = cheap
      for client in dear.clients.indices {
        for cache in dear.clients[client].caches.indices {
          dear.clients[client].caches[cache].declaration.costMicrosecondsPerMiB *= 1_000
        }
      }
      #expect(cheap.parts(target) == dear.parts(target), "seed \(seed)")
    }
  }

  @Test("9: without one client and its part asks the others for the same", arguments: coreSeeds)
  func consistency(seed: UInt64) {
    forAll(seed) { world, target, random in
      let parts = world.parts(target)
      let gone = Int(random.number(below: UInt64(world.clients.count)))
      var rest = world
      rest.clients.remove(at: gone)
      guard !rest.clients.isEmpty else { return }
      var expected = parts
      let part = expected.remove(at: gone)
      let wanted = parts.reduce(0, +) - part
      for (here, there) in zip(rest.parts(wanted), expected) {
        #expect(isClose(here, there, within: 1), "seed \(seed)")
      }
    }
  }

  @Test("a floor more never asks more of its client", arguments: coreSeeds)
  func floors(seed: UInt64) {
    forAll(seed) { world, target, random in
      guard let client = world.clients.firstIndex(where: { !$0.caches.isEmpty }) else { return }
      var guarded = world
      guarded.clients[client].facts.grantedFloor = ByteCount(random.number(below: 1 << 33))
      #expect(guarded.parts(target)[client] <= world.parts(target)[client] + 1, "seed \(seed)")
    }
  }

  @Test("a larger share never asks more of its client, nor less of another", arguments: coreSeeds)
  func shares(seed: UInt64) {
    forAll(seed) { world, target, _ in
      guard let client = world.clients.firstIndex(where: { !$0.caches.isEmpty }) else { return }
      var poor = world
      var rich = world
      for cache in world.clients[client].caches.indices {
        poor.clients[client].caches[cache].override = CacheOverride(share: 40)
        rich.clients[client].caches[cache].override = CacheOverride(share: 90)
      }
      for (index, pair) in zip(poor.parts(target), rich.parts(target)).enumerated() {
        if index == client {
          #expect(pair.1 <= pair.0 + 1, "seed \(seed)")
        } else {
          #expect(pair.1 + 1 >= pair.0, "seed \(seed)")
        }
      }
    }
  }

  @Test("an administrator's floor holds to the byte below critical, and ends there")
  func wholeFloor() {
    var cache = PlanWorld.Cache(
      declaration: CacheDeclaration(
        name: "cache",
        usage: CacheUsage(
          bytes: .mebibytes(100),
          reclaimable: .mebibytes(100)
        )
      )
    )
    cache.override = CacheOverride(floor: ByteCount(70_000_001))
    let facts = ClientFacts(name: "client", process: ProcessID(1), user: 1, cgroup: nil)
    let world = PlanWorld(clients: [PlanWorld.Client(facts: facts, caches: [cache])])
    #expect(world.parts(.max, at: .low) == [34_857_599])
    #expect(world.parts(.max, at: .medium) == [34_857_599])
    #expect(world.parts(.max, at: .critical) == [104_857_600])
    #expect(world.plan(.max, at: .medium).clients[0].asked == ByteCount(34_861_056))
  }

  @Test(
    "what one client declares of cost moves no other by more than the band",
    arguments: coreSeeds
  )
  func costsAreBounded(seed: UInt64) {
    forAll(seed) { world, target, _ in
      guard let client = world.clients.firstIndex(where: { !$0.caches.isEmpty }) else { return }
      var liar = world
      for cache in liar.clients[client].caches.indices {
        liar.clients[client].caches[cache].declaration.costMicrosecondsPerMiB = .max
      }
      for row in liar.plan(target).clients {
        for cache in row.caches {
          #expect((5_000...20_000).contains(cache.inputs.costBand.parts), "seed \(seed)")
        }
      }
    }
  }
}

extension PlanWorld.Cache {
  /// Makes everything that is counted in bytes so many times as large.
  mutating func multiply(by factor: UInt64) {
    declaration.floor = ByteCount(declaration.floor.value * factor)
    declaration.usage = CacheUsage(
      bytes: ByteCount(declaration.usage.bytes.value * factor),
      reclaimable: ByteCount(declaration.usage.reclaimable.value * factor)
    )
    if let floor = override?.floor { override?.floor = ByteCount(floor.value * factor) }
  }
}
