// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

/// Rounds of a cgroup that has a budget of the settings (`Capacity=`) instead of a limit of the
/// kernel: nothing but its members' own size says that it is short.
@Suite("budgets")
struct BudgetTests {
  private static let shop = DomainID.cgroup("/shop")

  /// A budget of 256 MiB with marks at 32, 64 and 96 MiB, on a host without any PSI file.
  private func stage() throws -> DaemonStage {
    var settings = Settings()
    settings.configuration.domains = [
      DomainSettings(
        domain: BudgetTests.shop,
        capacity: .mebibytes(256),
        watermarks: WatermarkSettings(
          low: .bytes(.mebibytes(32)),
          high: .bytes(.mebibytes(64)),
          grow: .bytes(.mebibytes(96)),
          isExplicit: true
        )
      )
    ]
    let stage = try DaemonStage(settings, hasPressure: false)
    // As on a host whose memory controller belongs to v1.
    stage.tree.makeFolder("cgroup/shop")
    return stage
  }

  private func member(_ name: String, _ pid: Int32, _ mebibytes: Int, _ stage: DaemonStage) throws
    -> WireClient
  {
    stage.process(pid, resident: mebibytes, cgroup: "/shop/\(name)")
    let client = try stage.connect(pid: pid)
    client.hello(name)
    client.register("cache", bytes: mebibytes << 20)
    return client
  }

  /// The next request to shrink: the domain is looked at every 5 s while it is far from short.
  private func shrink(of client: WireClient, _ stage: DaemonStage) throws -> WireValue {
    var request: WireValue?
    for _ in 0..<60 where request == nil {
      request = client.next("shrink")
      if request == nil { stage.advance(.milliseconds(100)) }
    }
    return try #require(request)
  }

  @Test("what its members hold beyond the low mark starts a round by watermark, without an alarm")
  func watermark() throws {
    let stage = try stage()
    let first = try member("first", 7, 100, stage)
    let second = try member("second", 8, 100, stage)
    stage.process(9, resident: 500, cgroup: "/elsewhere")
    let bystander = try stage.connect(pid: 9)
    bystander.hello("bystander")
    bystander.register("cache", bytes: 500 << 20)
    let root = try stage.control()
    stage.advance(.seconds(6))
    #expect(first.next("shrink") == nil, "56 MiB are left: above the low mark")
    // One of them grows: 16 MiB are left.
    stage.process(8, resident: 140, cgroup: "/shop/second")
    second.notify(
      "cache.report",
      #"{"caches":[{"id":1,"bytes":146800640,"reclaimable":146800640}]}"#
    )
    stage.serve()
    // 48 MiB to the high mark, so that both keep as much: 96 each.
    let (one, two) = (try shrink(of: first, stage), try shrink(of: second, stage))
    #expect(one["params"]["scope"] == ["kind": "cgroup", "path": "/shop"])
    #expect(one["params"]["targets"].sum("bytes") == 4 << 20)
    #expect(two["params"]["targets"].sum("bytes") == 44 << 20)
    stage.process(7, resident: 96, cgroup: "/shop/first")
    first.comply(with: one, size: 100 << 20)
    stage.process(8, resident: 96, cgroup: "/shop/second")
    second.comply(with: two, size: 140 << 20)
    stage.serve()
    stage.advance(.milliseconds(300))
    let round = root.call("round.list")["result"]["rounds"][0]
    #expect(round["reason"] == "watermark")
    #expect(round["target"].int == 48 << 20)
    #expect(round["part"].int == 48 << 20)
    #expect(round["measured"].int == 48 << 20)
    #expect(round["unmet"] == 0)
    #expect(bystander.drain().isEmpty)
    let status = root.call("daemon.status")["result"]
    #expect(status["counts"]["alarms"] == 0)
    #expect(status["counts"]["rounds_by_watermark"] == 1)
    #expect(status["domains"][1]["available"].int == 64 << 20)
  }

  @Test("a round of a budget leaves the host's own state alone, and holds until memory is back")
  func hold() throws {
    let stage = try stage()
    let first = try member("first", 7, 240, stage)
    let root = try stage.control()
    let shrink = try shrink(of: first, stage)
    first.comply(with: shrink, size: 240 << 20)
    stage.process(7, resident: 192, cgroup: "/shop/first")
    stage.serve()
    stage.advance(.seconds(1))
    let domains = root.call("daemon.status")["result"]["domains"].elements
    #expect(domains.map { $0["state"] } == ["idle", "hold"])
    #expect(first.call("limit.get")["result"]["caches"][0]["limit"].int == 192 << 20)
    // Half of it is gone: far above the mark for growth.
    stage.process(7, resident: 100, cgroup: "/shop/first")
    stage.advance(.seconds(15))
    #expect(first.next("relax") != nil)
    #expect(first.call("limit.get")["result"]["caches"][0]["limit"] == .null)
  }
}
