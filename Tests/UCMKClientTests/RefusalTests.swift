// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKClientTestKit

@Suite("answers that are errors")
struct RefusalTests {
  struct Broken: Error {}

  @Test("a shrinker that refuses is quoted")
  func refusal() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("busy") {
        CacheUsage.zero
      } shrink: { _ in
        throw ShrinkRefusal(retryAfter: .milliseconds(700), reason: "compiling")
      }
      let known = try await broker.registered("busy")
      let rejection = try await rejection {
        try await broker.shrink([ShrinkTarget(known, .mebibytes(1))])
      }
      #expect(rejection.code == -32_009)
      #expect(rejection.retryAfter == .milliseconds(700))
      #expect(rejection.reason == "compiling")
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a shrinker that throws anything else refuses for five seconds")
  func otherError() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("broken") {
        CacheUsage.zero
      } shrink: { _ in
        throw Broken()
      }
      let known = try await broker.registered("broken")
      let rejection = try await rejection {
        try await broker.shrink([ShrinkTarget(known, .mebibytes(1))])
      }
      #expect(rejection.code == -32_009)
      #expect(rejection.retryAfter == .milliseconds(5_000))
      #expect(rejection.reason == nil)
      withExtendedLifetime(registration) {}
    }
  }

  @Test("one cache that refuses spoils no answer of another")
  func oneOfTwo() async throws {
    try await withFakeBroker { broker, client in
      let broken = client.register("broken") {
        CacheUsage(bytes: .mebibytes(3), reclaimable: .zero)
      } shrink: { _ in
        throw Broken()
      }
      let good = client.register("good", cache: FakeCache(bytes: .mebibytes(9)))
      let brokenID = try await broker.registered("broken")
      let goodID = try await broker.registered("good")
      let answer = try await broker.shrink([
        ShrinkTarget(brokenID, .mebibytes(1)), ShrinkTarget(goodID, .mebibytes(2)),
      ])
      #expect(answer.targets.map(\.freed) == [.zero, .mebibytes(2)])
      #expect(answer.targets.map(\.more) == [false, true])
      withExtendedLifetime((broken, good)) {}
    }
  }

  @Test("a request that is taken back is answered at once, and the shrinker is told to stop")
  func cancelled() async throws {
    try await withFakeBroker { broker, client in
      let (started, stopped) = (Gate(), Gate())
      let registration = client.register("long") {
        CacheUsage.zero
      } shrink: { request in
        started.open()
        guard request.round == 1 else {
          // What was taken back is the request before, not this one.
          #expect(!request.isCancelled)
          return .nothing
        }
        while !request.isOver { await Task.yield() }
        #expect(request.isCancelled)
        stopped.open()
        return .nothing
      }
      let known = try await broker.registered("long")
      let request = broker.ask(
        [ShrinkTarget(known, .mebibytes(1))],
        ShrinkTerms(deadline: .seconds(60))
      )
      await started.pass()
      broker.cancel(request)
      let rejection = try await rejection { try await broker.answer(to: request) }
      #expect(rejection.code == -32_010)
      await stopped.pass()
      #expect(try await broker.shrink([ShrinkTarget(known, .mebibytes(1))]).targets.count == 1)
      withExtendedLifetime(registration) {}
    }
  }

  @Test("caches that are not there are unknown; one of several counts as empty")
  func unknownCache() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("here", cache: FakeCache(bytes: .mebibytes(9)))
      let known = try await broker.registered("here")
      let strange = ShrinkTarget(id: CacheID(999), .mebibytes(1))
      let rejection = try await rejection { try await broker.shrink([strange]) }
      #expect(rejection.code == -32_004)
      let answer = try await broker.shrink([strange, ShrinkTarget(known, .mebibytes(1))])
      #expect(answer.targets.map(\.freed) == [.zero, .mebibytes(1)])
      #expect(answer.targets.map(\.bytes) == [.zero, .mebibytes(8)])
      withExtendedLifetime(registration) {}
    }
  }

  @Test(
    "bad params are -32602, an unknown method is -32601",
    arguments: [
      ("shrink", "{}", -32_602),
      (
        "shrink",
        #"{"round":1,"attempt":9,"level":"low","scope":{"kind":"host"},"deadline_ms":1000,"#
          + #""targets":[{"id":1,"bytes":1}]}"#,
        -32_602
      ),
      (
        "shrink",
        #"{"round":1,"attempt":1,"level":"low","scope":{"kind":"host"},"deadline_ms":10,"#
          + #""targets":[{"id":1,"bytes":1}]}"#,
        -32_602
      ),
      (
        "shrink",
        #"{"round":1,"attempt":1,"level":"low","scope":{"kind":"host"},"deadline_ms":1000,"#
          + #""targets":[]}"#,
        -32_602
      ),
      ("hibernate", "{}", -32_601),
      ("cache.register", "{}", -32_601),
    ]
  )
  func bad(method: String, params: String, code: Int) async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("here", cache: FakeCache(bytes: .mebibytes(9)))
      try await broker.registered("here")
      let rejection = try await broker.rejection(of: method, params: params)
      #expect(rejection.code == code)
      withExtendedLifetime(registration) {}
    }
  }

  @Test("the 33rd request in flight is told to come back")
  func busy() async throws {
    try await withFakeBroker { broker, client in
      let gate = Gate()
      let registration = client.register("slow") {
        CacheUsage.zero
      } shrink: { _ in
        await gate.pass()
        return .nothing
      }
      let known = try await broker.registered("slow")
      let requests = (1...32).map { _ in
        broker.ask([ShrinkTarget(known, .mebibytes(1))], ShrinkTerms(deadline: .seconds(60)))
      }
      let rejection = try await rejection {
        try await broker.shrink([ShrinkTarget(known, .mebibytes(1))])
      }
      #expect(rejection.code == -32_006)
      #expect(rejection.retryAfter == .milliseconds(500))
      gate.open()
      for request in requests { _ = try await broker.answer(to: request) }
      withExtendedLifetime(registration) {}
    }
  }

  /// The error with which the client answers what `body` asks.
  private func rejection(
    _ body: () async throws -> ShrinkAnswer
  ) async throws -> FakeBrokerError.Rejection {
    do {
      let answer = try await body()
      Issue.record("an answer where an error was due: \(answer)")
      throw Broken()
    } catch FakeBrokerError.rejected(let rejection) {
      return rejection
    }
  }
}
