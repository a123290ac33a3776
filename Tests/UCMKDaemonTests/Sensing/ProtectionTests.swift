// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("what the kernel keeps for cgroups")
struct ProtectionTests {
  /// What everybody would be asked for at most.
  private func most(_ root: WireClient, _ level: String = "medium") -> WireValue {
    root.call("plan", #"{"bytes":1073741824,"level":"\#(level)"}"#)["result"]["part"]
  }

  private func member(_ stage: DaemonStage, _ cgroup: String) throws -> WireClient {
    stage.process(7, resident: 400, cgroup: cgroup)
    let client = try stage.connect(uid: 0, pid: 7)
    client.hello("a")
    client.register("cache", bytes: 100 << 20)
    return client
  }

  @Test("memory.low and memory.min are read with a client, and again before a plan")
  func plan() throws {
    let stage = try DaemonStage(files: [
      ("cgroup/a/memory.low", "52428800\n"), ("cgroup/a/memory.min", "0\n"),
    ])
    let client = try member(stage, "/a/x")
    let root = try stage.control()
    #expect(most(root) == 52_428_800)
    #expect(most(root, "critical") == 104_857_600)
    stage.tree.write("cgroup/a/x/memory.min", "max\n")
    stage.advance(.seconds(1))
    #expect(most(root) == 0)
    #expect(most(root, "critical") == 0)
    stage.tree.remove("cgroup/a/x/memory.min")
    stage.tree.remove("cgroup/a/memory.low")
    stage.advance(.seconds(1))
    #expect(most(root) == 104_857_600)
    withExtendedLifetime(client) {}
  }

  @Test("a plan shows every level from the root down")
  func shown() throws {
    let stage = try DaemonStage()
    let client = try member(stage, "/a/x")
    let root = try stage.control()
    let plan = root.call("plan", #"{"bytes":41943040}"#)["result"]["clients"][0]
    let path = plan["inputs"]["path"].elements
    #expect(path.map { $0["cgroup"] } == ["/", "/a", "/a/x"])
    for node in path {
      #expect(node["size"] == 104_857_600)
      #expect(node["part"] == 41_943_040)
      #expect(node["level"]["numerator"] == 62_914_560)
      #expect(node["level"]["denominator"] == 1_000_000)
    }
    #expect(plan["inputs"]["rule"] == "level-down")
    withExtendedLifetime(client) {}
  }

  @Test("the rule in the settings decides, and a reload changes it")
  func rule() throws {
    let stage = try DaemonStage()
    let clients = [
      try stage.member("a", mebibytes: 300, pid: 1), try stage.member("b", mebibytes: 100, pid: 2),
    ]
    let root = try stage.control()
    func parts() -> [WireValue] {
      root.call("plan", #"{"bytes":104857600}"#)["result"]["clients"].elements.map { $0["part"] }
    }
    #expect(parts() == [104_857_600, 0])
    stage.nextSettings = SettingsReader.read([
      SettingsSource(file: "f", text: "[Policy]\nQuota=proportional")
    ])
    #expect(root.call("daemon.reload")["result"]["changed"] == ["Policy.Quota"])
    #expect(parts() == [78_643_200, 26_214_400])
    withExtendedLifetime(clients) {}
  }
}
