// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("Rounds side by side")
struct OverlapTests {
  /// Nine clients of 100 MiB, each in a cgroup of its own.
  private func village() -> Stage {
    var stage = Stage()
    for client in 1...9 as ClosedRange<UInt64> {
      stage.join(client, [100], domains: ["/srv/\(client)"])
    }
    return stage
  }

  private func scope(_ number: UInt64) -> Scope { .domain(.cgroup("/srv/\(number)")) }

  @Test("a ninth is declined until the first of eight is over")
  func eight() {
    var stage = village()
    for client in 1...8 as ClosedRange<UInt64> {
      #expect(
        stage.ask(10, scope: scope(client)).last == "ask c\(client) r\(client).1 medium 1:10M<90M"
      )
      stage.clock += 100
    }
    // The oldest has 1,200 ms left to its deadline, and 200 to settle.
    #expect(stage.ask(10, scope: scope(9)) == ["decline 7 busy 1400ms"])
    #expect(stage.ask(10, scope: scope(3)) == ["decline 7 busy 1600ms"])
    _ = stage.answer(5)
    #expect(stage.ask(10, scope: scope(9)) == ["decline 7 busy 200ms"])
    #expect(stage.pass(milliseconds: 200) == ["measure 15", "close r5"])
    #expect(stage.ask(10, scope: scope(9)).last == "ask c9 r9.1 medium 1:10M<90M")
    #expect(stage.broker.totals.rounds == 9)
  }

  @Test("an automatic one waits for a place")
  func automaticWaits() {
    var stage = village()
    for client in 1...8 as ClosedRange<UInt64> { _ = stage.ask(10, scope: scope(client)) }
    _ = stage.read(available: 40)
    #expect(!stage.broker.rounds(count: 20).contains { $0.reason == .watermark })
    for client in 1...8 as ClosedRange<UInt64> { _ = stage.answer(client) }
    _ = stage.pass(milliseconds: 200)
    let lines = stage.read(available: 40)
    #expect(lines.contains("open r9"))
    #expect(stage.round(9).target == .mebibytes(40))
  }

  @Test("of nested domains: the last to set a limit is the one that lifts it")
  func nestedLimits() {
    var stage = Stage()
    stage.join(1, [200], domains: ["/a", "/a/b"])
    _ = stage.read(.cgroup("/a/b"), available: 40)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    _ = stage.read(.cgroup("/a"), available: 40)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 5_200)
    #expect(stage.cache(1).limit == .mebibytes(120))
    var lines: [String] = []
    for _ in 0..<40 {
      lines += stage.pass(milliseconds: 250)
      lines += stage.read(.cgroup("/a/b"), available: 500)
    }
    #expect(stage.cache(1).limit == .mebibytes(120))
    #expect(!lines.contains { $0.hasPrefix("relax") })
    for _ in 0..<40 {
      lines += stage.pass(milliseconds: 250)
      lines += stage.read(.cgroup("/a"), available: 500)
    }
    #expect(stage.cache(1).limit == nil)
    #expect(lines.filter { $0.hasPrefix("relax") }.allSatisfy { $0.hasPrefix("relax c1 r2 ") })
    #expect(lines.filter { $0.hasSuffix("<-") } == ["relax c1 r2 none 1<-"])
  }

  @Test("a domain that is lost in the middle leaves no limit behind")
  func lostDomain() {
    var stage = Stage()
    stage.join(1, [100], domains: ["/a"])
    stage.join(2, [100], domains: ["/a"])
    _ = stage.read(.cgroup("/a"), available: 20)
    #expect(stage.cache(1).limit == .mebibytes(70))
    let lost = stage.send(.domainLost(.cgroup("/a")))
    #expect(lost.contains("relax c1 r1 none 1<-"))
    // The round goes on, and its second attempt sets limits anew.
    _ = stage.answer(1, part: 0, more: false)
    #expect(stage.answer(2).contains { $0.hasPrefix("ask c2 r1.2") })
    #expect(stage.cache(2).limit != nil)
    _ = stage.answer(2)
    let lines = stage.pass(milliseconds: 20_000)
    #expect(!stage.round(1).isOpen)
    #expect(lines.contains("relax c2 r1 none 1<-"))
    #expect(stage.cache(2).limit == nil)
  }

  @Test("settings that forget a domain in the middle of its round let its clients go")
  func forgottenDomain() {
    var stage = Stage()
    var configuration = Configuration()
    configuration.watermarks = .plain
    configuration.domains = [DomainSettings(domain: .cgroup("/a"), capacity: .gibibytes(1))]
    #expect(stage.send(.configured(configuration)) == ["watch /a", "sample /a"])
    stage.join(1, [100], domains: ["/a"])
    _ = stage.read(.cgroup("/a"), available: 20)
    configuration.domains = []
    #expect(stage.send(.configured(configuration)) == [])
    // The shell tells the client's domains anew: the cgroup has no limit of its own.
    let moved = stage.send(.relocated(ClientID(1), .plain(1)))
    #expect(moved.contains("relax c1 r1 none 1<-"))
    #expect(moved.last == "unwatch /a")
    _ = stage.answer(1)
    #expect(stage.pass(milliseconds: 200) == ["measure 11", "close r1"])
    #expect(stage.broker.domains.map(\.domain) == [.host])
    #expect(stage.cache(1).limit == nil)
  }
}

@Suite("The clock of a round")
struct RoundClockTests {
  @Test("at critical a request has 500 ms, and the domain is read every 100")
  func critical() {
    var stage = Stage()
    stage.join(1, [400])
    _ = stage.read(available: 70)
    stage.clock += 1_000
    let lines = stage.alarm(.critical, available: 60, some: 900)
    #expect(lines.contains { $0.hasPrefix("ask c1 r1.1 critical") })
    #expect(stage.orders.last?.deadline == .milliseconds(500))
    #expect(stage.wakesIn == 100)
    let after = stage.pass(milliseconds: 500)
    #expect(after.contains("close r1"))
    #expect(after.count { $0 == "sample host" } == 5)
    #expect(stage.broker.totals.timeouts == 1)
    #expect(stage.broker.domains[0].state == .hold)
  }

  @Test(
    "the last attempt is one level up, and at critical stays there",
    arguments: [PressureLevel.low, .medium, .critical]
  )
  func ladder(level: PressureLevel) {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    _ = stage.read(available: 70)
    stage.clock += 1_000
    _ = stage.alarm(level, available: 1, some: 900)
    for _ in 1...2 {
      _ = stage.answer(1, part: 10)
      _ = stage.answer(2, part: 10)
    }
    let levels = stage.orders.filter { $0.client == ClientID(1) }.map(\.level)
    #expect(levels == [max(.medium, level), max(.medium, level), .critical])
    #expect(stage.orders.last?.deadline == .milliseconds(500))
    #expect(stage.round(1).level == max(.medium, level))
  }

  @Test("a second reading that does not come is waited for 100 ms; the others count")
  func oneReading() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    _ = stage.ask(100)
    _ = stage.answer(1)
    _ = stage.answer(2)
    stage.measuresAtOnce = false
    #expect(stage.pass(milliseconds: 200) == ["measure 11", "measure 12"])
    #expect(stage.wakesIn == 100)
    let reading = ProcessReading(resident: .mebibytes(50))
    #expect(stage.send(.measured(ProcessID(11), reading)) == [])
    #expect(stage.pass(milliseconds: 99) == [])
    #expect(stage.pass(milliseconds: 1) == ["close r1"])
    #expect(stage.round(1).clients.map(\.measured) == [.mebibytes(50), .zero])
    #expect(stage.round(1).took == .milliseconds(300))
    // Too late: the round is over.
    #expect(stage.send(.measured(ProcessID(12), reading)) == [])
    #expect(stage.round(1).measured == .mebibytes(50))
  }

  @Test("a first reading that does not come leaves nothing to compare with")
  func noFirstReading() {
    var stage = Stage()
    stage.measuresAtOnce = false
    stage.join(1, [100])
    _ = stage.ask(50)
    _ = stage.answer(1)
    stage.measuresAtOnce = true
    #expect(stage.pass(milliseconds: 200) == ["measure 11", "close r1"])
    #expect(stage.round(1).measured == .zero)
    #expect(stage.round(1).claimed == .mebibytes(50))
    #expect(stage.round(1).unmet == .mebibytes(50))
  }

  @Test("a pause with an end ends by itself, in the middle of a round too")
  func pauseEnds() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(50)
    let end = stage.now + .milliseconds(500)
    #expect(stage.send(.paused(until: end)) == ["pause"])
    #expect(stage.send(.paused(until: end + .milliseconds(100))) == [])
    #expect(stage.pass(milliseconds: 599) == [])
    #expect(stage.broker.isPaused)
    #expect(stage.pass(milliseconds: 1) == ["resume"])
    #expect(stage.send(.resumed) == [])
    #expect(stage.round(1).isOpen)
  }

  @Test("overrides end each at its time, the round that runs keeps what it was computed from")
  func overridesEnd() {
    var stage = Stage()
    stage.join(1, [100, 100])
    let floor = ByteCount.mebibytes(90)
    let soon = CacheOverride(floor: floor, until: stage.now + .milliseconds(300))
    let later = CacheOverride(floor: floor, until: stage.now + .milliseconds(900))
    _ = stage.send(.overridden(ClientID(1), CacheID(1), soon))
    _ = stage.send(.overridden(ClientID(1), CacheID(2), later))
    #expect(stage.wakesIn == 300)
    #expect(stage.ask(500).last == "ask c1 r1.1 medium 1:10M<90M 2:10M<90M")
    #expect(stage.pass(milliseconds: 300) == [])
    #expect(stage.cache(1).floor == .zero)
    #expect(stage.cache(1, CacheID(2)).floor == floor)
    #expect(stage.wakesIn == 600)
    #expect(stage.round(1).clients[0].caches.map(\.inputs.floor) == [floor, floor])
    _ = stage.pass(milliseconds: 600)
    #expect(stage.cache(1, CacheID(2)).floor == .zero)
  }
}
