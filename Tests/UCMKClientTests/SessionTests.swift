// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKClientTestKit

@Suite("connections that come and go")
struct SessionTests {
  @Test("caches registered without a daemon are told to the one that comes")
  func noDaemon() async throws {
    try await withFakeBroker { broker, client in
      broker.leave()
      let cache = FakeCache(bytes: .mebibytes(7))
      let registration = client.register("early", cache: cache)
      #expect(client.status().caches == 1)
      broker.comeBack()
      try await broker.registered("early")
      try await broker.usage(of: "early") { $0.bytes == .mebibytes(7) }
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a lost connection comes back with its caches and their ids")
  func resume() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
      let known = try await broker.registered("thumbs")
      broker.loseConnection()
      let session = try await broker.session(2)
      #expect(session.isResumed)
      #expect(try await broker.registered("thumbs") == known)
      let answer = try await broker.shrink([ShrinkTarget(known, .mebibytes(1))])
      #expect(answer.freed == .mebibytes(1))
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a resumed session asks for the limits it may have missed")
  func resumeLimits() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
      let known = try await broker.registered("thumbs")
      broker.limit(known, to: .mebibytes(3))
      try await broker.ping()
      broker.loseConnection()
      broker.limit(known, to: nil)
      try await broker.session(2)
      _ = try await broker.line { $0.contains("limit.get") }
      try await broker.ping()
      #expect(registration.limit == .none)
    }
  }

  @Test("a daemon that forgot the session gets the caches anew")
  func registerAnew() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
      let known = try await broker.registered("thumbs")
      broker.limit(known, to: .mebibytes(3))
      try await broker.ping()
      broker.forgetSessionsFromNowOn()
      broker.loseConnection()
      let session = try await broker.session(2)
      #expect(!session.isResumed)
      let again = try await broker.registered("thumbs")
      #expect(again.id != known.id)
      #expect(registration.limit == .none)
    }
  }

  @Test("a cache that left while the connection was down is taken back afterwards")
  func leftMeanwhile() async throws {
    try await withFakeBroker { broker, client in
      let stays = client.register("stays", cache: FakeCache(bytes: .mebibytes(7)))
      let leaves = client.register("leaves", cache: FakeCache(bytes: .mebibytes(7)))
      try await broker.registered("stays")
      try await broker.registered("leaves")
      broker.leave()
      try await broker.disconnected(1)
      leaves.cancel()
      broker.comeBack()
      #expect(try await broker.session(2).isResumed)
      try await broker.departed("leaves")
      try await broker.registered("stays")
      withExtendedLifetime(stays) {}
    }
  }

  @Test("a daemon that says nothing is given up and tried again")
  func silence() async throws {
    try await withFakeBroker(heartbeat: .milliseconds(250)) { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
      try await broker.registered("thumbs")
      broker.setSilent(true)
      try await broker.disconnected(1)
      broker.setSilent(false)
      try await broker.session(2)
      try await broker.registered("thumbs")
      #expect(client.status().disconnects >= 1)
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a shutdown is believed: not before its time does the client come back")
  func shutdown() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
      try await broker.registered("thumbs")
      let before = MonotonicInstant.now
      broker.shutDown(reconnectAfter: .milliseconds(120))
      try await broker.session(2)
      #expect(MonotonicInstant.now.since(before) >= .milliseconds(120))
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a daemon that is full is tried again")
  func full() async throws {
    try await withFakeBroker { broker, client in
      broker.refuseGreetings(retryAfter: .milliseconds(1))
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
      try await broker.disconnected(2)
      broker.refuseGreetings(retryAfter: nil)
      try await broker.registered("thumbs")
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a malformed line is answered by a parse error and harms nothing")
  func malformed() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
      let known = try await broker.registered("thumbs")
      broker.sendLine("{nonsense")
      let line = try await broker.line { $0.contains("-32700") }
      #expect(line.contains(#""id":null"#))
      let answer = try await broker.shrink([ShrinkTarget(known, .mebibytes(1))])
      #expect(answer.freed == .mebibytes(1))
      withExtendedLifetime(registration) {}
    }
  }

  @Test("eight malformed lines in a row end the connection, seven do not")
  func malformedEight() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
      try await broker.registered("thumbs")
      for _ in 1...7 { broker.sendLine("]") }
      try await broker.ping()
      for _ in 1...8 { broker.sendLine("]") }
      try await broker.disconnected(1)
      try await broker.session(2)
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a line above the limit ends the connection")
  func oversized() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
      try await broker.registered("thumbs")
      broker.sendLine(String(repeating: "x", count: 262_145))
      try await broker.disconnected(1)
      try await broker.session(2)
      withExtendedLifetime(registration) {}
    }
  }

  @Test("shutting down says good-bye and takes the caches back")
  func farewell() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
      try await broker.registered("thumbs")
      client.shutdown()
      try await broker.farewell()
      try await broker.departed("thumbs")
      #expect(client.status().connection == .disabled)
      #expect(client.status().caches == 0)
      withExtendedLifetime(registration) {}
    }
  }

  @Test("run() connects, and a cancelled task shuts the client down")
  func run() async throws {
    try await withFakeBroker { broker, client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await client.run() }
        try await broker.session()
        group.cancelAll()
        try await group.waitForAll()
      }
      try await broker.farewell()
      #expect(client.status().connection == .disabled)
    }
  }

  @Test("a registration keeps its client; the last of both to go ends the connection")
  func letGo() async throws {
    let broker = try FakeBroker()
    var configuration = UCMKClient.Configuration(transport: .unixSocket(path: broker.socketPath))
    configuration.fallback = .none
    var client: UCMKClient? = UCMKClient(configuration: configuration)
    var registration = client?.register("thumbs", cache: FakeCache(bytes: .mebibytes(7)))
    let cache = try await broker.registered("thumbs")
    client = nil
    let answer = try await broker.shrink([ShrinkTarget(cache, .mebibytes(1))])
    #expect(answer.targets.first?.freed == .mebibytes(1))
    withExtendedLifetime(registration) {}
    registration = nil
    try await broker.farewell()
    broker.stop()
  }
}
