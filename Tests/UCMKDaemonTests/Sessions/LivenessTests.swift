// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("liveness and resume")
struct LivenessTests {
  @Test("a silent connection is pinged after 15 s, and closed after another 15")
  func silent() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 1)
    stage.advance(.milliseconds(14_900))
    #expect(member.drain().isEmpty)
    stage.advance(.milliseconds(200))
    let ping = try #require(member.next("ping"))
    #expect(ping["id"].int != nil)
    #expect(ping["params"] == [:])
    stage.advance(.milliseconds(14_800))
    #expect(!member.isClosed)
    stage.advance(.milliseconds(300))
    #expect(member.waitForClose())
    #expect(stage.daemon.sessions.count == 0)
  }

  @Test("one that answers stays, for as long as it likes")
  func answers() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 1)
    for _ in 0..<10 {
      stage.advance(.milliseconds(15_050))
      let ping = try #require(member.next("ping"))
      member.send(
        #"{"jsonrpc":"2.0","id":\#(ping["id"].int ?? 0),"result":{"monotonic_ns":1}}"#
      )
      stage.serve()
    }
    #expect(member.call("ping")["result"] != .absent)
  }

  @Test("one that speaks is not pinged")
  func speaks() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 1)
    for _ in 0..<6 {
      stage.advance(.seconds(10))
      #expect(member.call("ping")["result"] != .absent)
    }
    #expect(member.drain().isEmpty)
  }

  @Test("pings that are never answered take no place from other requests")
  func unansweredPings() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    for _ in 0..<40 {
      stage.advance(.milliseconds(15_050))
      member.notify("unheard.of")
      stage.serve()
    }
    #expect(member.drain().filter { $0["method"] == "ping" }.count == 40)
    _ = try stage.control().call("trigger", #"{"bytes":4096,"wait":false}"#)
    #expect(member.next("shrink") != nil)
  }

  @Test("a lost session comes back with its token within 10 s: caches, ids, session")
  func resume() throws {
    let stage = try DaemonStage()
    var token = ""
    do {
      let member = try stage.connect(uid: 1_000, pid: 7)
      token = member.hello("a")["resume_token"].string ?? ""
      member.register("first", bytes: 1 << 20)
      member.register("second", bytes: 2 << 20)
      _ = member.call("cache.unregister", #"{"ids":[1]}"#)
    }
    stage.serve()
    stage.advance(.milliseconds(9_900))
    let back = try stage.connect(uid: 1_000, pid: 8)
    let hello = back.hello("a", #","resume":"\#(token)""#)
    #expect(hello["resumed"] == true)
    #expect(hello["session"] == "c1")
    #expect(hello["resume_token"].string != token)
    let shown = back.call("client.get", #"{"session":"c1"}"#)["result"]
    #expect(shown["pid"] == 8)
    #expect(shown["caches"].elements.count == 1)
    #expect(shown["caches"][0]["id"] == 2)
    #expect(shown["caches"][0]["bytes"] == 2_097_152)
    #expect(back.register("third", bytes: 1) == 3)
    let third = try stage.connect(uid: 1_000, pid: 9)
    #expect(third.hello("a", #","resume":"\#(token)""#)["resumed"] == false, "once")
  }

  @Test("a token that is over, unknown, or another uid's is no token")
  func noResume() throws {
    let stage = try DaemonStage()
    var token = ""
    func lose() throws {
      let member = try stage.connect(uid: 1_000)
      token = member.hello("a")["resume_token"].string ?? ""
      member.register("cache", bytes: 1)
    }
    try lose()
    stage.serve()
    let thief = try stage.connect(uid: 1_001)
    #expect(thief.hello("a", #","resume":"\#(token)""#)["resumed"] == false)
    let wrong = try stage.connect(uid: 1_000)
    #expect(wrong.hello("a", #","resume":"0""#)["resumed"] == false)
    stage.advance(.milliseconds(10_100))
    let late = try stage.connect(uid: 1_000)
    #expect(late.hello("a", #","resume":"\#(token)""#)["resumed"] == false)
    #expect(late.call("limit.get")["result"]["caches"] == [])
  }

  @Test("a token that is in use is no token")
  func inUse() throws {
    let stage = try DaemonStage()
    let member = try stage.connect(uid: 1_000)
    let token = member.hello("a")["resume_token"].string ?? ""
    let twin = try stage.connect(uid: 1_000)
    #expect(twin.hello("a", #","resume":"\#(token)""#)["resumed"] == false)
    #expect(member.call("ping")["result"] != .absent)
  }

  @Test("it may be back before the daemon has seen it go")
  func resumeInOneTurn() throws {
    let stage = try DaemonStage()
    var member: WireClient? = try stage.connect(uid: 1_000)
    let token = member?.hello("a")["resume_token"].string ?? ""
    member?.register("cache", bytes: 1)
    // The old connection ends and the new one speaks before the daemon's next turn.
    member = nil
    let back = try stage.connect(uid: 1_000)
    #expect(back.hello("a", #","resume":"\#(token)""#)["resumed"] == true)
  }

  @Test("what is not resumed in time is gone for good")
  func expiry() throws {
    let stage = try DaemonStage()
    do { _ = try stage.member("a", mebibytes: 5) }
    stage.serve()
    stage.advance(.milliseconds(10_100))
    let status = try stage.control().call("daemon.status")["result"]
    #expect(status["counts"]["clients"] == 0)
    #expect(status["counts"]["caches"] == 0)
    #expect(status["bytes"]["registered"] == 0)
  }

  @Test("bye ends the connection; the token still counts")
  func bye() throws {
    let stage = try DaemonStage()
    let member = try stage.connect(uid: 1_000)
    let token = member.hello("a")["resume_token"].string ?? ""
    member.register("cache", bytes: 1)
    member.notify("bye", #"{"reason":"upgrade"}"#)
    #expect(member.waitForClose())
    let back = try stage.connect(uid: 1_000)
    #expect(back.hello("a", #","resume":"\#(token)""#)["resumed"] == true)
  }

  @Test("shutdown is told to everybody, who waits is answered")
  func shutdown() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    let greeting = try stage.connect()
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":4096}"#)
    stage.serve()
    stage.daemon.stop()
    let told = try #require(member.next("shutdown"))
    #expect(told["id"] == .absent)
    #expect(told["params"] == ["reconnect_after_ms": 500])
    let answer = root.answer(to: id)
    #expect(answer.code == -32_007)
    #expect(answer.data == ["reconnect_after_ms": 500])
    #expect(greeting.drain().isEmpty)
    stage.daemon.stop()
    #expect(member.drain().filter { $0["method"] == "shutdown" }.isEmpty, "once")
  }
}
