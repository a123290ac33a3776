// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

/// What becomes of clients that take no requests to shrink (`docs/PROTOCOL.md` §5 and §8).
@Suite("capabilities")
struct CapabilityTests {
  private let plan = #"{"bytes":167772160}"#

  @Test("one that cannot shrink is shown, and in no capacity and no part")
  func declared() throws {
    let stage = try DaemonStage()
    let deaf = try stage.connect(pid: 7)
    deaf.hello("deaf", #","capabilities":{"shrink":false}"#)
    deaf.register("cache", bytes: 100 << 20)
    let member = try stage.member("able", mebibytes: 100, pid: 8)
    let root = try stage.control()
    let answer = root.call("plan", plan)["result"]
    #expect(answer["capacity"].int == 100 << 20)
    #expect(answer["part"].int == 100 << 20)
    #expect(answer["unmet"].int == 60 << 20)
    #expect(answer["clients"].elements.map { $0["name"] } == ["able"])
    #expect(
      answer["excluded"] == [["session": "c1", "name": "deaf", "pid": 7, "reason": "no-requests"]]
    )
    let id = root.request("trigger", plan)
    let shrink = try #require(member.next("shrink"))
    #expect(shrink["params"]["targets"].sum("bytes") == 100 << 20)
    member.comply(with: shrink, size: 100 << 20)
    stage.serve()
    stage.advance(.milliseconds(300))
    let round = root.answer(to: id)["result"]
    #expect(round["state"] == "closed")
    #expect(round["capacity"].int == 100 << 20)
    #expect(round["clients"].elements.map { $0["outcome"] } == ["done"])
    #expect(deaf.drain().isEmpty)
    #expect(root.call("client.list")["result"]["clients"].elements.count == 2)
  }

  @Test("one that answers that it does not know shrink is planned for no longer")
  func learned() throws {
    let stage = try DaemonStage()
    let old = try stage.member("old", mebibytes: 100, pid: 7)
    let root = try stage.control()
    #expect(root.call("plan", plan)["result"]["capacity"].int == 100 << 20)
    #expect(root.call("plan", plan)["result"]["excluded"] == [])
    _ = root.call("trigger", #"{"bytes":4096,"wait":false}"#)
    let shrink = try #require(old.next("shrink"))
    old.send(
      #"{"jsonrpc":"2.0","id":\#(shrink["id"].int ?? 0),"#
        + #""error":{"code":-32601,"message":"method not found","data":{"method":"shrink"}}}"#
    )
    stage.serve()
    let answer = root.call("plan", plan)["result"]
    #expect(answer["capacity"].int == 0)
    #expect(answer["clients"] == [])
    #expect(answer["excluded"][0]["reason"] == "no-requests")
    // The limits above clients are looked at again and again: that brings it back as little.
    stage.advance(.seconds(11))
    old.notify("cache.report", #"{"caches":[{"id":1,"bytes":1,"reclaimable":1}]}"#)
    stage.daemon.relocateClients(force: true)
    #expect(root.call("plan", plan)["result"]["excluded"][0]["reason"] == "no-requests")
    // A new session is a new program.
    old.notify("bye")
    let next = try stage.member("new", mebibytes: 100, pid: 7)
    #expect(root.call("plan", plan)["result"]["capacity"].int == 100 << 20)
    withExtendedLifetime(next) {}
  }

  @Test("the list of those left out is cut before the line is too long")
  func manyDeaf() throws {
    var settings = Settings()
    settings.connectionsPerUser = 4_096
    let stage = try DaemonStage(settings)
    let name = String(repeating: "n", count: 64)
    let deaf = try (0..<1_500).map { _ in
      let client = try stage.connect(pid: 7)
      client.hello(name, #","capabilities":{"shrink":false}"#)
      client.register("cache", bytes: 1)
      return client
    }
    let root = try stage.control()
    let excluded = root.call("plan", plan)["result"]["excluded"].elements
    #expect(excluded.count > 1_000)
    #expect(excluded.allSatisfy { $0["name"].string == name })
    #expect(root.longestLine <= 262_144)
    withExtendedLifetime(deaf) {}
  }
}
