// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import UCMKClient
import UCMKClientTestKit
import UCMKModel

/// Handlers that use the very cache that is shrinking: no lock of the library is held meanwhile.
@Suite("handlers that use their own cache")
struct ReentryTests {
  /// Where a closure finds its own registration or cache.
  private final class Place<Value: Sendable>: Sendable {
    private let held = Mutex<Value?>(nil)
    func put(_ value: Value) { held.withLock { $0 = value } }
    var value: Value? { held.withLock { $0 } }
  }

  @Test("a closure may ask and change its own registration while it shrinks")
  func registration() async throws {
    try await withFakeBroker { broker, client in
      let place = Place<CacheRegistration>()
      let cache = FakeCache(bytes: .mebibytes(100))
      let limit = Place<MemoryLimit>()
      let registration = client.register("own") {
        cache.usage()
      } shrink: { request in
        let own = place.value
        limit.put(own?.limit ?? .none)
        own?.update(CachePolicy(share: 50))
        own?.noteUsageChanged(cache.set(.mebibytes(70)))
        _ = client.status()
        request.noteProgress(freed: .mebibytes(30))
        own?.noteUsageChanged(cache.set(.mebibytes(60)))
        return ShrinkResult(freed: .mebibytes(40), remaining: cache.usage())
      }
      place.put(registration)
      let known = try await broker.registered("own")
      let target = ShrinkTarget(known, .mebibytes(40), limit: .mebibytes(60))
      let answer = try await broker.shrink([target])
      #expect(answer.targets.map(\.freed) == [.mebibytes(40)])
      #expect(answer.targets.map(\.bytes) == [.mebibytes(60)])
      #expect(limit.value == MemoryLimit(bytes: .mebibytes(60)))
      let declared = try await broker.declaration(of: "own") { $0.share == 50 }
      #expect(declared.share == 50)
      #expect(try await broker.shrink([target]).targets.map(\.freed) == [.mebibytes(40)])
    }
  }

  @Test("a closure may register and take back caches, its own among them")
  func cancels() async throws {
    try await withFakeBroker { broker, client in
      let place = Place<CacheRegistration>()
      let next = Place<CacheRegistration>()
      let registration = client.register("old") {
        CacheUsage(bytes: .mebibytes(10), reclaimable: .mebibytes(10))
      } shrink: { _ in
        next.put(client.register("new", cache: FakeCache(bytes: .mebibytes(7))))
        place.value?.cancel()
        return ShrinkResult(freed: .mebibytes(10), remaining: .zero)
      }
      place.put(registration)
      let known = try await broker.registered("old")
      let answer = try await broker.shrink([ShrinkTarget(known, .mebibytes(5))])
      // What a cache that is being taken back gave may be told or not; it is never invented.
      #expect([.zero, .mebibytes(10)].contains(answer.targets[0].freed))
      try await broker.departed("old")
      let other = try await broker.registered("new")
      let second = try await broker.shrink([ShrinkTarget(other, .mebibytes(2))])
      #expect(second.targets.map(\.freed) == [.mebibytes(2)])
    }
  }

  @Test("one cache of several taken back in the middle: the others answer in time")
  func oneOfThree() async throws {
    try await withFakeBroker { broker, client in
      let gate = Gate()
      let stuck = client.register("stuck") {
        CacheUsage(bytes: .mebibytes(10), reclaimable: .mebibytes(10))
      } shrink: { request in
        request.noteProgress(freed: .mebibytes(1))
        await gate.pass()
        return ShrinkResult(freed: .mebibytes(5))
      }
      let others = [
        client.register("first", cache: FakeCache(bytes: .mebibytes(10))),
        client.register("last", cache: FakeCache(bytes: .mebibytes(10))),
      ]
      let stuckID = try await broker.registered("stuck")
      let firstID = try await broker.registered("first")
      let lastID = try await broker.registered("last")
      let request = broker.ask(
        [firstID, stuckID, lastID].map { ShrinkTarget($0, .mebibytes(2)) },
        ShrinkTerms(deadline: .seconds(30))
      )
      try await broker.usage(of: "first") { $0.bytes == .mebibytes(8) }
      stuck.cancel()
      // Its closure still runs; nobody waits for it until the deadline of 30 s.
      let answer = try await broker.answer(to: request)
      #expect(answer.targets.map(\.id) == [firstID.id, stuckID.id, lastID.id])
      #expect(answer.targets[0].freed == .mebibytes(2))
      #expect(answer.targets[2].freed == .mebibytes(2))
      #expect(answer.took < .seconds(10))
      try await broker.departed("stuck")
      gate.open()
      let again = try await broker.shrink([ShrinkTarget(lastID, .mebibytes(1))])
      #expect(again.targets.map(\.bytes) == [.mebibytes(7)])
      withExtendedLifetime(others) {}
    }
  }

  @Test("a UCMKCache whose handler of evictions reads, writes and empties it")
  func evictions() async throws {
    try await withFakeBroker { broker, client in
      let place = Place<UCMKCache<Int, Int>>()
      let evicted = Counter()
      let cache = UCMKCache<Int, Int>(name: "self", client: client) { key, _, reason in
        guard reason == .pressure, let own = place.value else { return }
        evicted.value.add(1, ordering: .relaxed)
        _ = own.object(forKey: key + 1)
        _ = own.count + own.totalCost
        _ = own.limit
        // A note of what went, far smaller than what went.
        own.setObject(key, forKey: -1 - key % 8, cost: 64)
        own.removeObject(forKey: key)
      }
      place.put(cache)
      for key in 0..<1_024 { cache.setObject(key, forKey: key, cost: 64 << 10) }
      let known = try await broker.registered("self")
      try await broker.usage(of: "self") { $0.bytes == .mebibytes(64) }
      let answer = try await broker.shrink(
        [ShrinkTarget(known, .mebibytes(16), limit: .mebibytes(48))]
      )
      #expect(answer.targets[0].freed >= .mebibytes(16))
      #expect(answer.targets[0].freed < .mebibytes(17))
      #expect(evicted.value.load(ordering: .relaxed) >= 256)
      #expect(cache.totalCost <= (48 << 20) + 8 * 64)
      #expect(cache.object(forKey: -1) != nil || cache.count > 0)
    }
  }
}
