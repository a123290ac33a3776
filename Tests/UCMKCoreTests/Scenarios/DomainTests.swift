// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("Domains")
struct DomainTests {
  @Test("are watched from the first client that lists them to the last")
  func comeAndGo() {
    var stage = Stage()
    let facts = ClientFacts.plain(1, domains: ["/a", "/a/b"])
    #expect(
      stage.send(.joined(ClientID(1), facts))
        == ["watch /a", "sample /a", "watch /a/b", "sample /a/b"]
    )
    #expect(stage.send(.joined(ClientID(2), .plain(2, domains: ["/a"]))) == [])
    #expect(stage.broker.domains.map(\.domain.name) == ["host", "/a", "/a/b"])
    #expect(stage.send(.detached(ClientID(1))) == [])
    #expect(stage.send(.left(ClientID(1))) == ["unwatch /a/b"])
    #expect(stage.send(.left(ClientID(2))) == ["unwatch /a"])
    #expect(stage.broker.domains.map(\.domain.name) == ["host"])
  }

  @Test("that settings name are watched without clients")
  func named() {
    var stage = Stage()
    var configuration = Configuration()
    configuration.watermarks = .plain
    configuration.domains = [DomainSettings(domain: .cgroup("/shop"))]
    #expect(stage.send(.configured(configuration)) == ["watch /shop", "sample /shop"])
    stage.join(1, [100], domains: ["/shop"])
    #expect(stage.send(.left(ClientID(1))) == [])
    configuration.domains = []
    #expect(stage.send(.configured(configuration)) == ["unwatch /shop"])
  }

  @Test("get new alarms when their thresholds change, and new marks at once")
  func reload() {
    var stage = Stage()
    _ = stage.read(available: 500)
    var configuration = Configuration()
    configuration.watermarks = .plain
    #expect(stage.send(.configured(configuration)) == [])
    configuration.thresholds.low.stall = .milliseconds(90)
    #expect(stage.send(.configured(configuration)) == ["unwatch host", "watch host"])
    configuration.watermarks.low = .bytes(.mebibytes(60))
    #expect(stage.send(.configured(configuration)) == [])
    #expect(stage.broker.domains[0].low == .mebibytes(60))
  }

  @Test("ask only their members")
  func members() {
    var stage = Stage()
    stage.join(1, [200], domains: ["/a"])
    stage.join(2, [200], domains: ["/a", "/a/b"])
    stage.join(3, [200])
    let domain = DomainID.cgroup("/a/b")
    #expect(
      stage.read(domain, available: 40).filter { $0.hasPrefix("ask") }
        == ["ask c2 r1.1 low 1:40M<160M"]
    )
    #expect(stage.round(1).scope == .domain(domain))
    #expect(
      stage.ask(30, scope: .domain(.cgroup("/a"))).filter { $0.hasPrefix("ask") }
        == ["ask c1 r2.1 medium 1:15M<185M", "ask c2 r2.1 medium 1:15M<145M"]
    )
  }

  @Test("hold their own limits and relax them alone")
  func relaxAlone() {
    var stage = Stage()
    stage.join(1, [200], domains: ["/a"])
    stage.join(2, [200])
    _ = stage.read(.cgroup("/a"), available: 40)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    _ = stage.read(available: 40)
    _ = stage.answer(1)
    _ = stage.answer(2)
    _ = stage.pass(milliseconds: 5_200)
    #expect(stage.broker.domains.map(\.state) == [.hold, .hold])
    var lines: [String] = []
    for _ in 0..<30 {
      lines += stage.pass(milliseconds: 250)
      lines += stage.read(.cgroup("/a"), available: 500)
    }
    #expect(lines.filter { $0.hasSuffix("<-") } == ["relax c1 r1 none 1<-"])
    #expect(!lines.contains { $0.hasPrefix("relax c2") })
    for _ in 0..<30 {
      lines += stage.pass(milliseconds: 250)
      lines += stage.read(available: 500)
    }
    #expect(
      lines.filter { $0.hasSuffix("<-") }
        == ["relax c1 r1 none 1<-", "relax c2 r2 none 1<-"]
    )
  }

  @Test("that are lost let go of their clients, until somebody joins again")
  func lost() {
    var stage = Stage()
    let domain = DomainID.cgroup("/a")
    stage.join(1, [200], domains: ["/a"])
    _ = stage.read(domain, available: 40)
    _ = stage.answer(1)
    #expect(
      stage.send(.domainLost(domain)) == [
        "relax c1 r1 none 1<-", "level /a low>none", "state /a round>idle", "unwatch /a",
      ]
    )
    #expect(stage.send(.domainLost(domain)) == [])
    #expect(stage.pass(milliseconds: 200) == ["measure 11", "close r1"])
    #expect(
      stage.send(.joined(ClientID(2), .plain(2, domains: ["/a"]))) == ["watch /a", "sample /a"]
    )
    #expect(stage.send(.left(ClientID(2))) == [])
    #expect(stage.send(.left(ClientID(1))) == ["unwatch /a"])
  }

  @Test("that are found again are watched where the settings name them, once")
  func found() {
    var stage = Stage()
    var configuration = Configuration()
    configuration.watermarks = .plain
    configuration.domains = [DomainSettings(domain: .cgroup("/a"))]
    #expect(stage.send(.configured(configuration)) == ["watch /a", "sample /a"])
    #expect(stage.send(.domainLost(.cgroup("/a"))) == ["unwatch /a"])
    // A client that was there all along counts as soon as the domain is back.
    stage.join(1, [200])
    _ = stage.send(.relocated(ClientID(1), .plain(1, domains: ["/a"])))
    _ = stage.send(.domainLost(.cgroup("/a")))
    #expect(stage.send(.domainFound(.cgroup("/a"))) == ["watch /a", "sample /a"])
    #expect(stage.send(.domainFound(.cgroup("/a"))) == [])
    #expect(stage.send(.domainFound(.cgroup("/b"))) == [])
    #expect(stage.send(.domainFound(.host)) == [])
    #expect(
      stage.read(.cgroup("/a"), available: 40).last == "state /a idle>round"
    )
    #expect(stage.round(1).scope == .domain(.cgroup("/a")))
  }

  @Test("follow a client that moves")
  func relocation() {
    var stage = Stage()
    stage.join(1, [200], domains: ["/a"])
    _ = stage.read(.cgroup("/a"), available: 500)
    #expect(
      stage.send(.relocated(ClientID(1), .plain(1, domains: ["/b"])))
        == ["watch /b", "sample /b", "unwatch /a"]
    )
    #expect(stage.send(.relocated(ClientID(1), .plain(1, domains: ["/b"]))) == [])
    #expect(stage.send(.relocated(ClientID(1), .plain(1))) == ["unwatch /b"])
  }

  @Test("the host stays even where it cannot be read")
  func hostStays() {
    var stage = Stage()
    #expect(stage.send(.domainLost(.host)) == [])
    #expect(stage.broker.domains.map(\.domain) == [.host])
  }
}
