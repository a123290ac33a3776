// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("idle")
struct IdleTests {
  @Test("with nobody there, nothing wakes the daemon")
  func nobody() throws {
    let stage = try DaemonStage()
    #expect(stage.daemon.nextWake == nil)
    do {
      let member = try stage.member("a", mebibytes: 1)
      #expect(stage.daemon.nextWake != nil)
      withExtendedLifetime(member) {}
    }
    stage.serve()
    stage.advance(.seconds(60))
    #expect(stage.daemon.nextWake == nil)
    #expect(stage.daemon.sessions.count == 0)
  }

  @Test("a member that holds nothing is woken for by its heartbeat alone")
  func emptyMember() throws {
    let stage = try DaemonStage()
    let member = try stage.connect()
    member.hello("empty")
    stage.advance(.seconds(6))
    let next = try #require(stage.daemon.nextWake)
    #expect(next.since(stage.now) > .seconds(5))
  }

  @Test("time that stands still or passes in one leap is no harm")
  func leap() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    for _ in 0..<100 { stage.daemon.wake() }
    stage.advance(.seconds(86_400))
    #expect(member.waitForClose())
    #expect(stage.daemon.nextWake == nil)
  }

  @Test("tokens of sessions are never used again, their places are")
  func tokens() throws {
    let stage = try DaemonStage()
    var seen: Set<UInt64> = []
    for _ in 0..<20 {
      let client = try stage.connect()
      client.hello()
      stage.daemon.sessions.forEach { seen.insert($0.token) }
      client.notify("bye")
      #expect(client.waitForClose())
    }
    #expect(seen.count == 20)
    #expect(Set(seen.map { $0 & 0xF_FFFF }).count == 1)
  }
}

@Suite("automatic rounds")
struct AutomaticTests {
  @Test("below the low watermark the members are asked, and relaxed after recovery")
  func watermark() throws {
    let stage = try DaemonStage()
    let members = try (0..<3).map {
      try stage.member("m\($0)", mebibytes: 100, pid: Int32($0 + 1))
    }
    stage.host(available: 30)
    let watcher = try stage.control()
    // Before anybody counts as silent.
    for _ in 0..<24 where watcher.call("round.list")["result"]["rounds"].elements.isEmpty {
      stage.advance(.milliseconds(250))
    }
    var asked = 0
    for member in members {
      let shrink = try #require(member.next("shrink"))
      #expect(shrink["params"]["scope"] == ["kind": "host"])
      asked += shrink["params"]["targets"].sum("bytes")
      member.comply(with: shrink, size: 100 << 20)
    }
    stage.serve()
    let root = try stage.control()
    stage.host(available: 400)
    stage.advance(.seconds(1))
    let round = root.call("round.list")["result"]["rounds"][0]
    #expect(round["reason"] == "watermark")
    #expect(round["state"] == "closed")
    #expect(round["part"].int == min(round["target"].int ?? 0, 300 << 20))
    #expect(round["asked"].int == asked)
    for member in members {
      let held = member.call("limit.get")["result"]
      #expect(held["caches"][0]["limit"].int != nil, "held until memory is back")
    }
    stage.advance(.seconds(15))
    for member in members {
      let relax = try #require(member.next("relax"))
      #expect(relax["params"]["round"] == round["round"])
      #expect(member.call("limit.get")["result"]["caches"][0]["limit"] == .null)
    }
    #expect(root.call("daemon.status")["result"]["level"] == "none")
  }

  @Test("an alarm of the environment's source is medium, where memory is below the high mark")
  func watch() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 300)
    stage.daemon.pressureWatchFired()
    #expect(member.next("shrink") == nil, "nothing is short")
    stage.host(available: 90)
    stage.daemon.pressureWatchFired()
    let shrink = try #require(member.next("shrink"))
    #expect(shrink["params"]["level"] == "medium")
    let rounds = try stage.control().call("round.list")["result"]["rounds"]
    #expect(rounds[0]["reason"] == "trigger")
  }

  @Test("a cgroup that is short asks its own members alone; a bystander hears nothing")
  func cgroup() throws {
    let stage = try DaemonStage(files: [
      ("cgroup/shop/memory.current", "94371840\n"), ("cgroup/shop/memory.max", "104857600\n"),
      ("cgroup/shop/memory.stat", "inactive_file 0\nslab_reclaimable 0\n"),
    ])
    stage.process(7, resident: 80, cgroup: "/shop/web")
    stage.process(8, resident: 80, cgroup: "/other")
    let (inside, outside) = (try stage.connect(pid: 7), try stage.connect(pid: 8))
    for client in [inside, outside] {
      client.hello()
      client.register("cache", bytes: 60 << 20)
    }
    let root = try stage.control()
    #expect(
      root.call("daemon.status")["result"]["domains"][1]["scope"]
        == ["kind": "cgroup", "path": "/shop"]
    )
    stage.tree.write("cgroup/shop/memory.current", "103809024\n")
    stage.advance(.seconds(6))
    let shrink = try #require(inside.next("shrink"))
    #expect(shrink["params"]["scope"] == ["kind": "cgroup", "path": "/shop"])
    #expect(outside.drain().isEmpty)
    stage.tree.remove("cgroup/shop")
    stage.advance(.seconds(10))
    #expect(root.call("daemon.status")["result"]["domains"].elements.count == 1)
  }
}
