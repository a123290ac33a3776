// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import UCMKClientTestKit
import UCMKTestSupport

@testable import UCMKClient

@Suite("UCMKCache")
struct UCMKCacheTests {
  /// A client that starts no thread: these tests call the cache themselves.
  static let idle = UCMKClient(configuration: .init(transport: .disabled))

  private func store(
    cost: Int = 0,
    count: Int = 0,
    onEvict: CacheStore<Int, Int>.EvictionHandler? = nil
  ) -> CacheStore<Int, Int> {
    CacheStore(totalCostLimit: cost, countLimit: count, seed: 7, onEvict: onEvict)
  }

  private func cache(_ store: CacheStore<Int, Int>) -> UCMKCache<Int, Int> {
    UCMKCache(name: "test", policy: CachePolicy(), client: UCMKCacheTests.idle, store: store)
  }

  @Test("values come back until they are removed")
  func basics() {
    let cache = cache(store())
    cache.setObject(1, forKey: 10, cost: 100)
    cache.setObject(2, forKey: 20, cost: 200)
    #expect(cache.object(forKey: 10) == 1)
    #expect(cache[20] == 2)
    #expect(cache[30] == nil)
    #expect(cache.totalCost == 300)
    #expect(cache.count == 2)
    cache.removeObject(forKey: 10)
    #expect(cache[10] == nil)
    #expect(cache.totalCost == 200)
    cache.removeAllObjects()
    #expect(cache.count == 0)
    #expect(cache.totalCost == 0)
    let usage = cache.usage()
    #expect(usage.hits == 2)
    #expect(usage.misses == 2)
  }

  @Test("each departure has its reason")
  func reasons() {
    let seen = Mutex<[String]>([])
    let cache = cache(
      store(cost: 100) { key, value, reason in
        seen.withLock { $0.append("\(key)=\(value) \(reason)") }
      }
    )
    cache.setObject(1, forKey: 1, cost: 60)
    cache.setObject(2, forKey: 1, cost: 70)
    cache.setObject(3, forKey: 2, cost: 101)
    cache.setObject(4, forKey: 3, cost: 50)
    cache.removeObject(forKey: 3)
    cache.setObject(5, forKey: 4, cost: 10)
    _ = cache.shrink(ShrinkRequest(bytes: ByteCount(1)))
    #expect(
      seen.withLock { $0 } == [
        "1=1 replaced", "2=3 limit", "1=2 limit", "3=4 explicit", "4=5 pressure",
      ]
    )
  }

  @Test("a lowered limit evicts at once")
  func lowered() {
    let cache = cache(store())
    for key in 0..<100 { cache.setObject(key, forKey: key, cost: 10) }
    cache.totalCostLimit = 500
    #expect(cache.totalCost == 500)
    cache.countLimit = 20
    #expect(cache.count == 20)
    #expect(cache.totalCost == 200)
  }

  @Test("costs add up and limits hold after every step, whatever the steps", arguments: 1...20)
  func sums(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let store = store(cost: 1_000, count: 40)
    var model: [Int: Int] = [:]
    for step in 0..<2_000 {
      let key = Int(random.next() % 100)
      switch random.next() % 10 {
      case 0..<6:
        let cost = Int(random.next() % 120)
        store.insert(step, for: key, cost: cost, rebuildMicroseconds: 1)
        model[key] = cost
      case 6:
        store.remove(key, reason: .explicit)
        #expect(store.lookUp(key) == nil)
      case 7:
        let before = store.budget.totalCost
        let wanted = ByteCount(random.next() % 300)
        let freed = store.evict(wanted, until: { false }, progress: { _ in })
        #expect(UInt64(before - store.budget.totalCost) == freed.value)
        #expect(freed >= min(wanted, ByteCount(UInt64(before))))
      default: _ = store.lookUp(key)
      }
      #expect(store.budget.totalCost <= 1_000, "seed \(seed), step \(step)")
      #expect(store.budget.totalCount <= 40, "seed \(seed), step \(step)")
    }
    #expect(store.recountedCost == store.budget.totalCost, "seed \(seed)")
  }

  @Test("eight threads at once never see the sum above the limit, and it adds up in the end")
  func hammer() async {
    let store = store(cost: 10_000, count: 300)
    let highest = Counter()
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<8 {
        group.addTask {
          var random = SplitMix64(seed: UInt64(thread) + 1)
          for step in 0..<20_000 {
            let key = Int(random.next() % 500)
            switch random.next() % 8 {
            case 0, 1, 2:
              let cost = Int(random.next() % 200)
              store.insert(step, for: key, cost: cost, rebuildMicroseconds: 1)
            case 3: store.remove(key, reason: .explicit)
            case 4 where step % 100 == 0:
              _ = store.evict(ByteCount(500), until: { false }, progress: { _ in })
            default: _ = store.lookUp(key)
            }
            highest.value.max(store.budget.totalCost, ordering: .relaxed)
          }
        }
      }
    }
    #expect(highest.value.load(ordering: .relaxed) <= 10_000)
    #expect(store.recountedCost == store.budget.totalCost)
    #expect(store.budget.totalCount <= 300)
  }

  @Test("what is used often and costs little to keep outlives what is not")
  func order() {
    let cache = cache(store())
    for key in 0..<1_000 { cache.setObject(key, forKey: key, cost: 100) }
    for _ in 0..<20 { for key in 0..<100 { _ = cache[key] } }
    let result = cache.shrink(ShrinkRequest(bytes: ByteCount(50_000)))
    #expect(result.freed.value >= 50_000)
    #expect(result.freed.value < 51_000)
    let kept = (0..<100).count { cache[$0] != nil }
    #expect(kept >= 80, "of 100 popular entries \(kept) are left")
  }

  @Test("what is dear to make again outlives what is cheap")
  func rebuildTime() {
    let cache = cache(store())
    for key in 0..<1_000 {
      let time: Duration = key < 200 ? .milliseconds(100) : .microseconds(50)
      cache.setObject(key, forKey: key, cost: 100, rebuildTime: time)
    }
    _ = cache.shrink(ShrinkRequest(bytes: ByteCount(70_000)))
    let kept = (0..<200).count { cache[$0] != nil }
    #expect(kept >= 150, "of 200 dear entries \(kept) are left")
  }

  @Test("eviction looks at the clock after each batch of 64 and stops")
  func deadline() {
    let store = store()
    for key in 0..<10_000 { store.insert(key, for: key, cost: 1, rebuildMicroseconds: 1) }
    var looks = 0
    var told: [ByteCount] = []
    let freed = store.evict(
      ByteCount(10_000),
      until: {
        looks += 1
        return looks == 3
      },
      progress: { told.append($0) }
    )
    #expect(freed == ByteCount(192))
    #expect(told == [ByteCount(64), ByteCount(128), ByteCount(192)])
    #expect(store.budget.totalCost == 9_808)
  }

  @Test("a request whose deadline has passed frees one batch and says so")
  func late() {
    let cache = cache(store())
    for key in 0..<1_000 { cache.setObject(key, forKey: key, cost: 1) }
    let request = ShrinkRequest(bytes: ByteCount(1_000), deadline: MonotonicInstant.now)
    let result = cache.shrink(request)
    #expect(result.freed == ByteCount(64))
    #expect(result.more)
    #expect(request.progress.freedSoFar == ByteCount(64))
  }

  @Test("under a limit a cache may replace and not grow, and nothing goes by itself")
  func softLimit() {
    let cache = cache(store(cost: 10_000))
    for key in 0..<10 { cache.setObject(key, forKey: key, cost: 100) }
    cache.limitDidChange(MemoryLimit(bytes: ByteCount(500)))
    #expect(cache.totalCost == 1_000)
    cache.setObject(99, forKey: 99, cost: 100)
    #expect(cache[99] == 99)
    #expect(cache.totalCost == 1_000)
    _ = cache.shrink(ShrinkRequest(bytes: ByteCount(700)))
    #expect(cache.totalCost == 300)
    for key in 100..<110 { cache.setObject(key, forKey: key, cost: 100) }
    #expect(cache.totalCost == 500)
    cache.limitDidChange(.none)
    for key in 200..<210 { cache.setObject(key, forKey: key, cost: 100) }
    #expect(cache.totalCost == 1_500)
  }

  @Test("one caller makes a value, the others wait for it")
  func singleFlight() async throws {
    let cache = cache(store())
    let made = Counter()
    let gate = Gate()
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<20 {
        group.addTask {
          await cache.value(forKey: 1, cost: { _ in 10 }) {
            made.value.add(1, ordering: .relaxed)
            await gate.pass()
            return 42
          }
        }
      }
      gate.open()
      for try await value in group { #expect(value == 42) }
    }
    #expect(made.value.load(ordering: .relaxed) == 1)
    #expect(cache.totalCost == 10)
  }

  @Test("where making a value fails, its caller gets the error and the next one tries")
  func flightFails() async {
    struct Failed: Error {}
    let cache = cache(store())
    let tries = Counter()
    let results = await withTaskGroup(of: Int?.self) { group in
      for _ in 0..<5 {
        group.addTask {
          do {
            return try await cache.value(forKey: 1, cost: { _ in 1 }) {
              guard tries.value.add(1, ordering: .relaxed).newValue > 2 else { throw Failed() }
              return 7
            }
          } catch {
            return nil
          }
        }
      }
      return await group.reduce(into: [Int?]()) { $0.append($1) }
    }
    #expect(results.count { $0 == nil } == 2)
    #expect(results.count { $0 == 7 } == 3)
    #expect(tries.value.load(ordering: .relaxed) == 3)
  }

  @Test("a cache that nobody holds leaves the client by itself, and keeps nothing alive")
  func lifetime() async throws {
    final class Canary: Sendable {
      let gone: Gate
      init(_ gone: Gate) { self.gone = gone }
      deinit { gone.open() }
    }
    let gone = Gate()
    try await withFakeBroker { broker, client in
      do {
        let cache = UCMKCache<Int, Canary>(name: "images", client: client)
        cache.setObject(Canary(gone), forKey: 1, cost: 5 << 20)
        try await broker.usage(of: "images") { $0.bytes == .mebibytes(5) }
        withExtendedLifetime(cache) {}
      }
      try await broker.departed("images")
      // The task that served the cache lets go of it when it ends.
      await gone.pass()
    }
  }

  @Test("the daemon shrinks and limits a cache, and the program learns which entries went")
  func withBroker() async throws {
    let evicted = Counter()
    try await withFakeBroker { broker, client in
      let cache = UCMKCache<Int, [UInt8]>(
        name: "images",
        client: client,
        onEvict: { _, _, reason in
          if reason == .pressure { evicted.value.add(1, ordering: .relaxed) }
        }
      )
      for key in 0..<100 { cache.setObject([], forKey: key, cost: 1 << 20) }
      let known = try await broker.registered("images")
      let answer = try await broker.shrink([
        ShrinkTarget(known, .mebibytes(40), limit: .mebibytes(60))
      ])
      #expect(answer.targets[0].freed == .mebibytes(40))
      #expect(answer.targets[0].bytes == .mebibytes(60))
      #expect(evicted.value.load(ordering: .relaxed) == 40)
      #expect(cache.limit == MemoryLimit(bytes: .mebibytes(60)))
      cache.setObject([], forKey: 1_000, cost: 1 << 20)
      #expect(cache.totalCost == 60 << 20)
      broker.relax()
      try await broker.ping()
      _ = try await broker.shrink([ShrinkTarget(known, ByteCount(1))])
      for key in 2_000..<2_010 { cache.setObject([], forKey: key, cost: 1 << 20) }
      #expect(cache.totalCost == 69 << 20)
    }
  }
}
