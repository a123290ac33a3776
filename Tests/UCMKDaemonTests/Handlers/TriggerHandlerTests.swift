// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKProtocol
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("trigger handler")
struct TriggerHandlerTests {
  static let mebibyte = 1 << 20

  @Test("asks, waits, measures, and answers with the round")
  func wholeRound() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100, pid: 7)
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":41943040,"level":"medium"}"#)
    let shrink = try #require(member.next("shrink"))
    #expect(
      shrink["params"] == [
        "round": 1, "attempt": 1, "level": "medium", "scope": ["kind": "manual"],
        "deadline_ms": 2_000, "trim": true, "dry_run": false,
        "targets": [["id": 1, "bytes": 41_943_040, "limit": 62_914_560]],
      ]
    )
    stage.advance(.milliseconds(30))
    stage.process(7, resident: 361)
    member.answer(shrink, [(id: 1, freed: 41_943_040, left: 62_914_560)])
    stage.serve()
    stage.advance(.milliseconds(250))
    let round = root.answer(to: id)["result"]
    #expect(
      round.keys == [
        "asked", "capacity", "claimed", "clients", "dry_run", "level", "measured", "part",
        "reason", "round", "scope", "state", "target", "time_us", "took_ms", "unmet",
      ]
    )
    #expect(round["round"] == 1)
    #expect(round["state"] == "closed")
    #expect(round["reason"] == "manual")
    #expect(round["time_us"] == 1_700_000_000_000_000)
    #expect(round["target"] == 41_943_040)
    #expect(round["capacity"] == 104_857_600)
    #expect(round["part"] == 41_943_040)
    #expect(round["asked"] == 41_943_040)
    #expect(round["claimed"] == 41_943_040)
    #expect(round["measured"] == 40_894_464, "39 of 400 MiB, by the process's own status")
    #expect(round["unmet"] == 1_048_576)
    let client = round["clients"][0]
    #expect(client["session"] == "c1")
    #expect(client["pid"] == 7)
    #expect(client["outcome"] == "done")
    #expect(client["took_ms"] == 30)
    #expect(
      client["caches"][0] == [
        "id": 1, "name": "cache", "part": 41_943_040, "asked": 41_943_040,
        "claimed": 41_943_040,
      ]
    )
    #expect(root.call("round.list")["result"]["rounds"].elements.count == 1)
    #expect(root.call("round.list")["result"]["rounds"][0]["clients"] == .absent)
    let history = root.call("client.get", #"{"session":"c1"}"#)["result"]["history"]
    #expect(
      history[0] == [
        "round": 1, "asked": 41_943_040, "claimed": 41_943_040, "measured": 40_894_464,
        "took_ms": 30, "outcome": "done",
      ]
    )
  }

  @Test("round.get and plan hold all that a quota was computed from")
  func arithmetic() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100, pid: 7)
    let root = try stage.control()
    let plan = root.call("plan", #"{"bytes":41943040}"#)["result"]
    #expect(
      plan.keys == ["capacity", "clients", "excluded", "level", "part", "scope", "target", "unmet"]
    )
    #expect(plan["level"] == "medium")
    #expect(
      plan["clients"][0].keys
        == ["asked", "caches", "cgroup", "inputs", "name", "part", "pid", "session", "steps"]
    )
    #expect(plan["clients"][0]["caches"][0].keys == ["asked", "id", "name", "part"])
    #expect(member.drain().isEmpty, "a plan sends nothing")
    _ = root.call("trigger", #"{"bytes":41943040,"wait":false}"#)
    let round = root.call("round.get", #"{"round":1}"#)["result"]
    #expect(round["state"] == "open")
    for whole in [plan, round] {
      let inputs = whole["clients"][0]["inputs"]["caches"][0]
      for key in [
        "bytes", "reclaimable", "share", "cost_us_per_mib", "trust", "ledger", "floor", "cap",
        "weight",
      ] { #expect(inputs[key].int != nil, "\(key)") }
      #expect(inputs.keys.contains("measured"))
      let steps = whole["clients"][0]["steps"].elements
      #expect(steps.count > 5)
      #expect(steps.allSatisfy { $0.keys == ["text", "value"] })
    }
    #expect(round["clients"][0]["inputs"]["caches"][0]["measured"] == 419_430_400)
  }

  @Test("parts add up to the smaller of target and capacity, exactly")
  func sums() throws {
    let stage = try DaemonStage()
    var members: [WireClient] = []
    for (index, size) in [100, 37, 250, 3].enumerated() {
      members.append(try stage.member("m\(index)", mebibytes: size, pid: Int32(index + 1)))
    }
    let root = try stage.control()
    for (bytes, part) in [(1, 1), (99_999_999, 99_999_999), (1 << 40, 390 << 20)] {
      let plan = root.call("plan", #"{"bytes":\#(bytes)}"#)["result"]
      #expect(plan["part"].int == part)
      #expect(plan["clients"].sum("part") == part)
      for client in plan["clients"].elements {
        #expect(client["caches"].sum("part") == client["part"].int)
      }
      #expect(plan["unmet"].int == bytes - part)
    }
    withExtendedLifetime(members) {}
  }

  @Test("nobody to ask is a round that is over at once")
  func nobody() throws {
    let stage = try DaemonStage()
    let round = try stage.control().call("trigger", #"{"bytes":1048576}"#)["result"]
    #expect(round["state"] == "closed")
    #expect(round["target"] == 1_048_576)
    #expect(round["part"] == 0)
    #expect(round["unmet"] == 1_048_576)
    #expect(round["clients"] == [])
  }

  @Test("without waiting the answer is the number alone")
  func noWait() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    let answer = try stage.control().call("trigger", #"{"bytes":1048576,"wait":false}"#)
    #expect(answer["result"] == ["round": 1])
    #expect(member.next("shrink") != nil)
  }

  @Test("a dry run says so to the clients and measures nothing")
  func dryRun() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":2097152,"dry_run":true}"#)
    let shrink = try #require(member.next("shrink"))
    #expect(shrink["params"]["dry_run"] == true)
    #expect(shrink["params"]["trim"] == false)
    #expect(shrink["params"]["targets"][0]["limit"] == .absent)
    member.answer(shrink, [(id: 1, freed: 2 << 20, left: 100 << 20)])
    stage.serve()
    stage.advance(.milliseconds(250))
    let round = root.answer(to: id)["result"]
    #expect(round["dry_run"] == true)
    #expect(round["claimed"] == 2_097_152)
    #expect(round["measured"] == 0)
    #expect(round["unmet"] == 0)
  }

  @Test("while a round of that scope runs, another is told when to come again")
  func busy() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    let root = try stage.control()
    _ = root.call("trigger", #"{"bytes":1048576,"wait":false}"#)
    let second = root.call("trigger", #"{"bytes":1048576}"#)
    #expect(second.code == -32_006)
    let wait = try #require(second.data["retry_after_ms"].int)
    #expect(wait >= 2_000 && wait <= 2_500)
    stage.advance(.milliseconds(UInt64(wait)))
    let third = root.call("trigger", #"{"bytes":1048576,"wait":false}"#)["result"]
    #expect(third["round"] == 2)
    withExtendedLifetime(member) {}
  }

  @Test("a wait that is over is answered by the round as it stands")
  func timeout() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":1048576,"timeout_ms":500}"#)
    stage.serve()
    stage.advance(.milliseconds(490))
    #expect(root.drain().isEmpty)
    stage.advance(.milliseconds(20))
    #expect(root.answer(to: id)["result"]["state"] == "open")
    withExtendedLifetime(member) {}
  }

  @Test("a wait can be cancelled; the round goes on")
  func cancel() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    let root = try stage.control()
    root.send(#"{"jsonrpc":"2.0","id":"t","method":"trigger","params":{"bytes":1048576}}"#)
    let shrink = try #require(member.next("shrink"))
    root.notify("$/cancel", #"{"id":"other"}"#)
    root.notify("$/cancel", #"{}"#)
    root.notify("$/cancel", #"{"id":"t"}"#)
    let answer = try #require(root.receive())
    #expect(answer["id"] == "t")
    #expect(answer.code == -32_010)
    member.answer(shrink, [(id: 1, freed: 1 << 20, left: 99 << 20)])
    stage.serve()
    stage.advance(.seconds(1))
    #expect(root.call("round.list")["result"]["rounds"][0]["claimed"] == 1_048_576)
    #expect(root.drain().isEmpty, "it is answered once")
  }

  @Test("whoever asked may leave; the round goes on")
  func leave() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    do {
      let root = try stage.control()
      _ = root.request("trigger", #"{"bytes":1048576}"#)
      stage.serve()
    }
    let shrink = try #require(member.next("shrink"))
    member.comply(with: shrink, size: 100 << 20)
    stage.serve()
    stage.advance(.seconds(1))
    let rounds = try stage.control().call("round.list")["result"]["rounds"]
    #expect(rounds[0]["state"] == "closed")
  }

  @Test("only members of the cgroup are asked for what the cgroup lacks")
  func scope() throws {
    let stage = try DaemonStage()
    stage.process(7, resident: 100, cgroup: "/shop")
    stage.process(8, resident: 100, cgroup: "/shopping")
    let (inside, outside) = (try stage.connect(pid: 7), try stage.connect(pid: 8))
    inside.hello("inside")
    inside.register("cache", bytes: 50 << 20)
    outside.hello("outside")
    outside.register("cache", bytes: 50 << 20)
    let scope = #"{"kind":"cgroup","path":"/shop"}"#
    _ = try stage.control().call(
      "trigger",
      #"{"bytes":1048576,"scope":\#(scope),"wait":false}"#
    )
    let shrink = try #require(inside.next("shrink"))
    #expect(shrink["params"]["scope"] == ["kind": "cgroup", "path": "/shop"])
    #expect(outside.drain().isEmpty)
  }

  @Test("32 waits at once; the next request is told to come again")
  func inFlight() throws {
    let stage = try DaemonStage()
    let members = try (0..<4).map { try stage.member("m\($0)", mebibytes: 10, pid: $0 + 1) }
    let root = try stage.control()
    // The broker runs few rounds at once, so the waits are held by hand.
    let session = try #require(stage.daemon.sessions.session(of: ClientID(5)))
    for number in 1...32 as ClosedRange<UInt64> {
      session.waits.append(
        Session.Wait(
          request: .integer(1_000 + number),
          token: number,
          round: nil,
          until: stage.now + .seconds(60)
        )
      )
    }
    let answer = root.call("ping")
    #expect(answer.code == -32_006)
    #expect(answer.data["retry_after_ms"].int != nil)
    root.notify("$/cancel", #"{"id":1001}"#)
    #expect(root.call("ping")["result"]["monotonic_ns"].int != nil)
    withExtendedLifetime(members) {}
  }
}
