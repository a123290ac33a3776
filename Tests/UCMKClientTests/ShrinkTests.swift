// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import UCMKClient
import UCMKClientTestKit
import UCMKLinux

@Suite("shrinking, as the daemon sees it")
struct ShrinkTests {
  @Test("a cache is registered, asked, and answers with what it freed")
  func simple() async throws {
    try await withFakeBroker { broker, client in
      let cache = FakeCache(bytes: .mebibytes(100))
      let registration = client.register("thumbs", cache: cache)
      let known = try await broker.registered("thumbs")
      let answer = try await broker.shrink([ShrinkTarget(known, .mebibytes(30))])
      #expect(answer.round == 1)
      #expect(answer.targets.count == 1)
      #expect(answer.targets[0].id == known.id)
      #expect(answer.targets[0].freed == .mebibytes(30))
      #expect(answer.targets[0].bytes == .mebibytes(70))
      #expect(answer.targets[0].reclaimable == .mebibytes(70))
      #expect(answer.targets[0].more)
      #expect(cache.requests.count == 1)
      #expect(cache.requests.first?.level == .medium)
      #expect(cache.requests.first?.scope == .domain(.host))
      #expect(cache.requests.first?.attempt == 1)
      #expect(cache.requests.first?.cache == "thumbs")
      registration.cancel()
      try await broker.departed("thumbs")
    }
  }

  @Test("62 caches of one request are each asked for their own part")
  func full() async throws {
    try await withFakeBroker { broker, client in
      var registrations: [CacheRegistration] = []
      var targets: [ShrinkTarget] = []
      for number in 1...62 {
        let cache = FakeCache(bytes: .mebibytes(64))
        let name = try #require(CacheName("cache-\(number)"))
        registrations.append(client.register(name, cache: cache))
      }
      for number in 1...62 {
        let name = try #require(CacheName("cache-\(number)"))
        targets.append(
          ShrinkTarget(try await broker.registered(name), .mebibytes(UInt64(number)))
        )
      }
      let answer = try await broker.shrink(targets, ShrinkTerms(trim: true))
      #expect(answer.targets.count == 62)
      // 1 + 2 + ... + 62
      #expect(answer.freed == .mebibytes(1_953))
      #expect(answer.targets[61].bytes == .mebibytes(2))
      withExtendedLifetime(registrations) {}
    }
  }

  @Test("a shrinker that is not done answers with what it said so far, and reports the rest later")
  func partial() async throws {
    try await withFakeBroker { broker, client in
      let gate = Gate()
      let cache = FakeCache(bytes: .mebibytes(100))
      let registration = client.register("slow") {
        cache.usage()
      } shrink: { request in
        request.noteProgress(freed: .mebibytes(10))
        await gate.pass()
        return ShrinkResult(freed: .mebibytes(60), remaining: cache.set(.mebibytes(40)))
      }
      let known = try await broker.registered("slow")
      try await broker.usage(of: "slow") { $0.bytes == .mebibytes(100) }
      let terms = ShrinkTerms(deadline: .seconds(5))
      let answer = try await broker.shrink([ShrinkTarget(known, .mebibytes(60))], terms)
      #expect(answer.targets[0].freed == .mebibytes(10))
      #expect(answer.targets[0].more)
      #expect(answer.took >= .seconds(4))
      gate.open()
      try await broker.usage(of: "slow") { $0.bytes == .mebibytes(40) }
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a cache that waits delays no other cache, neither in its request nor in another")
  func independent() async throws {
    try await withFakeBroker { broker, client in
      let gate = Gate()
      let fast = FakeCache(bytes: .mebibytes(100))
      let slow = client.register("slow") {
        CacheUsage(bytes: .mebibytes(1), reclaimable: .mebibytes(1))
      } shrink: { _ in
        await gate.pass()
        return .nothing
      }
      let registration = client.register("fast", cache: fast)
      let slowID = try await broker.registered("slow")
      let fastID = try await broker.registered("fast")
      let both = broker.ask(
        [ShrinkTarget(slowID, .mebibytes(1)), ShrinkTarget(fastID, .mebibytes(10))],
        ShrinkTerms(deadline: .seconds(5))
      )
      let alone = try await broker.shrink([ShrinkTarget(fastID, .mebibytes(5))])
      #expect(alone.targets[0].freed == .mebibytes(5))
      let answer = try await broker.answer(to: both)
      #expect(answer.targets[0].freed == .zero)
      #expect(answer.targets[0].more)
      #expect(answer.targets[1].freed == .mebibytes(10))
      gate.open()
      withExtendedLifetime((slow, registration)) {}
    }
  }

  @Test("a shrinker that blocks its thread delays no other cache")
  func blocking() async throws {
    try await withFakeBroker { broker, client in
      let bell = try EventFD()
      let slow = client.register("slow") {
        CacheUsage.zero
      } shrink: { _ in
        var entries = [PollEntry(fd: bell.raw, events: .in)]
        try pollDescriptors(&entries, timeout: 60_000)
        return .nothing
      }
      let fast = client.register("fast", cache: FakeCache(bytes: .mebibytes(100)))
      let slowID = try await broker.registered("slow")
      let fastID = try await broker.registered("fast")
      let both = try await broker.shrink(
        [ShrinkTarget(slowID, .mebibytes(1)), ShrinkTarget(fastID, .mebibytes(10))],
        ShrinkTerms(deadline: .seconds(5))
      )
      #expect(both.targets[0].freed == .zero)
      #expect(both.targets[1].freed == .mebibytes(10))
      bell.signal()
      withExtendedLifetime((slow, fast)) {}
    }
  }

  @Test("one cache is asked for one thing at a time")
  func serial() async throws {
    try await withFakeBroker { broker, client in
      let inside = FakeCache(bytes: .mebibytes(100))
      let gate = Gate()
      let registration = client.register("one") {
        inside.usage()
      } shrink: { request in
        inside.state.withLock { $0.inside += 1 }
        await gate.pass()
        let most = inside.state.withLock { state in
          state.mostInside = max(state.mostInside, state.inside)
          state.inside -= 1
          return state.mostInside
        }
        #expect(most == 1)
        return ShrinkResult(freed: request.bytes)
      }
      let known = try await broker.registered("one")
      let requests = (1...5).map { number in
        broker.ask([ShrinkTarget(known, .mebibytes(UInt64(number)))])
      }
      try await broker.ping()
      gate.open()
      for (index, request) in requests.enumerated() {
        let answer = try await broker.answer(to: request)
        #expect(answer.freed == .mebibytes(UInt64(index + 1)))
      }
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a dry run frees nothing and says what would be freed")
  func dryRun() async throws {
    try await withFakeBroker { broker, client in
      let cache = FakeCache(bytes: .mebibytes(20))
      let registration = client.register("thumbs", cache: cache)
      let known = try await broker.registered("thumbs")
      let answer = try await broker.shrink(
        [ShrinkTarget(known, .mebibytes(30), limit: .mebibytes(1))],
        ShrinkTerms(isDryRun: true)
      )
      #expect(answer.targets[0].freed == .mebibytes(20))
      #expect(answer.targets[0].bytes == .mebibytes(20))
      #expect(!answer.targets[0].more)
      #expect(cache.bytes == .mebibytes(20))
      #expect(cache.requests.isEmpty)
      #expect(registration.limit == .none)
    }
  }

  @Test("what a request says reaches the shrinker")
  func terms() async throws {
    try await withFakeBroker { broker, client in
      broker.setCgroup("/system.slice/shop.slice/shop.service")
      let cache = FakeCache(bytes: .mebibytes(20))
      let registration = client.register("thumbs", cache: cache)
      let known = try await broker.registered("thumbs")
      var terms = ShrinkTerms(
        level: .critical,
        scope: .domain(.cgroup("/system.slice/shop.slice")),
        deadline: .seconds(60)
      )
      (terms.round, terms.attempt) = (412, 3)
      let before = MonotonicInstant.now
      let answer = try await broker.shrink([ShrinkTarget(known, .mebibytes(1))], terms)
      let after = MonotonicInstant.now
      #expect(answer.round == 412)
      let request = try #require(cache.requests.first)
      #expect(request.round == 412)
      #expect(request.attempt == 3)
      #expect(request.level == .critical)
      #expect(request.scope == .domain(.cgroup("/system.slice/shop.slice")))
      #expect(request.deadline >= before + .seconds(45))
      #expect(request.deadline <= after + .seconds(45))
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a level of the future counts as the next lower one that is known")
  func unknownLevel() async throws {
    try await withFakeBroker { broker, client in
      let cache = FakeCache(bytes: .mebibytes(20))
      let registration = client.register("thumbs", cache: cache)
      let known = try await broker.registered("thumbs")
      var terms = ShrinkTerms()
      terms.level = "brisk"
      _ = try await broker.shrink([ShrinkTarget(known, .mebibytes(1))], terms)
      #expect(cache.requests.first?.level == .low)
      withExtendedLifetime(registration) {}
    }
  }
}
