// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

/// Rounds among real programs in a real group, measured on this host's own files.
@Suite("rounds on this host", .enabled(if: hostObstacle == nil, hostObstacle), .serialized)
struct GroupRoundTests {
  /// What every round of two programs here must hold.
  private func check(_ round: WireValue, _ stage: HostStage) {
    #expect(round["scope"] == stage.scope)
    #expect(round["state"] == "closed")
    let (target, capacity) = (round["target"].int ?? 0, round["capacity"].int ?? 0)
    #expect(round["part"].int == min(target, capacity))
    #expect(round["clients"].sum("part") == round["part"].int)
    #expect(round["clients"].sum("claimed") == round["claimed"].int)
    #expect(round["clients"].sum("measured") == round["measured"].int)
    #expect(round["clients"].elements.map { $0["name"] } == ["inside"], "only the group is asked")
  }

  @Test("pressure in a group has its member give memory back, and nobody else")
  func pressure() throws {
    let stage = try HostStage(domain: "\(HostStage.alarmMarks)\n\(HostStage.fineStalls)")
    let inside = try stage.client("inside", inGroup: true)
    let outside = try stage.client("outside", inGroup: false)
    let (before, untouched) = (inside.memory, outside.memory)
    #expect(before > 48 << 20)
    #expect(stage.status["counts"]["rounds"] == 0, "above the low mark there is no cause")
    let load = try stage.load()
    let round = stage.closedRound()
    #expect(load.stop() == 128 + SIGTERM, "\(load.errors)")
    if round == .absent, try stage.countsNoStall() { return }
    check(round, stage)
    #expect(round["reason"] == "trigger")
    #expect(stage.alarms > 0)
    #expect((stage.status["counts"]["rounds_by_trigger"].int ?? 0) > 0)
    let measured = round["measured"].int ?? 0
    #expect(round["claimed"].int ?? 0 > 0)
    #expect(measured > 0, "\(round)")
    #expect(before - inside.memory >= measured / 2, "\(before) to \(inside.memory)")
    #expect(abs(untouched - outside.memory) < 4 << 20, "\(untouched) to \(outside.memory)")
    #expect(stage.row("outside")["last_round"] == .null)
    #expect(stage.row("inside")["last_round"].int != nil)
    #expect(inside.stop() == 128 + SIGTERM)
    #expect(stage.daemon.stop() == 0)
  }

  @Test("a manual round for the group is measured by what the process holds")
  func manual() throws {
    let stage = try HostStage(domain: "Capacity=1G\nLow=1M\nHigh=2M\nGrow=3M")
    let inside = try stage.client("inside", inGroup: true)
    let outside = try stage.client("outside", inGroup: false)
    let (before, untouched) = (inside.memory, outside.memory)
    let asked = 16 << 20
    let scope = #"{"kind":"cgroup","path":"\#(stage.group.path)"}"#
    let params = #"{"bytes":\#(asked),"level":"medium","scope":\#(scope)}"#
    let round = stage.control.call("trigger", params, within: .seconds(20))["result"]
    check(round, stage)
    #expect(round["reason"] == "manual")
    #expect(round["part"].int == asked)
    let claimed = round["claimed"].int ?? 0
    #expect(claimed >= asked && claimed < asked + 1 << 20, "entries of 64 KiB: \(claimed)")
    let measured = round["measured"].int ?? 0
    #expect(measured > asked / 2 && measured <= before, "\(measured) of \(claimed)")
    #expect(round["unmet"].int == max(0, asked - measured))
    #expect(before - inside.memory > asked / 2)
    #expect(abs(untouched - outside.memory) < 4 << 20)
    #expect(eventually { stage.registered("inside") <= (48 << 20) - asked })
    #expect(stage.registered("outside") > 47 << 20)
  }

  @Test("a member that is killed leaves its budget behind")
  func killed() throws {
    let stage = try HostStage(domain: "Capacity=1G\nLow=1M\nHigh=2M\nGrow=3M")
    let inside = try stage.client("inside", inGroup: true)
    inside.signal(SIGKILL)
    #expect(inside.wait() == 128 + SIGKILL)
    #expect(eventually { stage.status["counts"]["clients"] == 0 })
    #expect(stage.status["bytes"]["registered"] == 0)
    #expect(eventually { stage.domain["available"].int == 1 << 30 || stage.domain == .absent })
    let next = try stage.client("next", inGroup: true, mebibytes: 8)
    #expect(stage.row("next")["cgroup"].string == stage.group.path)
    #expect(next.stop() == 128 + SIGTERM)
  }
}
