// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKClientTestKit
import UCMKModel

/// A client that is older than its daemon (`docs/PROTOCOL.md` §8): what it does not know does no
/// harm.
@Suite("a newer daemon")
struct NewerDaemonTests {
  @Test("members of a greeting that nobody knows are passed over")
  func greeting() {
    let harness = EngineHarness()
    harness.add("a", .mebibytes(10))
    harness.goLive(
      extra: #","moods":["calm"],"limits":{"line_in":65536,"wishes":3},"#
        + #""you":{"pid":1,"uid":0,"gid":0,"cgroup":null,"roles":["member","oracle"]},"#
        + #""capabilities":{"shrink":true,"teleport":true}"#
    )
    #expect(harness.engine.phase == .live(session: "c1"))
    #expect(harness.sent().count { $0.contains("cache.register") } == 1)
    #expect(harness.engine.verdict == .stay)
  }

  @Test("a version that was not offered ends the session: nobody could say what it means")
  func foreignVersion() {
    let harness = EngineHarness()
    harness.add("a", .mebibytes(10))
    harness.engine.connected(at: harness.now)
    let hello = harness.sent()
    #expect(hello[0].contains(#""protocol":{"min":1,"max":1}"#))
    harness.send(
      #"{"jsonrpc":"2.0","id":\#(harness.id(of: hello[0])),"result":{"protocol":2,"#
        + #""session":"c1","resume_token":"t1","resumed":false}}"#
    )
    #expect(harness.engine.verdict == .close)
    #expect(harness.engine.reconnectAfter == .seconds(30))
    #expect(harness.sent().isEmpty)
  }

  @Test("a daemon that no longer speaks this version is asked again in 30 s, not at once")
  func refused() {
    let harness = EngineHarness()
    harness.engine.connected(at: harness.now)
    let hello = harness.sent()
    harness.send(
      #"{"jsonrpc":"2.0","id":\#(harness.id(of: hello[0])),"error":{"code":-32001,"#
        + #""message":"version not supported","data":{"min":2,"max":3}}}"#
    )
    #expect(harness.engine.verdict == .close)
    #expect(harness.engine.reconnectAfter == .seconds(30))
  }

  @Test("notifications that nobody knows are ignored, each of them; what follows is served")
  func notifications() async throws {
    try await withFakeBroker { broker, client in
      let cache = FakeCache(bytes: .mebibytes(20))
      let registration = client.register("thumbs", cache: cache)
      let known = try await broker.registered("thumbs")
      for line in [
        #"{"jsonrpc":"2.0","method":"forecast","params":{"minutes":5}}"#,
        #"{"jsonrpc":"2.0","method":"forecast"}"#,
        #"{"jsonrpc":"2.0","method":"notice","params":{"kind":"eclipse","until":7}}"#,
        #"{"jsonrpc":"2.0","method":"relax","params":{"round":1,"level":"serene"}}"#,
        #"{"jsonrpc":"2.0","method":"$/progress","params":{"id":1}}"#,
        #"{"jsonrpc":"2.0","id":77,"result":{"an answer":"to nothing"}}"#,
      ] {
        // More than the eight malformed lines that would end the connection.
        for _ in 1...4 { broker.sendLine(line) }
      }
      let answer = try await broker.shrink([ShrinkTarget(known, .mebibytes(5))])
      #expect(answer.targets.map(\.freed) == [.mebibytes(5)])
      #expect(client.status().disconnects == 0)
      withExtendedLifetime(registration) {}
    }
  }

  @Test("a request with members that nobody knows is answered; an unknown one is -32601")
  func requests() async throws {
    try await withFakeBroker { broker, client in
      let cache = FakeCache(bytes: .mebibytes(20))
      let registration = client.register("thumbs", cache: cache)
      let known = try await broker.registered("thumbs")
      broker.sendLine(
        #"{"jsonrpc":"2.0","id":900,"method":"shrink","params":{"round":3,"attempt":1,"#
          + #""level":"medium","scope":{"kind":"planet","name":"earth"},"deadline_ms":1000,"#
          + #""targets":[{"id":\#(known.id.number),"bytes":4096,"colour":"red"}],"#
          + #""trim":false,"dry_run":false,"mercy":true}}"#
      )
      let line = try await broker.line { $0.contains(#""id":900"#) }
      #expect(line.contains(#""freed":4096"#), "\(line)")
      let rejection = try await broker.rejection(of: "cache.compact", params: #"{"id":1}"#)
      #expect(rejection.code == -32_601)
      #expect(try await broker.shrink([ShrinkTarget(known, .mebibytes(1))]).targets.count == 1)
      withExtendedLifetime(registration) {}
    }
  }
}
