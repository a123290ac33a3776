// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKClientTestKit

@Suite("registrations")
struct RegistrationTests {
  @Test("what the program wishes is declared")
  func declaration() async throws {
    let configuration = UCMKClient.Configuration(applicationName: "imgd")
    try await withFakeBroker(configuration: configuration) { broker, client in
      let policy = CachePolicy(
        share: 50,
        floor: .mebibytes(8),
        ceiling: .gibibytes(1),
        rebuildCost: .cheap,
        minimumLevel: .medium,
        release: .gc,
        labels: [.init(key: "kind", value: "jpeg")]
      )
      let cache = FakeCache(bytes: .mebibytes(512))
      let registration = client.register("thumbs", policy: policy, cache: cache)
      let declared = try await broker.declaration(of: "thumbs")
      #expect(declared.share == 50)
      #expect(declared.floor == .mebibytes(8))
      #expect(declared.ceiling == .gibibytes(1))
      #expect(declared.costMicrosecondsPerMiB == 1_000)
      #expect(declared.minimumLevel == .medium)
      #expect(declared.release == .gc)
      #expect(declared.labels == [.init(key: "kind", value: "jpeg")])
      #expect(try await broker.session().clientName == "imgd")
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a change of policy is told")
  func update() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(5)))
      try await broker.registered("thumbs")
      registration.update(CachePolicy(share: 7, ceiling: .mebibytes(2), rebuildCost: .expensive))
      let declared = try await broker.declaration(of: "thumbs") { $0.share == 7 }
      #expect(declared.ceiling == .mebibytes(2))
      #expect(declared.costMicrosecondsPerMiB == 100_000)
      registration.update(CachePolicy(share: 8))
      #expect(try await broker.declaration(of: "thumbs") { $0.share == 8 }.ceiling == nil)
    }
  }

  @Test("a registration ends with its last reference")
  func letGo() async throws {
    try await withFakeBroker { broker, client in
      do {
        let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(5)))
        try await broker.registered("thumbs")
        withExtendedLifetime(registration) {}
      }
      try await broker.departed("thumbs")
      #expect(client.status().caches == 0)
    }
  }

  @Test("withRegistered registers for as long as its body runs")
  func scoped() async throws {
    try await withFakeBroker { broker, client in
      let cache = FakeCache(bytes: .mebibytes(5))
      let result = try await client.withRegistered("scoped", cache: cache) {
        try await broker.registered("scoped").name
      }
      #expect(result == "scoped")
      try await broker.departed("scoped")
    }
  }

  @Test("caches of one name are told apart")
  func sameName() async throws {
    try await withFakeBroker { broker, client in
      let first = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(1)))
      let second = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(2)))
      try await broker.usage(of: "thumbs") { $0.bytes == .mebibytes(1) }
      try await broker.usage(of: "thumbs.2") { $0.bytes == .mebibytes(2) }
      first.cancel()
      try await broker.departed("thumbs")
      let third = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(3)))
      try await broker.usage(of: "thumbs") { $0.bytes == .mebibytes(3) }
      withExtendedLifetime((second, third)) {}
    }
  }

  @Test("the 63rd cache waits until another leaves")
  func tooMany() async throws {
    try await withFakeBroker { broker, client in
      var registrations: [CacheRegistration] = []
      for number in 1...63 {
        let name = try #require(CacheName("cache-\(number)"))
        registrations.append(client.register(name, cache: FakeCache(bytes: .mebibytes(1))))
      }
      try await broker.registered("cache-62")
      #expect(client.status().caches == 63)
      registrations[4].cancel()
      try await broker.departed("cache-5")
      try await broker.registered("cache-63")
    }
  }

  @Test("a change of usage is reported, a burst of changes in a few reports")
  func reports() async throws {
    try await withFakeBroker { broker, client in
      let cache = FakeCache(bytes: .zero)
      let registration = client.register("thumbs", cache: cache)
      try await broker.registered("thumbs")
      let start = MonotonicInstant.now
      for number in 1...1_000 {
        registration.noteUsageChanged(cache.set(.mebibytes(UInt64(number))))
      }
      try await broker.usage(of: "thumbs") { $0.bytes == .mebibytes(1_000) }
      let elapsed = MonotonicInstant.now.since(start)
      let allowed = Int(elapsed.milliseconds / 100) + 2
      #expect(broker.reports(of: "thumbs").count <= allowed)
    }
  }

  @Test("a cache that says nothing is asked for its usage")
  func polled() async throws {
    let configuration = UCMKClient.Configuration(reportInterval: .milliseconds(100))
    try await withFakeBroker(configuration: configuration) { broker, client in
      let cache = FakeCache(bytes: .mebibytes(10))
      let registration = client.register("thumbs", cache: cache)
      try await broker.usage(of: "thumbs") { $0.bytes == .mebibytes(10) }
      _ = cache.set(.mebibytes(50))
      try await broker.usage(of: "thumbs") { $0.bytes == .mebibytes(50) }
      withExtendedLifetime(registration) {}
    }
  }

  @Test("status tells the session, the requests and what was freed")
  func status() async throws {
    try await withFakeBroker { broker, client in
      #expect(client.status().connection == .disconnected)
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(9)))
      let known = try await broker.registered("thumbs")
      _ = try await broker.shrink([ShrinkTarget(known, .mebibytes(4))])
      try await broker.ping()
      let status = client.status()
      #expect(status.connection == .connected(session: "c1"))
      #expect(status.requests == 1)
      #expect(status.freed == .mebibytes(4))
      #expect(status.level == .medium)
      #expect(status.caches == 1)
      #expect(status.pressureWatch == .none)
      withExtendedLifetime(registration) {}
    }
  }
}
