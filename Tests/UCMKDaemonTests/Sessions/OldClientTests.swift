// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

/// Clients of another age than the daemon (`docs/PROTOCOL.md` §8).
@Suite("clients of another version")
struct OldClientTests {
  @Test(
    "a version in common is spoken, whatever else either side knows",
    arguments: [(1, 1), (1, 2), (1, 4_294_967)] as [(Int, Int)]
  )
  func common(least: Int, most: Int) throws {
    let stage = try DaemonStage()
    let client = try stage.connect()
    let range = #"{"min":\#(least),"max":\#(most)}"#
    let answer = client.call("hello", #"{"protocol":\#(range),"client":{"name":"x"}}"#)
    #expect(answer["result"]["protocol"] == 1)
    client.register("cache", bytes: 1 << 20)
    #expect(client.call("limit.get")["result"]["level"] == "none")
  }

  @Test("with none in common it is told which there are, and may try again on the connection")
  func none() throws {
    let stage = try DaemonStage()
    let client = try stage.connect()
    let answer = client.call("hello", #"{"protocol":{"min":2,"max":3},"client":{"name":"x"}}"#)
    #expect(answer.code == -32_001)
    #expect(answer.data == ["min": 1, "max": 1])
    #expect(client.call("ping").code == -32_000, "it has not said hello")
    #expect(client.hello()["protocol"] == 1)
    #expect(stage.daemon.broker.totals.clients == 1)
  }

  @Test("notifications of another version are ignored, however many")
  func notifications() throws {
    let stage = try DaemonStage()
    let member = try stage.member("odd", mebibytes: 100, pid: 7)
    for _ in 1...20 {
      member.notify("cache.prefetch", #"{"id":1}"#)
      member.send(#"{"jsonrpc":"2.0","method":"mood"}"#)
      // What only a daemon says.
      member.notify("shrink", #"{"round":1}"#)
      member.notify("relax", #"{"round":1,"level":"none"}"#)
    }
    #expect(member.drain().isEmpty)
    #expect(member.call("ping")["result"] != .absent)
    _ = try stage.control().call("trigger", #"{"bytes":4096,"wait":false}"#)
    #expect(member.next("shrink") != nil)
  }

  @Test("params of another version are passed over where the rest is right")
  func params() throws {
    let stage = try DaemonStage()
    let client = try stage.connect()
    let hello = client.hello(
      "new",
      #","capabilities":{"shrink":true,"teleport":true},"mood":"calm""#
    )
    #expect(hello["session"] == "c1")
    #expect(client.register("cache", bytes: 1 << 20, #","colour":"red""#) == 1)
    client.notify(
      "cache.report",
      #"{"caches":[{"id":1,"bytes":5242880,"reclaimable":5242880,"shape":7}],"at":3}"#
    )
    stage.serve()
    #expect(stage.daemon.broker.totals.registered == .mebibytes(5))
  }

  @Test("an answer with members of another version counts; one without the new ones too")
  func answers() throws {
    let stage = try DaemonStage()
    let member = try stage.member("new", mebibytes: 100, pid: 7)
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":8192}"#)
    let shrink = try #require(member.next("shrink"))
    member.send(
      #"{"jsonrpc":"2.0","id":\#(shrink["id"].int ?? 0),"result":{"round":1,"targets":["#
        + #"{"id":1,"freed":8192,"bytes":1048576,"reclaimable":1048576,"more":true,"#
        + #""method":"compress"}],"took_ms":1,"thanks":true}}"#
    )
    stage.serve()
    stage.advance(.milliseconds(300))
    let round = root.answer(to: id)["result"]
    #expect(round["state"] == "closed")
    #expect(round["claimed"] == 8_192)
    #expect(round["clients"][0]["outcome"] == "done")
  }

  @Test("a request of another version is -32601 with its name, and the session goes on")
  func requests() throws {
    let stage = try DaemonStage()
    let member = try stage.member("new", mebibytes: 100, pid: 7)
    let answer = member.call("cache.prefetch", #"{"id":1}"#)
    #expect(answer.code == -32_601)
    #expect(answer.data == ["method": "cache.prefetch"])
    #expect(member.call("ping")["result"] != .absent)
  }
}
