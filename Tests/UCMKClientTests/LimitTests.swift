// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKClientTestKit

@Suite("limits, relaxation and events")
struct LimitTests {
  @Test("a limit is told and frees nothing")
  func limit() async throws {
    try await withFakeBroker { broker, client in
      let cache = FakeCache(bytes: .mebibytes(20))
      let registration = client.register("thumbs", cache: cache)
      let known = try await broker.registered("thumbs")
      broker.limit(known, to: .mebibytes(5))
      try await broker.ping()
      #expect(registration.limit == MemoryLimit(bytes: .mebibytes(5)))
      // What is asked afterwards comes afterwards: the cache has been told before.
      _ = try await broker.shrink([ShrinkTarget(known, .mebibytes(1))])
      #expect(cache.limits == [MemoryLimit(bytes: .mebibytes(5))])
      #expect(cache.bytes == .mebibytes(19))
      broker.limit(known, to: nil)
      try await broker.ping()
      #expect(registration.limit == .none)
    }
  }

  @Test("the limit of a target is known before the shrinker runs, and ends with the all-clear")
  func targetLimit() async throws {
    try await withFakeBroker { broker, client in
      let cache = FakeCache(bytes: .mebibytes(20))
      let registration = client.register("thumbs", cache: cache)
      let known = try await broker.registered("thumbs")
      _ = try await broker.shrink([ShrinkTarget(known, .mebibytes(8), limit: .mebibytes(12))])
      #expect(cache.limits == [MemoryLimit(bytes: .mebibytes(12))])
      broker.relax(to: .low)
      try await broker.ping()
      #expect(registration.limit == MemoryLimit(bytes: .mebibytes(12)))
      broker.relax()
      try await broker.ping()
      #expect(registration.limit == .none)
    }
  }

  @Test("a relaxation that names limits sets those and no others")
  func relaxNames() async throws {
    try await withFakeBroker { broker, client in
      let first = client.register("first", cache: FakeCache(bytes: .mebibytes(20)))
      let second = client.register("second", cache: FakeCache(bytes: .mebibytes(20)))
      let firstID = try await broker.registered("first")
      let secondID = try await broker.registered("second")
      broker.limit(firstID, to: .mebibytes(5))
      broker.limit(secondID, to: .mebibytes(6))
      broker.relax(to: .none, limits: [(firstID, .mebibytes(9))])
      try await broker.ping()
      #expect(first.limit == MemoryLimit(bytes: .mebibytes(9)))
      #expect(second.limit == MemoryLimit(bytes: .mebibytes(6)))
    }
  }

  @Test("the program follows the pressure up and down")
  func events() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(20)))
      let known = try await broker.registered("thumbs")
      var events = client.pressureEvents.makeAsyncIterator()
      let target = [ShrinkTarget(known, .mebibytes(1))]
      _ = try await broker.shrink(target, ShrinkTerms(level: .low))
      _ = try await broker.shrink(target, ShrinkTerms(level: .critical))
      broker.relax()
      #expect(
        await events.next() == PressureEvent(level: .low, scope: .domain(.host), round: 1)
      )
      #expect(
        await events.next() == PressureEvent(level: .critical, scope: .domain(.host), round: 2)
      )
      let last = await events.next()
      #expect(last == PressureEvent(level: .none, scope: .domain(.host), round: 2))
      #expect(last?.isRelaxed == true)
      #expect(client.status().level == .none)
      client.shutdown()
      #expect(await events.next() == nil)
      withExtendedLifetime(registration) {}
    }
  }

  @Test("notifications of any form do no harm")
  func strange() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(20)))
      let known = try await broker.registered("thumbs")
      for params in ["{}", "[]", "7", #"{"caches":[{"id":0}]}"#, #"{"kind":7}"#, "null"] {
        for method in ["limit", "relax", "notice", "shutdown", "$/cancel", "of.the.future"] {
          broker.sendLine(#"{"jsonrpc":"2.0","method":"\#(method)","params":\#(params)}"#)
        }
      }
      broker.sendLine(#"{"jsonrpc":"2.0","method":"notice","params":{"kind":"reload"}}"#)
      broker.sendLine(#"{"jsonrpc":"2.0","method":"$/cancel","params":{"id":4711}}"#)
      let answer = try await broker.shrink([ShrinkTarget(known, .mebibytes(1))])
      #expect(answer.freed == .mebibytes(1))
      withExtendedLifetime(registration) {}
    }
  }
}
