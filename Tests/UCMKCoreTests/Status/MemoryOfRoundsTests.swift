// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("What a broker remembers")
struct MemoryOfRoundsTests {
  @Test("256 rounds and 32 of them for a client, and the sums of all")
  func manyRounds() {
    var stage = Stage()
    stage.join(1, [1_000])
    for number in 1...300 as ClosedRange<UInt64> {
      _ = stage.ask(1)
      _ = stage.answer(1)
      _ = stage.pass(milliseconds: 200)
      #expect(stage.broker.totals.rounds == number)
    }
    let rounds = stage.broker.rounds(count: 1_000)
    #expect(rounds.count == 256)
    #expect(rounds.first?.round == RoundID(300))
    #expect(rounds.last?.round == RoundID(45))
    #expect(stage.broker.round(RoundID(44)) == nil)
    #expect(stage.broker.round(RoundID(45))?.clients.count == 1)
    let history = stage.broker.history(of: ClientID(1))
    #expect(history.map(\.round.number) == Array(269...300))
    #expect(history.allSatisfy { $0.asked == .mebibytes(1) && $0.outcome == .done })
    #expect(stage.broker.totals.measured == .mebibytes(300))
    #expect(stage.broker.totals.byHand == 300)
    #expect(stage.broker.rounds(count: 0).isEmpty)
    #expect(stage.broker.rounds(count: -1).isEmpty)
    #expect(stage.broker.rounds(count: 3).map(\.round.number) == [300, 299, 298])
  }

  @Test("8,192 rows of clients: older rounds keep their sums alone")
  func manyRows() {
    var stage = Stage()
    for client in 1...400 as ClosedRange<UInt64> { stage.join(client, [100]) }
    for _ in 1...21 {
      _ = stage.ask(400)
      for client in 1...400 as ClosedRange<UInt64> { _ = stage.answer(client) }
      _ = stage.pass(milliseconds: 200)
    }
    // 21 × 400 rows are 208 too many: the first round lost some, the second none.
    #expect(stage.broker.round(RoundID(1))?.remembersClients == false)
    #expect(stage.broker.round(RoundID(1))?.clients.isEmpty == true)
    #expect(stage.broker.round(RoundID(1))?.claimed == .mebibytes(400))
    #expect(stage.broker.round(RoundID(2))?.remembersClients == true)
    #expect(stage.broker.round(RoundID(2))?.clients.count == 400)
    #expect(stage.broker.history(of: ClientID(400)).first?.round == RoundID(2))
    let shown = stage.broker.rounds(count: 30)
    #expect(shown.count { $0.remembersClients } == 20)
    #expect(shown.allSatisfy { $0.clients.isEmpty && $0.asked == .mebibytes(400) })
    // So it is with what the parts were computed from.
    let lost = stage.broker.attempts(of: RoundID(1))
    #expect(lost.map(\.isRemembered) == [false])
    #expect(lost[0].clients.isEmpty && lost[0].caches.isEmpty && lost[0].nodes.isEmpty)
    #expect(lost[0].excluded.isEmpty)
    #expect(lost[0].target == .mebibytes(400) && lost[0].part == .mebibytes(400))
    let kept = stage.broker.attempts(of: RoundID(2))
    #expect(kept.map(\.isRemembered) == [true])
    #expect(kept[0].clients.map(\.client.ordinal) == Array(1...400))
    #expect(kept[0].caches.count == 400)
  }

  @Test("an open round is shown before those that are over, and dry ones count in no sum")
  func openAndDry() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(10, dryRun: true)
    _ = stage.answer(1)
    #expect(stage.broker.totals.asked == .zero)
    #expect(stage.broker.totals.rounds == 1)
    _ = stage.ask(10)
    let rounds = stage.broker.rounds(count: 2)
    #expect(rounds.map(\.isOpen) == [true, false])
    #expect(rounds.map(\.isDryRun) == [false, true])
    #expect(rounds[1].unmet == .zero)
    #expect(stage.broker.history(of: ClientID(1)).map(\.round.number) == [1])
  }

  @Test("a client that left is still in the history of its rounds, another under its id is not new")
  func leftClient() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(10)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    _ = stage.send(.left(ClientID(1)))
    #expect(stage.broker.history(of: ClientID(1)).count == 1)
    #expect(stage.round(1).clients[0].name == "client-1")
    #expect(stage.broker.totals.clients == 0)
    // A limit of nobody needs nobody to lift it.
    #expect(stage.pass(milliseconds: 10_000) == [])
    #expect(stage.wakesIn == nil)
  }
}
