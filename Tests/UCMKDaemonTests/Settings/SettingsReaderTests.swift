// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel

@testable import UCMKDaemon

@Suite("settings reader")
struct SettingsReaderTests {
  private func read(_ texts: String...) -> SettingsOutcome {
    SettingsReader.read(
      texts.enumerated().map { SettingsSource(file: "f\($0.offset)", text: $0.element) }
    )
  }

  private func settings(_ texts: String...) throws -> Settings {
    let sources = texts.map { SettingsSource(file: "f", text: $0) }
    guard case .valid(let settings) = SettingsReader.read(sources) else {
      throw Unexpected(what: "\(SettingsReader.read(sources))")
    }
    return settings
  }

  @Test("no text at all is the defaults")
  func empty() throws {
    #expect(try settings() == Settings())
    #expect(try settings("", "# nothing\n") == Settings())
  }

  @Test("the text of every default gives the default")
  func defaults() throws {
    for setting in SettingTable.all where setting.section != "Domain" && setting.section != "Client"
    {
      var read = try settings("[\(setting.section)]\n\(setting.key)=\(setting.defaultText)")
      // What was written is remembered as written, and stands without the clamps of the default.
      read.assigned = []
      read.configuration.watermarks.isExplicit = false
      #expect(read == Settings(), "\(setting.section).\(setting.key)")
    }
    let client = try settings("[Client name:x]\nShare=100\nFloor=0").rules
    #expect(client == [ClientRule(match: .name("x"), share: 100, floor: .zero)])
  }

  @Test("every key is in a section that exists, has a meaning, and is there once")
  func table() {
    var seen: [String] = []
    for setting in SettingTable.all {
      let name = "\(setting.section).\(setting.key)"
      #expect(SettingTable.sections.contains { $0.name == setting.section })
      #expect(!setting.meaning.isEmpty)
      #expect(!seen.contains(name))
      seen.append(name)
    }
    #expect(
      seen == [
        "Watermarks.Low", "Watermarks.High", "Watermarks.Grow", "Pressure.Low",
        "Pressure.Medium", "Pressure.Critical", "Host.Require", "Limits.ConnectionsPerUser",
        "Limits.Connections", "Access.ObserverGroup", "Access.AdminGroup", "Policy.Quota",
        "Domain.Capacity", "Domain.Low", "Domain.High", "Domain.Grow", "Domain.PressureLow",
        "Domain.PressureMedium", "Domain.PressureCritical", "Client.Share", "Client.Floor",
      ]
    )
  }

  /// A text that sets every key once.
  private static let everything = """
    [Watermarks]
    Low=100M
    High=200M
    Grow=300M
    [Pressure]
    Low=some 50ms/1s
    Medium=some 100ms/2s
    Critical=full 100ms/2s
    [Host]
    Require=psi cgroup2
    [Limits]
    ConnectionsPerUser=10
    Connections=16384
    [Access]
    ObserverGroup=adm
    AdminGroup=wheel
    [Policy]
    Quota=level-down
    [Domain /system.slice/shop.slice]
    Capacity=2G
    Low=6%
    PressureLow=some 60ms/1s
    [Client unit:redis.service]
    Share=500
    Floor=256M
    """

  @Test("every key takes effect")
  func everyKey() throws {
    let read = try settings(SettingsReaderTests.everything)
    let marks = WatermarkSettings(
      low: .bytes(.mebibytes(100)),
      high: .bytes(.mebibytes(200)),
      grow: .bytes(.mebibytes(300)),
      isExplicit: true
    )
    let thresholds = PressureThresholds(
      low: StallThreshold(isFull: false, stall: .milliseconds(50), window: .seconds(1)),
      medium: StallThreshold(isFull: false, stall: .milliseconds(100), window: .seconds(2)),
      critical: StallThreshold(isFull: true, stall: .milliseconds(100), window: .seconds(2))
    )
    var own = thresholds
    own.low.stall = .milliseconds(60)
    var ownMarks = marks
    ownMarks.low = .part(.percent(6))
    #expect(read.configuration.watermarks == marks)
    #expect(read.configuration.thresholds == thresholds)
    #expect(read.connectionsPerUser == 10)
    #expect(read.connections == 16_384)
    #expect(read.observerGroup == "adm")
    #expect(read.adminGroup == "wheel")
    #expect(read.configuration.quota == .levelDown)
    #expect(
      read.configuration.domains == [
        DomainSettings(
          domain: .cgroup("/system.slice/shop.slice"),
          capacity: .gibibytes(2),
          watermarks: ownMarks,
          thresholds: own
        )
      ]
    )
    let rule = ClientRule(match: .unit("redis.service"), share: 500, floor: .mebibytes(256))
    #expect(read.rules == [rule])
    #expect(read.required == [.psi, .cgroup2])
    #expect(read.assigned.count == 17)
    #expect(read.assigned.first == Settings.Assignment(key: "Access.AdminGroup", value: "wheel"))
  }

  @Test("a domain takes what it leaves out from the host's sections, wherever those stand")
  func inheritance() throws {
    let read = try settings("[Domain /a]\nHigh=20%\n[Watermarks]\nLow=10%\nHigh=15%\nGrow=30%")
    #expect(
      read.configuration.domains[0].watermarks
        == WatermarkSettings(
          low: .part(.percent(10)),
          high: .part(.percent(20)),
          grow: .part(.percent(30)),
          isExplicit: true
        )
    )
  }

  @Test("what a later file sets replaces what an earlier one set")
  func later() throws {
    let read = try settings("[Limits]\nConnections=100", "[Limits]\nConnections=200")
    #expect(read.connections == 200)
    #expect(read.assigned == [Settings.Assignment(key: "Limits.Connections", value: "200")])
  }

  @Test("a rule keeps the place at which it was first named")
  func ruleOrder() throws {
    let read = try settings(
      "[Client name:a*]\nShare=1\n[Client name:*]\nShare=2",
      "[Client name:*]\nFloor=1M\n[Client name:b]\nShare=3"
    )
    #expect(
      read.rules == [
        ClientRule(match: .name("a*"), share: 1),
        ClientRule(match: .name("*"), share: 2, floor: .mebibytes(1)),
        ClientRule(match: .name("b"), share: 3),
      ]
    )
  }

  @Test(
    "every mistake is told with file, line, column and what was wanted",
    arguments: [
      (
        "[Watermark]\nLow=5%",
        "f0:1:1: unknown section [Watermark]; wanted one of Watermarks, Pressure, Host, Limits, "
          + "Access, Policy, Domain, Client"
      ),
      (
        "[Watermarks]\n  Lwo=5%",
        "f0:2:3: unknown key Lwo in [Watermarks]; wanted one of Low, High, Grow"
      ),
      (
        "[Watermarks]\nLow= much",
        "f0:2:6: bad value for Low: wanted a size such as 512M, or a percentage such as 5%"
      ),
      (
        "[Pressure]\nMedium=150ms",
        "f0:2:8: bad value for Medium: wanted a stall and a window of 500ms to 10s, "
          + "such as: some 70ms/1s"
      ),
      (
        "[Limits]\nConnections=16385",
        "f0:2:13: bad value for Connections: wanted a number from 1 to 16384"
      ),
      (
        "[Limits]\nConnectionsPerUser=0",
        "f0:2:20: bad value for ConnectionsPerUser: wanted a number from 1 to 16384"
      ),
      (
        "[Access]\nAdminGroup=a b",
        "f0:2:12: bad value for AdminGroup: wanted the name of a group, or nothing"
      ),
      (
        "[Policy]\nQuota=fair",
        "f0:2:7: bad value for Quota: wanted level-down, proportional, kernel, band"
      ),
      ("[Policy x]", "f0:1:1: [Policy] takes nothing after its name"),
      (
        "[Domain]",
        "f0:1:1: [Domain] needs to say which one, such as [Domain /system.slice]"
      ),
      (
        "[Domain system.slice]",
        "f0:1:1: malformed [Domain]; wanted host, or the path of a cgroup that begins with /"
      ),
      (
        "[Domain /a/../b]",
        "f0:1:1: malformed [Domain]; wanted host, or the path of a cgroup that begins with /"
      ),
      (
        "[Domain /a]\nCapacity=0",
        "f0:2:10: bad value for Capacity: wanted a size above zero"
      ),
      (
        "[Client]",
        "f0:1:1: [Client] needs to say which one, such as [Client unit:NAME.service]"
      ),
      (
        "[Client redis]",
        "f0:1:1: malformed [Client]; wanted unit:NAME, exe:PATH, cgroup:PATH, uid:NAME "
          + "or name:GLOB"
      ),
      (
        "[Client exe:redis]",
        "f0:1:1: malformed [Client]; wanted exe: and an absolute path"
      ),
      (
        "[Client name:x]\nShare=10001",
        "f0:2:7: bad value for Share: wanted a number from 1 to 10000"
      ),
      (
        "[Watermarks]\nHigh=10%\nGrow=9%",
        "f0:3:6: watermarks are out of order: wanted Low <= High <= Grow"
      ),
      (
        "[Watermarks]\nLow=10%",
        "f0:2:5: watermarks are out of order: wanted Low <= High <= Grow"
      ),
      (
        "[Domain /a/]\nLow=1G\nHigh=512M",
        "f0:3:6: watermarks are out of order: wanted Low <= High <= Grow"
      ),
    ]
  )
  func mistakes(text: String, message: String) {
    guard case .invalid(let problems) = read(text) else {
      Issue.record("taken: \(text)")
      return
    }
    #expect(problems.first?.description == message)
  }

  @Test("all mistakes of all files are told at once, in file order")
  func allAtOnce() {
    guard
      case .invalid(let problems) = read(
        "[Limits]\nConnections=0\n[Nonsense]\n",
        "x\n[Watermarks]\nLow=5%\nHi=6%"
      )
    else {
      Issue.record("taken")
      return
    }
    #expect(
      problems.map { "\($0.file):\($0.line):\($0.column)" }
        == ["f0:2:13", "f0:3:1", "f1:1:1", "f1:4:1"]
    )
  }

  @Test("a reload reports the keys whose text changed, came or went")
  func changes() throws {
    let old = try settings("[Limits]\nConnections=100\n[Policy]\nQuota=level-down")
    let new = try settings("[Limits]\nConnections=200\n[Client name:x]\nShare=5")
    #expect(
      new.changes(since: old) == ["Client name:x.Share", "Limits.Connections", "Policy.Quota"]
    )
    #expect(new.changes(since: new) == [])
  }
}

/// A test cannot go on.
struct Unexpected: Error { var what: String }
