// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

/// The kernel's triggers for a group of this host, in the hands of the real daemon.
@Suite("triggers on this host", .enabled(if: hostObstacle == nil, hostObstacle), .serialized)
struct TriggerTests {
  @Test("a group of the settings is watched by triggers of the kernel, one for each level")
  func listed() throws {
    let stage = try HostStage(domain: "Capacity=64M")
    let domain = stage.domain
    #expect(domain["capacity"].int == 64 << 20)
    #expect(domain["state"] == "idle")
    #expect(domain["level"] == "none")
    // Inherited from the host: stalls of whole windows.
    let triggers = stage.triggers
    #expect(triggers.map { $0["kind"] } == ["some", "some", "full"])
    for trigger in triggers {
      #expect(trigger["source"] == "trigger")
      #expect(trigger["stall_us"] == 2_000_000)
      #expect(trigger["window_us"] == 2_000_000)
    }
    #expect(stage.daemon.stop() == 0)
  }

  @Test("a window of 1 s is in force where the kernel allows it, else one of 2 s")
  func window() throws {
    let stage = try HostStage(
      domain: """
        Capacity=64M
        PressureLow=some 70ms/1s
        PressureMedium=some 150ms/1s
        PressureCritical=full 70ms/1s
        """
    )
    let windows = stage.triggers.compactMap { $0["window_us"].int }
    let stalls = stage.triggers.compactMap { $0["stall_us"].int }
    #expect(stage.triggers.allSatisfy { $0["source"] == "trigger" })
    if windows == [1_000_000, 1_000_000, 1_000_000] {
      #expect(stalls == [70_000, 150_000, 70_000])
    } else {
      #expect(windows == [2_000_000, 2_000_000, 2_000_000])
      #expect(stalls == [140_000, 300_000, 140_000])
    }
  }

  @Test("what a budget of the settings leaves is the budget less what its members hold")
  func budget() throws {
    let stage = try HostStage(domain: "Capacity=128M\nLow=1M\nHigh=2M\nGrow=3M")
    #expect(stage.domain["available"].int == 128 << 20)
    let client = try stage.client("inside", inGroup: true)
    let outside = try stage.client("outside", inGroup: false)
    #expect(stage.row("inside")["cgroup"].string == stage.group.path)
    #expect(stage.row("inside")["pid"].int == Int(client.pid))
    #expect(stage.row("outside")["cgroup"].string != stage.group.path)
    // The scope of a plan reaches the members of the group alone.
    let params = #"{"bytes":1048576,"scope":{"kind":"cgroup","path":"\#(stage.group.path)"}}"#
    let plan = stage.control.call("plan", params)["result"]
    #expect(plan["clients"].elements.map { $0["name"] } == ["inside"])
    #expect(plan["part"] == 1_048_576)
    #expect(client.memory > 48 << 20)
    #expect(outside.memory > 48 << 20)
    #expect(client.stop() == 128 + SIGTERM)
    #expect(eventually { stage.status["counts"]["clients"] == 1 })
    let marks = ["low", "high", "grow"].map { stage.domain[$0].int }
    #expect(marks == [1 << 20, 2 << 20, 3 << 20])
  }

  @Test("the alarm of the kernel reaches the daemon; with nobody to ask it asks nobody")
  func alarm() throws {
    let stage = try HostStage(domain: "\(HostStage.alarmMarks)\n\(HostStage.fineStalls)")
    #expect(stage.alarms == 0)
    let load = try stage.load()
    let hasCome = eventually(within: .seconds(30)) { stage.alarms > 0 }
    #expect(load.stop() == 128 + SIGTERM, "\(load.errors)")
    if !hasCome, try stage.countsNoStall() { return }
    #expect(hasCome, "the group stalled: \(stage.status)")
    #expect(stage.status["counts"]["rounds"] == 0)
    #expect(stage.group.remove())
    #expect(eventually { stage.triggers.isEmpty })
    #expect(stage.daemon.stop() == 0)
  }

  @Test("a group that is removed is dropped, and the daemon sleeps on")
  func removed() throws {
    let stage = try HostStage(domain: "Capacity=64M\n\(HostStage.fineStalls)")
    #expect(stage.triggers.count == 3)
    #expect(stage.group.remove())
    #expect(eventually { stage.triggers.isEmpty }, "an error on the trigger is its end")
    // Nothing is to come: the wait for it is the time in which the daemon may not run.
    let before = stage.daemon.program.voluntarySwitches
    #expect(before > 0)
    #expect(stage.control.receive(within: .seconds(2)) == nil)
    let after = stage.daemon.program.voluntarySwitches
    // A spinning daemon has thousands; pages that come back from a disk are a few.
    #expect(after - before <= 20, "\(after - before) wake-ups in 2 s")
    #expect(stage.control.call("ping")["result"] != .absent)
    #expect(stage.daemon.stop() == 0)
  }

  @Test("a group that comes again is watched again", .timeLimit(.minutes(1)))
  func again() throws {
    let stage = try HostStage(domain: "Capacity=64M\n\(HostStage.fineStalls)")
    for _ in 1...2 {
      #expect(stage.group.remove())
      #expect(eventually { stage.triggers.isEmpty })
      #expect(unsafe mkdir(stage.group.folder, 0o755) == 0)
      #expect(eventually { stage.triggers.count == 3 }, "\(stage.status["triggers"])")
      #expect(stage.triggers.allSatisfy { $0["source"] == "trigger" })
    }
    #expect(stage.daemon.stop() == 0)
  }

  @Test(
    "a group that is not there yet is no error at the start, and watched once it is made",
    arguments: ["Capacity=64M\n", ""]
  )
  func absent(budget: String) throws {
    let group = try #require(PressureGroup())
    #expect(group.remove())
    let inner = "\(group.path)/inner"
    let daemon = try DaemonRun(onHost: FileTree(), settings: "[Domain \(inner)]\n\(budget)")
    let control = try daemon.control()
    func triggers() -> [WireValue] {
      let scope: WireValue = ["kind": "cgroup", "path": .text(inner)]
      let all = control.call("daemon.status")["result"]["triggers"].elements
      return all.filter { $0["scope"] == scope }
    }
    #expect(triggers().isEmpty)
    #expect(unsafe mkdir(group.folder, 0o755) == 0)
    #expect(unsafe mkdir("\(group.folder)/inner", 0o755) == 0)
    defer { unsafe rmdir("\(group.folder)/inner") }
    // Without a budget a group has to have files of the memory controller.
    let hasMemory = unsafe access("\(group.folder)/inner/memory.current", R_OK) == 0
    if !budget.isEmpty || hasMemory {
      #expect(eventually { triggers().count == 3 }, "\(daemon.errors)")
      #expect(triggers().allSatisfy { $0["source"] == "trigger" })
    }
    #expect(daemon.stop() == 0)
    #expect(!daemon.errors.contains("error"), "\(daemon.errors)")
  }
}
