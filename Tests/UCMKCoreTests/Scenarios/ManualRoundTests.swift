// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("A manual round")
struct ManualRoundTests {
  @Test("opens, asks, settles, measures and closes")
  func wholeRound() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [60])
    #expect(
      stage.ask(80) == [
        "open r1", "accept 7 r1", "measure 11", "measure 12",
        "ask c1 r1.1 medium 1:60M<40M", "ask c2 r1.1 medium 1:20M<40M",
      ]
    )
    #expect(stage.wakesIn == 2_000)
    #expect(stage.answer(1) == [])
    stage.clock += 30
    #expect(stage.answer(2) == [])
    #expect(stage.wakesIn == 200)
    #expect(
      stage.pass(milliseconds: 200) == ["measure 11", "measure 12", "close r1"]
    )
    let round = stage.round(1)
    #expect(round.isOpen == false)
    #expect(round.target == .mebibytes(80))
    #expect(round.capacity == .mebibytes(160))
    #expect(round.part == .mebibytes(80))
    #expect(round.asked == .mebibytes(80))
    #expect(round.claimed == .mebibytes(80))
    #expect(round.measured == .mebibytes(80))
    #expect(round.unmet == .zero)
    #expect(round.took == .milliseconds(230))
    #expect(round.clients.map(\.measured) == [.mebibytes(60), .mebibytes(20)])
    #expect(round.clients.map(\.took) == [.zero, .milliseconds(30)])
    #expect(round.clients.map(\.outcome) == [.done, .done])
    #expect(round.clients[0].caches[0].inputs.measured == .mebibytes(100))
  }

  @Test("with nothing to ask opens and closes at once", arguments: [0, 80] as [UInt64])
  func nothingToAsk(target: UInt64) {
    var stage = Stage()
    #expect(stage.ask(target) == ["open r1", "accept 7 r1", "close r1"])
    #expect(stage.round(1).capacity == .zero)
    #expect(stage.round(1).unmet == .mebibytes(target))
    #expect(stage.wakesIn == nil)
  }

  @Test("without a size takes the deficit to the high watermark, and nothing where there is none")
  func deficit() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.send(.paused(until: nil))
    _ = stage.read(available: 30)
    #expect(stage.ask(nil).contains("ask c1 r1.1 medium 1:50M<50M"))
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    _ = stage.read(available: 90)
    #expect(stage.ask(nil) == ["open r2", "accept 7 r2", "close r2"])
  }

  @Test("is declined while one of its scope runs, with the time after which to try again")
  func busy() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(10)
    stage.clock += 500
    #expect(stage.ask(10) == ["decline 7 busy 1700ms"])
    _ = stage.answer(1)
    stage.clock += 50
    #expect(stage.ask(10) == ["decline 7 busy 150ms"])
  }

  @Test("of another scope runs beside it and asks for nothing that is under way")
  func twoScopes() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(70)
    let lines = stage.ask(70, scope: .domain(.host))
    #expect(lines.contains("ask c1 r2.1 medium 1:30M<0"))
    #expect(stage.round(2).capacity == .mebibytes(30))
  }

  @Test("asks others for what one did not give, in the same round")
  func resplit() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    stage.join(3, [40])
    _ = stage.ask(120)
    #expect(stage.answer(1, part: 50, more: false) == [])
    let lines = stage.answer(2)
    #expect(
      lines == ["measure 13", "ask c2 r1.2 medium 1:15M<25M", "ask c3 r1.2 medium 1:15M<25M"]
    )
    #expect(stage.wakesIn == 2_000)
    _ = stage.answer(2)
    _ = stage.answer(3)
    #expect(
      stage.pass(milliseconds: 200) == ["measure 11", "measure 12", "measure 13", "close r1"]
    )
    let round = stage.round(1)
    #expect(round.asked == .mebibytes(150))
    #expect(round.claimed == .mebibytes(120))
    #expect(round.measured == .mebibytes(120))
    #expect(round.clients.map(\.part) == [.mebibytes(60), .mebibytes(60), .zero])
    #expect(round.clients.map(\.asked) == [.mebibytes(60), .mebibytes(75), .mebibytes(15)])
    #expect(round.clients.map(\.outcome) == [.partial, .done, .done])
  }

  @Test("makes at most three attempts, all at its own level")
  func attempts() {
    var stage = Stage()
    stage.join(1, [100])
    #expect(stage.ask(80, level: .low).last == "ask c1 r1.1 low 1:80M<20M")
    #expect(stage.answer(1, part: 10).last == "ask c1 r1.2 low 1:72M<20M")
    #expect(stage.answer(1, part: 10).last?.hasPrefix("ask c1 r1.3 low") == true)
    #expect(stage.answer(1, part: 10) == [])
    #expect(stage.pass(milliseconds: 200) == ["measure 11", "close r1"])
    #expect(stage.round(1).clients[0].outcome == .partial)
  }

  @Test("leaves out whoever is silent, and cancels its request when it closes")
  func silent() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    _ = stage.ask(100)
    _ = stage.answer(1)
    #expect(
      stage.pass(milliseconds: 2_000) == ["ask c1 r1.2 medium 1:50M<0"]
    )
    _ = stage.answer(1)
    #expect(
      stage.pass(milliseconds: 200) == ["measure 11", "cancel c2 r1.1", "close r1"]
    )
    let round = stage.round(1)
    #expect(round.claimed == .mebibytes(100))
    #expect(round.clients.map(\.outcome) == [.done, .silent])
    #expect(stage.broker.totals.timeouts == 1)
  }

  @Test("closes at its deadline where nobody answers, without settling")
  func allSilent() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(50)
    #expect(stage.pass(milliseconds: 1_999) == [])
    #expect(stage.pass(milliseconds: 1) == ["cancel c1 r1.1", "close r1"])
    #expect(stage.round(1).unmet == .mebibytes(50))
  }

  @Test("at critical waits 500 ms and honours no floor")
  func critical() {
    var stage = Stage()
    stage.join(1, [100])
    var declaration = stage.cache(1).declaration
    declaration.floor = .mebibytes(90)
    _ = stage.send(.updated(ClientID(1), CacheID(1), declaration))
    #expect(stage.ask(100, level: .critical).last == "ask c1 r1.1 critical 1:100M<0")
    #expect(stage.wakesIn == 500)
  }

  @Test("counts an answer after the deadline while it is open, and only the usage after that")
  func late() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    stage.join(3, [100])
    _ = stage.ask(90)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 2_000)
    #expect(stage.answer(2) == [])
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    var round = stage.round(1)
    #expect(round.isOpen == false)
    #expect(round.clients.map(\.outcome) == [.done, .late, .silent])
    #expect(round.claimed == .mebibytes(120))
    #expect(stage.answer(3) == [])
    round = stage.round(1)
    #expect(round.claimed == .mebibytes(120))
    #expect(round.clients[2].outcome == .silent)
    #expect(stage.cache(3).declaration.usage.bytes == .mebibytes(70))
  }

  @Test("goes on without a client that disconnects")
  func gone() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    _ = stage.ask(100)
    _ = stage.answer(1)
    #expect(stage.send(.detached(ClientID(2))) == ["ask c1 r1.2 medium 1:50M<0"])
    #expect(stage.send(.left(ClientID(2))) == [])
    _ = stage.answer(1)
    #expect(stage.pass(milliseconds: 200) == ["measure 11", "close r1"])
    #expect(stage.round(1).clients.map(\.outcome) == [.done, .gone])
    #expect(stage.broker.client(ClientID(2)) == nil)
  }

  @Test("leaves alone whoever refused, until its time is over")
  func refused() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(50)
    #expect(
      stage.send(
        .refused(ClientID(1), RoundID(1), attempt: 1, retryAfter: .seconds(5))
      ) == ["close r1"]
    )
    #expect(stage.round(1).clients.map(\.outcome) == [.refused])
    #expect(stage.ask(50) == ["open r2", "accept 7 r2", "close r2"])
    stage.clock += 5_000
    #expect(stage.ask(50).last == "ask c1 r3.1 medium 1:50M<50M")
  }

  @Test("counts what could not be delivered as a timeout")
  func undelivered() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(50)
    let event = Event.undelivered(ClientID(1), RoundID(1), attempt: 1)
    #expect(stage.send(event) == ["close r1"])
    #expect(stage.send(event) == [])
    #expect(stage.round(1).clients.map(\.outcome) == [.silent])
    #expect(stage.broker.totals.timeouts == 1)
  }

  @Test("that is dry says what would be freed, sets no limit and measures nothing")
  func dryRun() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    #expect(
      stage.ask(100, dryRun: true).suffix(2) == [
        "ask c1 r1.1 medium 1:50M dry", "ask c2 r1.1 medium 1:50M dry",
      ]
    )
    for client in [1, 2] as [UInt64] {
      let report = FreedReport(
        cache: CacheID(1),
        freed: .mebibytes(20),
        bytes: .mebibytes(100),
        reclaimable: .mebibytes(100),
        more: true
      )
      _ = stage.send(.freed(ClientID(client), RoundID(1), attempt: 1, report))
    }
    _ = stage.send(.answered(ClientID(1), RoundID(1), attempt: 1))
    #expect(stage.send(.answered(ClientID(2), RoundID(1), attempt: 1)) == ["close r1"])
    let round = stage.round(1)
    #expect(round.claimed == .mebibytes(40))
    #expect(round.measured == .zero)
    #expect(round.unmet == .mebibytes(60))
    #expect(stage.cache(1).limit == nil)
    #expect(stage.broker.totals.asked == .zero)
  }

  @Test("relaxes its limits within 10 s where the host is not short")
  func relax() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(60)
    _ = stage.answer(1)
    #expect(stage.cache(1).limit == .mebibytes(40))
    let lines = stage.pass(milliseconds: 10_000)
    #expect(lines.contains("relax c1 r1 none 1<-"))
    #expect(stage.cache(1).limit == nil)
  }

  @Test("keeps its limits while the host is short")
  func relaxLater() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.send(.paused(until: nil))
    _ = stage.read(available: 20)
    _ = stage.ask(60)
    _ = stage.answer(1)
    #expect(!stage.pass(milliseconds: 10_000).contains("relax c1 r1 none 1<-"))
    for _ in 0..<40 {
      _ = stage.pass(milliseconds: 250)
      _ = stage.read(available: 200)
    }
    #expect(stage.cache(1).limit == nil)
  }
}
