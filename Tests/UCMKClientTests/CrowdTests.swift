// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKClientTestKit
import UCMKModel

@Suite("many caches, many clients, and changes in the middle")
struct CrowdTests {
  @Test("of 100 caches the first 62 register; each that leaves makes room for the next")
  func hundred() async throws {
    try await withFakeBroker { broker, client in
      var registrations: [CacheRegistration] = []
      for number in 1...100 {
        let name = try #require(CacheName("cache-\(number)"))
        registrations.append(client.register(name, cache: FakeCache(bytes: .mebibytes(1))))
      }
      try await broker.registered("cache-62")
      for number in 1...38 {
        registrations[number - 1].cancel()
        try await broker.registered(try #require(CacheName("cache-\(62 + number)")))
      }
      #expect(client.status().caches == 62)
      let known = try await broker.registered("cache-100")
      #expect(try await broker.shrink([ShrinkTarget(known, ByteCount(9))]).freed == ByteCount(9))
      withExtendedLifetime(registrations) {}
    }
  }

  @Test("62 caches of one name have 62 names")
  func oneName() async throws {
    try await withFakeBroker { broker, client in
      let registrations = (1...62).map { _ in
        client.register("same", cache: FakeCache(bytes: .mebibytes(2)))
      }
      try await broker.registered("same")
      for number in 2...62 {
        let name = try #require(CacheName("same.\(number)"))
        try await broker.usage(of: name) { $0.bytes == .mebibytes(2) }
      }
      withExtendedLifetime(registrations) {}
    }
  }

  @Test("twenty clients of one process each hear only what is meant for them")
  func manyClients() async throws {
    let broker = try FakeBroker()
    defer { broker.stop() }
    var configuration = UCMKClient.Configuration()
    configuration.transport = .unixSocket(path: broker.socketPath)
    configuration.fallback = .none
    var clients: [(client: UCMKClient, cache: FakeCache, registration: CacheRegistration)] = []
    for number in 1...20 {
      let client = UCMKClient(configuration: configuration)
      let cache = FakeCache(bytes: .mebibytes(UInt64(number)))
      let name = try #require(CacheName("cache-\(number)"))
      clients.append((client, cache, client.register(name, cache: cache)))
      let known = try await broker.registered(name)
      // The newest session is the one that the broker talks to.
      let answer = try await broker.shrink([ShrinkTarget(known, .kibibytes(64))])
      #expect(answer.freed == .kibibytes(64))
    }
    for (number, one) in clients.enumerated() {
      #expect(one.cache.requests.count == 1)
      #expect(one.cache.bytes == .mebibytes(UInt64(number) + 1) - .kibibytes(64))
      #expect(one.client.status().freed == .kibibytes(64))
      one.client.shutdown()
    }
    for ordinal in 1...20 { try await broker.disconnected(ordinal) }
  }

  @Test("a policy changed in the middle of a request is told, and the request is answered")
  func updateMeanwhile() async throws {
    try await withFakeBroker { broker, client in
      let (started, gate) = (Gate(), Gate())
      let registration = client.register("busy") {
        CacheUsage(bytes: .mebibytes(3), reclaimable: .mebibytes(3))
      } shrink: { request in
        started.open()
        await gate.pass()
        return ShrinkResult(freed: request.bytes)
      }
      let known = try await broker.registered("busy")
      let request = broker.ask(
        [ShrinkTarget(known, .mebibytes(1))],
        ShrinkTerms(deadline: .seconds(60))
      )
      await started.pass()
      registration.update(CachePolicy(share: 33, minimumLevel: .critical))
      let declared = try await broker.declaration(of: "busy") { $0.share == 33 }
      #expect(declared.minimumLevel == .critical)
      gate.open()
      #expect(try await broker.answer(to: request).freed == .mebibytes(1))
    }
  }

  @Test("a registration cancelled in the middle of a request ends it, and the others go on")
  func cancelMeanwhile() async throws {
    try await withFakeBroker { broker, client in
      let (started, stopped) = (Gate(), Gate())
      let leaving = client.register("leaving") {
        CacheUsage.zero
      } shrink: { request in
        started.open()
        while !request.isOver { await Task.yield() }
        stopped.open()
        return .nothing
      }
      let other = FakeCache(bytes: .mebibytes(9))
      let staying = client.register("staying", cache: other)
      let targets = [
        ShrinkTarget(try await broker.registered("leaving"), .mebibytes(1)),
        ShrinkTarget(try await broker.registered("staying"), .mebibytes(4)),
      ]
      let request = broker.ask(targets, ShrinkTerms(deadline: .seconds(60)))
      await started.pass()
      leaving.cancel()
      let answer = try await broker.answer(to: request)
      #expect(answer.targets.map(\.freed) == [.zero, .mebibytes(4)])
      await stopped.pass()
      try await broker.departed("leaving")
      #expect(other.bytes == .mebibytes(5))
      withExtendedLifetime(staying) {}
    }
  }

  @Test("a slow reader of pressure finds the newest eight events, each reader its own")
  func buffered() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(50)))
      let known = try await broker.registered("thumbs")
      var slow = client.pressureEvents.makeAsyncIterator()
      var other = client.pressureEvents.makeAsyncIterator()
      var last = client.pressureEvents.makeAsyncIterator()
      for _ in 1...10 {
        _ = try await broker.shrink(
          [ShrinkTarget(known, ByteCount(4_096))],
          ShrinkTerms(level: .low)
        )
        broker.relax()
      }
      try await broker.ping()
      client.shutdown()
      // Whoever came last is told last: when this one ends, the others have all that comes.
      while await last.next() != nil {}
      var events: [PressureEvent] = []
      while let event = await slow.next() { events.append(event) }
      #expect(events.count == 8)
      #expect(events.map(\.level) == [.low, .none, .low, .none, .low, .none, .low, .none])
      #expect(events.map(\.round) == [7, 7, 8, 8, 9, 9, 10, 10])
      var count = 0
      while await other.next() != nil { count += 1 }
      #expect(count == 8)
      // Whoever comes after the end is not kept waiting.
      var late = client.pressureEvents.makeAsyncIterator()
      #expect(await late.next() == nil)
      withExtendedLifetime(registration) {}
    }
  }
}
