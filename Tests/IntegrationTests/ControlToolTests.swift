// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKModel
import UCMKTestSupport

/// Every command of the real `ucmkctl` against the real daemon: exit code 0 and the documents of
/// the protocol.
@Suite("ucmkctl against ucmkd", .enabled(if: ToolRun.obstacle == nil, ToolRun.obstacle))
struct ControlToolTests {
  static let clientKeys = "session kind name pid uid cgroup trust last_round caches"
  static let cacheKeys =
    "id name bytes reclaimable floor share cost_us_per_mib min_level limit"
  static let roundKeys =
    "round time_us scope level state reason dry_run target capacity part asked claimed measured "
    + "unmet took_ms"
  static let roundClientKeys =
    "session name pid part asked claimed measured took_ms outcome caches"

  /// A daemon on a calm fixture host with two members of 100 MiB.
  private func stage() throws -> (run: DaemonRun, crew: Crew) {
    let run = try DaemonRun(try HostFixture.make())
    return (run, try Crew(run))
  }

  /// Runs a command that must be done, and returns its one document.
  private func document(
    _ stage: (run: DaemonRun, crew: Crew),
    _ command: String,
    at location: SourceLocation = #_sourceLocation
  ) throws -> WireValue {
    let tool = try ToolRun(stage.run.tree, "\(command) --json") { stage.crew.comply() }
    #expect(tool.code == 0, "\(command): \(tool.errors)", sourceLocation: location)
    #expect(tool.errors == "", "\(command)", sourceLocation: location)
    #expect(tool.document != .absent, "\(command): \(tool.output)", sourceLocation: location)
    return tool.document
  }

  @Test("status")
  func status() throws {
    let stage = try stage()
    let status = try document(stage, "status")
    expectKeys(
      status,
      "state level version protocol uptime_ms psi memory domains triggers counts bytes surfaces "
        + "last_round"
    )
    for line in ["some", "full"] {
      expectKeys(status["psi"][line], "avg10 avg60 avg300 total_us", line)
    }
    expectKeys(status["memory"], "total available swap_free")
    expectKeys(
      status["domains"][0],
      "scope state level capacity available low high grow"
    )
    for trigger in status["triggers"].elements {
      expectKeys(trigger, "scope kind stall_us window_us source")
      #expect(trigger["source"] == "average", "a fixture has no triggers")
    }
    expectKeys(
      status["counts"],
      "clients caches rounds timeouts reports_dropped notifications_dropped"
    )
    expectKeys(status["bytes"], "registered reclaimable asked claimed measured")
    #expect(status["counts"]["clients"] == 2)
    #expect(status["bytes"]["registered"].int == 200 << 20)
    #expect(status["memory"]["total"].int == HostFixture.capacity)
    #expect(status["last_round"] == .null)
  }

  @Test("clients, all of them and one with its history")
  func clients() throws {
    let stage = try stage()
    let list = try document(stage, "clients")["clients"]
    #expect(list.elements.map { $0["name"] } == ["good-0", "good-1"])
    for client in list.elements {
      expectKeys(client, ControlToolTests.clientKeys)
      #expect(client["kind"] == "member")
      #expect(client["pid"].int == Int(getpid()))
      expectKeys(client["caches"][0], ControlToolTests.cacheKeys)
    }
    let named = try document(stage, "clients --name good-1")["clients"]
    #expect(named.elements.map { $0["session"] } == ["c2"])
    #expect(try document(stage, "clients --uid 4294967294")["clients"] == [])
    _ = stage.crew.round(bytes: 8 << 20)
    let one = try document(stage, "clients c1")
    expectKeys(one, ControlToolTests.clientKeys + " history")
    #expect(one["history"].elements.count == 1)
    expectKeys(one["history"][0], "round asked claimed measured took_ms outcome")
    #expect(one["history"][0]["outcome"] == "done")
    #expect(one["history"][0]["claimed"].int == 4 << 20)
  }

  @Test("plan, which sends nothing")
  func plan() throws {
    let stage = try stage()
    let plan = try document(stage, "plan --bytes 10M --level low")
    expectKeys(plan, "target capacity part unmet level scope clients")
    #expect(plan["target"].int == 10 << 20)
    #expect(plan["level"] == "low")
    #expect(plan["scope"] == ["kind": "manual"])
    #expect(plan["clients"].sum("part") == 10 << 20)
    for client in plan["clients"].elements {
      expectKeys(client, "session name pid cgroup part asked caches inputs steps")
      expectKeys(client["caches"][0], "id name part asked")
    }
    let aside = try document(stage, "plan --bytes 10M --cgroup /elsewhere.slice")
    #expect(aside["clients"] == [])
    #expect(aside["unmet"].int == 10 << 20)
    for member in stage.crew.members {
      // What was sent before the answer to a ping came before it.
      #expect(member.call("ping")["result"] != .absent)
      #expect(member.next("shrink", within: .zero) == nil)
    }
  }

  @Test("shrink, then rounds and explain about it")
  func rounds() throws {
    let stage = try stage()
    let round = try document(stage, "shrink --bytes 20M")
    expectKeys(round, ControlToolTests.roundKeys + " clients")
    #expect(round["reason"] == "manual")
    #expect(round["level"] == "medium")
    #expect(round["part"].int == 20 << 20)
    #expect(round["claimed"].int == 20 << 20)
    #expect(round["clients"].sum("claimed") == 20 << 20)
    expectKeys(round["clients"][0], ControlToolTests.roundClientKeys)
    expectKeys(round["clients"][0]["caches"][0], "id name part asked claimed")
    let dry = try document(stage, "shrink --bytes 4M --level critical --dry-run")
    #expect(dry["dry_run"] == true)
    #expect(dry["measured"] == 0)
    let list = try document(stage, "rounds")["rounds"]
    #expect(list.elements.map { $0["round"] } == [2, 1], "the newest first")
    for row in list.elements { expectKeys(row, ControlToolTests.roundKeys) }
    #expect(try document(stage, "rounds --limit 1")["rounds"].elements.count == 1)
    let whole = try document(stage, "explain 1")
    expectKeys(whole, ControlToolTests.roundKeys + " clients")
    for client in whole["clients"].elements {
      expectKeys(client, "inputs steps")
      expectKeys(client["steps"][0], "text value")
    }
    let one = try document(stage, "explain last good-1")
    #expect(one["round"] == 2)
    #expect(one["clients"].elements.map { $0["name"] } == ["good-1"])
  }

  @Test("shrink --no-wait prints the number of the round alone")
  func noWait() throws {
    let stage = try stage()
    #expect(try document(stage, "shrink --bytes 20M --no-wait") == ["round": 1])
    #expect(
      eventually {
        stage.crew.comply()
        return stage.crew.root.call("round.list")["result"]["rounds"][0]["state"] == "closed"
      }
    )
  }

  @Test("watch prints one object a line, as many as it is told")
  func watch() throws {
    let stage = try stage()
    let tool = try ToolRun(stage.run.tree, "watch status --interval 100ms --count 3 --json")
    #expect(tool.code == 0, "\(tool.errors)")
    #expect(tool.lines.count == 3)
    for event in tool.lines {
      expectKeys(event, "subscription topic monotonic_ns dropped data")
      #expect(event["topic"] == "status")
      #expect(event["data"]["counts"]["clients"] == 2)
    }
    let times = tool.lines.compactMap { $0["monotonic_ns"].int }
    #expect(times == times.sorted() && times.count == 3)
  }

  @Test("watch sees a round")
  func watchRound() throws {
    let stage = try stage()
    let tool = try ToolRun(stage.run.tree, "watch rounds --count 1 --json") {
      // The subscription comes some time after the start: rounds are made until one was seen.
      _ = stage.crew.round(bytes: 1 << 20)
    }
    #expect(tool.code == 0, "\(tool.errors)")
    let event = tool.document
    #expect(event["topic"] == "rounds")
    expectKeys(event["data"], ControlToolTests.roundKeys)
  }

  @Test("pause and resume")
  func pause() throws {
    let stage = try stage()
    #expect(try document(stage, "pause")["state"] == "paused")
    #expect(stage.crew.root.call("daemon.status")["result"]["state"] == "paused")
    let resumed = try document(stage, "resume")["state"]
    #expect(resumed.string != nil && resumed != "paused")
    #expect(try document(stage, "pause --for 100ms")["state"] == "paused")
    #expect(
      eventually { stage.crew.root.call("daemon.status")["result"]["state"] != "paused" },
      "it ends by itself"
    )
  }

  @Test("reload tells what changed")
  func reload() throws {
    let stage = try stage()
    let nothing: WireValue = ["changed": [], "errors": []]
    #expect(try document(stage, "reload") == nothing)
    stage.run.tree.write("ucmkd.conf", "[Limits]\nConnections=300\n")
    let changed: WireValue = ["changed": ["Limits.Connections"], "errors": []]
    #expect(try document(stage, "reload --check-only") == changed)
    #expect(try document(stage, "reload") == changed)
    #expect(try document(stage, "reload") == nothing)
  }

  @Test("override, by the name of the cache and by its id")
  func override() throws {
    let stage = try stage()
    let none: WireValue = .object([:])
    #expect(try document(stage, "override c1 cache --share 300") == none)
    #expect(try document(stage, "override c2 1 --floor 64M --min-level critical") == none)
    let clients = try document(stage, "clients")["clients"]
    #expect(clients[0]["caches"][0]["share"] == 300)
    #expect(clients[1]["caches"][0]["min_level"] == "critical")
    let plan = try document(stage, "plan --bytes 10M --level low")["clients"]
    #expect(plan.elements.filter { $0["part"].int ?? 0 > 0 }.map { $0["session"] } == ["c1"])
  }

  @Test("config check and doctor look without changing anything")
  func checks() throws {
    let stage = try stage()
    stage.run.tree.write("good.conf", try HostFixture.text("settings/good.conf"))
    let check = try document(stage, "config check \(stage.run.tree.path("good.conf"))")
    #expect(check["usable"] == true)
    expectKeys(check, "file usable output errors")
    let doctor = try ToolRun(stage.run.tree, "doctor --json")
    expectKeys(doctor.document, "complete findings")
    #expect(doctor.code == (doctor.document["complete"] == true ? 0 : 1))
    let daemon = doctor.document["findings"].elements.first { $0["subject"] == "daemon" }
    #expect(daemon?["state"] == "ok", "\(doctor.output)")
  }

  @Test(
    "without --json people get text without colour, with sizes in units or in bytes",
    arguments: ["status", "clients", "clients c1", "plan --bytes 10M", "rounds"]
  )
  func text(command: String) throws {
    let stage = try stage()
    _ = stage.crew.round(bytes: 8 << 20)
    let tool = try ToolRun(stage.run.tree, command)
    #expect(tool.code == 0, "\(tool.errors)")
    #expect(tool.errors == "")
    #expect(!tool.output.isEmpty && tool.output.hasSuffix("\n"))
    #expect(!tool.output.contains("\u{1b}"), "no terminal is there to be coloured")
    #expect(tool.output.contains("MiB"))
    let raw = try ToolRun(stage.run.tree, "\(command) --raw-bytes")
    #expect(raw.code == 0)
    #expect(!raw.output.contains(" MiB"))
  }
}
