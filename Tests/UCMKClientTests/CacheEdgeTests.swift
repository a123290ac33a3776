// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import UCMKClientTestKit
import UCMKTestSupport

@testable import UCMKClient

/// What a cache does at the ends of its numbers, and when several want one value.
@Suite("UCMKCache at its edges")
struct CacheEdgeTests {
  /// The departures that a cache told, as short lines.
  final class Departures: Sendable {
    private let lines = Mutex<[String]>([])

    func note(_ key: Int, _ value: Int, _ reason: CacheEvictionReason) {
      lines.withLock { $0.append("\(key)=\(value) \(reason)") }
    }

    /// What was told since the last call, in the order of the keys.
    func taken() -> [String] {
      lines.withLock { lines in
        defer { lines = [] }
        return lines.sorted()
      }
    }
  }

  private let departures = Departures()

  private func cache(cost: Int = 0, count: Int = 0) -> UCMKCache<Int, Int> {
    let store = CacheStore<Int, Int>(
      totalCostLimit: cost,
      countLimit: count,
      seed: 11,
      onEvict: { [departures] in departures.note($0, $1, $2) }
    )
    return UCMKCache(
      name: "edges",
      policy: CachePolicy(),
      client: UCMKCacheTests.idle,
      store: store
    )
  }

  @Test("values that cost nothing have room in a full cache, and go with the first pressure")
  func costless() {
    let cache = cache(cost: 10)
    cache.setObject(1, forKey: 1, cost: 10)
    for key in 2...50 { cache.setObject(key, forKey: key) }
    #expect(cache.count == 50)
    #expect(cache.totalCost == 10)
    #expect(departures.taken() == [])
    let result = cache.shrink(ShrinkRequest(bytes: ByteCount(10)))
    #expect(result.freed == ByteCount(10))
    #expect(!result.more)
    #expect(cache[1] == nil)
    #expect(cache.totalCost == 0)
    #expect(departures.taken().contains("1=1 pressure"))
  }

  @Test("an empty cache frees nothing, and says that there is no more")
  func empty() {
    let result = cache().shrink(ShrinkRequest(bytes: .mebibytes(1)))
    #expect(result.freed == .zero)
    #expect(!result.more)
  }

  @Test("a value above the limit is turned away, and takes the one it replaces with it")
  func tooDear() {
    let cache = cache(cost: 100)
    cache.setObject(1, forKey: 1, cost: 100)
    cache.setObject(2, forKey: 2, cost: 101)
    #expect(cache[1] == 1)
    #expect(cache[2] == nil)
    #expect(departures.taken() == ["2=2 limit"])
    cache.setObject(3, forKey: 1, cost: .max)
    #expect(cache[1] == nil)
    #expect(departures.taken() == ["1=1 replaced", "1=3 limit"])
    #expect(cache.totalCost == 0)
    #expect(cache.count == 0)
  }

  @Test("without a limit the largest costs do not overflow the sum")
  func overflow() {
    let cache = cache()
    cache.setObject(1, forKey: 1, cost: .max)
    cache.setObject(2, forKey: 2, cost: .max)
    #expect(cache.count == 1)
    #expect(cache.totalCost == .max)
    #expect(cache[2] == 2)
    #expect(departures.taken() == ["1=1 limit"])
    cache.removeAllObjects()
    #expect(cache.totalCost == 0)
  }

  @Test("a limit of one entry keeps the last one")
  func oneEntry() {
    let cache = cache(count: 1)
    for key in 1...5 { cache.setObject(key, forKey: key, cost: key) }
    #expect(cache.count == 1)
    #expect(cache[5] == 5)
    #expect(departures.taken() == ["1=1 limit", "2=2 limit", "3=3 limit", "4=4 limit"])
    cache.setObject(6, forKey: 5, cost: 60)
    #expect(cache[5] == 6)
    #expect(cache.totalCost == 60)
    #expect(departures.taken() == ["5=5 replaced"])
  }

  @Test("both limits hold at once, and lifting them brings nothing back")
  func bothLimits() {
    let cache = cache(cost: 1_000, count: 10)
    for key in 0..<100 { cache.setObject(key, forKey: key, cost: 10) }
    #expect(cache.count == 10)
    #expect(cache.totalCost == 100)
    cache.countLimit = 0
    for key in 100..<300 { cache.setObject(key, forKey: key, cost: 10) }
    #expect(cache.count == 100)
    #expect(cache.totalCost == 1_000)
    cache.countLimit = 3
    #expect(cache.count == 3)
    cache.totalCostLimit = 20
    #expect(cache.count == 2)
    cache.totalCostLimit = 5
    #expect(cache.count == 0)
    cache.totalCostLimit = 0
    #expect(cache.count == 0)
  }

  @Test("removing what is not there tells nobody")
  func removeNothing() {
    let cache = cache()
    cache.removeObject(forKey: 7)
    cache.removeAllObjects()
    #expect(departures.taken() == [])
    cache.setObject(1, forKey: 1, cost: 5)
    cache.setObject(1, forKey: 1, cost: 5)
    #expect(departures.taken() == ["1=1 replaced"])
    cache.removeObject(forKey: 1)
    #expect(departures.taken() == ["1=1 explicit"])
  }

  @Test("a limit told while values come in is kept from then on, and its end too")
  func limitWhileFilling() async {
    let cache = cache()
    await withTaskGroup(of: Void.self) { group in
      for worker in 0..<4 {
        group.addTask {
          for key in 0..<2_000 { cache.setObject(key, forKey: worker * 2_000 + key, cost: 100) }
        }
      }
      group.addTask { cache.limitDidChange(MemoryLimit(bytes: ByteCount(50_000))) }
    }
    let full = cache.totalCost
    for key in 10_000..<10_500 { cache.setObject(key, forKey: key, cost: 100) }
    #expect(cache.totalCost <= max(full, 50_000))
    _ = cache.shrink(ShrinkRequest(bytes: .mebibytes(1)))
    for key in 20_000..<21_000 { cache.setObject(key, forKey: key, cost: 100) }
    #expect(cache.totalCost == 50_000)
    lift(cache)
    for key in 30_000..<31_000 { cache.setObject(key, forKey: key, cost: 100) }
    #expect(cache.totalCost == 150_000)
  }

  private func lift(_ cache: UCMKCache<Int, Int>) { cache.limitDidChange(.none) }

  // MARK: - One flight for many

  @Test("a task that was cancelled while it waited gets the value all the same")
  func cancelledWaiter() async throws {
    let cache = cache()
    let (started, gate) = (Gate(), Gate())
    let leader = Task {
      await cache.value(forKey: 1, cost: { _ in 8 }) {
        started.open()
        await gate.pass()
        return 42
      }
    }
    await started.pass()
    let waiter = Task {
      await cache.value(forKey: 1, cost: { _ in 8 }) { 43 }
    }
    waiter.cancel()
    gate.open()
    #expect(await leader.value == 42)
    #expect(await waiter.value == 42)
    #expect(cache.totalCost == 8)
  }

  @Test("where the maker is cancelled, it alone fails and the next one makes the value")
  func cancelledMaker() async throws {
    let cache = cache()
    let (started, gate) = (Gate(), Gate())
    let leader = Task {
      try await cache.value(forKey: 1, cost: { _ in 8 }) { () async throws(CancellationError) in
        started.open()
        await gate.pass()
        if Task.isCancelled { throw CancellationError() }
        return 42
      }
    }
    await started.pass()
    let waiter = Task {
      await cache.value(forKey: 1, cost: { _ in 9 }) { 43 }
    }
    leader.cancel()
    gate.open()
    await #expect(throws: CancellationError.self) { try await leader.value }
    #expect(await waiter.value == 43)
    #expect(cache.totalCost == 9)
  }

  @Test("a value too dear to keep is made for everybody who asks, one after the other")
  func unkeepable() async {
    let cache = cache(cost: 10)
    let made = Counter()
    let values = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<5 {
        group.addTask {
          await cache.value(forKey: 1, cost: { _ in 11 }) {
            made.value.add(1, ordering: .relaxed).newValue
          }
        }
      }
      return await group.reduce(into: [Int]()) { $0.append($1) }
    }
    #expect(values.sorted() == [1, 2, 3, 4, 5])
    #expect(cache.count == 0)
    #expect(departures.taken().count == 5)
  }

  @Test("different keys wait for nobody")
  func differentKeys() async {
    let cache = cache()
    let (started, gate) = (Gate(), Gate())
    let slow = Task {
      await cache.value(forKey: 1, cost: { _ in 1 }) {
        started.open()
        await gate.pass()
        return 1
      }
    }
    await started.pass()
    for key in 2..<100 {
      let value = await cache.value(forKey: key, cost: { _ in 1 }) { key }
      #expect(value == key)
    }
    gate.open()
    #expect(await slow.value == 1)
    #expect(cache.count == 99)
  }

  @Test("a value set by hand while one is made is replaced by the one that was made")
  func setMeanwhile() async {
    let cache = cache()
    let value = await cache.value(forKey: 1, cost: { _ in 5 }) {
      cache.setObject(7, forKey: 1, cost: 3)
      return 8
    }
    #expect(value == 8)
    #expect(cache[1] == 8)
    #expect(cache.totalCost == 5)
    #expect(departures.taken() == ["1=7 replaced"])
  }
}
