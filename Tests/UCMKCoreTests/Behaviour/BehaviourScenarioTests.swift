// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("What rounds teach of clients")
struct BehaviourScenarioTests {
  /// A manual round to its end, in which each client gives the percentage of what it was asked.
  private func round(_ stage: inout Stage, _ mebibytes: UInt64, real: [UInt64: UInt64]) {
    _ = stage.ask(mebibytes)
    let number = stage.broker.lastRound!.number
    for client in real.keys.sorted() {
      _ = stage.answer(client, in: number, real: real[client]!)
    }
    _ = stage.pass(milliseconds: 8_000)
    #expect(!stage.round(number).isOpen)
  }

  private func view(_ stage: Stage, _ client: UInt64) -> ClientView {
    stage.broker.client(ClientID(client))!
  }

  private func refill(_ stage: inout Stage, _ client: UInt64, _ mebibytes: UInt64) {
    _ = stage.send(.reported(ClientID(client), CacheID(1), .mebibytes(mebibytes)))
    stage.resident[Int32(10 + client)] = mebibytes << 20
  }

  @Test("an honest client is asked for its part to the byte, round after round")
  func honest() {
    var stage = Stage()
    stage.join(1, [400])
    stage.join(2, [400])
    for _ in 0..<6 {
      round(&stage, 100, real: [1: 100, 2: 100])
      let view = stage.round(stage.broker.lastRound!.number)
      #expect(view.asked == .mebibytes(100))
      #expect(view.clients.map(\.part) == [.mebibytes(50), .mebibytes(50)])
      refill(&stage, 1, 400)
      refill(&stage, 2, 400)
    }
    #expect(view(stage, 1).trust.parts > 9_500)
    #expect(view(stage, 1).ledger == 0)
  }

  @Test("a shirker is trusted less, asked for more than its part, and owes")
  func shirker() {
    var stage = Stage()
    stage.join(1, [400])
    stage.join(2, [400])
    round(&stage, 100, real: [1: 100, 2: 20])
    #expect(view(stage, 1).trust == Permyriad(7_900))
    #expect(view(stage, 2).trust == Permyriad(5_500))
    // 60 MiB came, 30 of each would have been fair.
    #expect(view(stage, 1).ledger == 20 << 20)
    #expect(view(stage, 2).ledger == -(20 << 20))
    refill(&stage, 1, 400)
    refill(&stage, 2, 400)
    _ = stage.ask(100)
    let quotas = stage.round(2).clients
    // 400 stays (the whole of it could go), 420 looks 20 larger: 40 and 60.
    #expect(quotas.map(\.part) == [.mebibytes(40), .mebibytes(60)])
    #expect(quotas[0].asked == .mebibytes(40))
    #expect(quotas[1].caches[0].inputs.trust == Permyriad(5_500))
    #expect(quotas[1].caches[0].inputs.ledger == -(20 << 20))
    #expect(quotas[1].caches[0].inputs.askable == .mebibytes(400))
    #expect(quotas[1].caches[0].inputs.cap == .mebibytes(220))
    // 60 MiB over 0.55, in whole pages.
    #expect(quotas[1].asked == ByteCount(114_393_088))
    // What is expected is in flight, not what is asked.
    let everybody = Membership(scope: .manual, byPath: false)
    #expect(stage.broker.inFlight(in: everybody) == .mebibytes(100))
  }

  @Test("whoever is spared for a declared cost owes, and is believed no more until that is paid")
  func spared() {
    var stage = Stage()
    stage.join(1, [400], cost: 100_000)
    stage.join(2, [400], cost: 10_000)
    stage.join(3, [400], cost: 10_000)
    // Weights 2 : 1 : 1, level 250: 150 each of those that cost less; 100 each without costs.
    round(&stage, 300, real: [2: 100, 3: 100])
    #expect(stage.round(1).clients.map(\.client) == [ClientID(2), ClientID(3)])
    #expect(stage.round(1).clients.map(\.part) == [.mebibytes(150), .mebibytes(150)])
    #expect(view(stage, 1).ledger == -(100 << 20))
    #expect(view(stage, 2).ledger == 50 << 20)
    for client in 2...3 as ClosedRange<UInt64> { refill(&stage, client, 400) }
    _ = stage.ask(300)
    let quotas = stage.round(2).clients
    // It owes more than a sixteenth of 400: its cost counts as the median's, and it looks 500.
    #expect(quotas[0].caches[0].inputs.costBand == .one)
    #expect(quotas.map(\.part.value).reduce(0, +) == 300 << 20)
    #expect(quotas[0].part > quotas[1].part)
  }

  @Test("a plan leaves the ledger alone")
  func dryRunsTeachNothing() {
    var stage = Stage()
    stage.join(1, [400], cost: 100_000)
    stage.join(2, [400], cost: 10_000)
    let plan = stage.broker.plan(
      RoundRequest(bytes: .mebibytes(100), level: .medium, scope: .manual, dryRun: true)
    )
    #expect(plan.clients[0].part < plan.clients[1].part)
    #expect(view(stage, 1).ledger == 0)
  }

  @Test("all asks together are at most twice the target")
  func overAsk() {
    var stage = Stage()
    for client in 1...3 as ClosedRange<UInt64> {
      stage.join(client, [1_000])
      let memory = RememberedBehaviour(
        trust: Permyriad(500),
        fellShort: true,
        ledger: 0,
        keepsMemory: false
      )
      _ = stage.send(.remembered(ClientID(client), memory))
    }
    _ = stage.ask(90)
    #expect(stage.round(1).part == .mebibytes(90))
    let asked = stage.round(1).clients.map(\.asked)
    #expect(asked == [.mebibytes(60), .mebibytes(60), .mebibytes(60)])
  }

  @Test("nothing is learned where the process cannot be read, or in a dry run, or by a refusal")
  func unknown() {
    var stage = Stage()
    stage.join(1, [400])
    stage.resident[11] = nil
    _ = stage.ask(100)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 8_000)
    #expect(view(stage, 1).trust == Permyriad(7_000))
    _ = stage.ask(100, dryRun: true)
    _ = stage.answer(1, real: 0)
    _ = stage.pass(milliseconds: 8_000)
    #expect(view(stage, 1).trust == Permyriad(7_000))
    _ = stage.ask(100)
    let round = stage.broker.lastRound!
    _ = stage.send(.refused(ClientID(1), round, attempt: 1, retryAfter: .seconds(1)))
    _ = stage.pass(milliseconds: 8_000)
    #expect(view(stage, 1).trust == Permyriad(7_000))
    #expect(view(stage, 1).ledger == 0)
  }

  @Test("three silent rounds in a row leave a client out for 30 s, then it is asked for a little")
  func breaker() {
    var stage = Stage()
    stage.join(1, [400])
    var lines: [String] = []
    for _ in 0..<3 {
      lines += stage.ask(100)
      lines += stage.pass(milliseconds: 5_000)
    }
    #expect(lines.filter { $0 == "left out c1" }.count == 1)
    #expect(view(stage, 1).isLeftOut)
    let request = RoundRequest(bytes: .mebibytes(9), level: .low, scope: .manual, dryRun: false)
    #expect(stage.broker.plan(request).excluded.map(\.reason) == [.breaker])
    _ = stage.pass(milliseconds: 30_000)
    #expect(stage.broker.plan(request).capacity <= .mebibytes(1))
    _ = stage.ask(100)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 5_000)
    // It gave something: it may be asked for all again, as far as it is trusted.
    #expect(stage.broker.plan(request).capacity > .mebibytes(50))
    #expect(!view(stage, 1).isLeftOut)
  }

  @Test("a newcomer is left alone for 2 s where others can give enough")
  func newcomer() {
    var stage = Stage()
    stage.join(1, [400])
    stage.join(2, [400], isNew: true)
    let first = stage.read(available: 30).filter { $0.hasPrefix("ask") }
    #expect(first.count == 1 && first[0].hasPrefix("ask c1 "), "\(first)")
    // An administrator asks everybody.
    let manual = RoundRequest(bytes: .mebibytes(9), level: .low, scope: .manual, dryRun: false)
    #expect(stage.broker.plan(manual).clients.map(\.client) == [ClientID(1), ClientID(2)])
  }

  @Test("after 2 s it is no newcomer any more")
  func noNewcomer() {
    var stage = Stage()
    stage.join(1, [400])
    stage.join(2, [400], isNew: true)
    stage.clock = 2_000
    let asked = stage.read(available: 30).filter { $0.hasPrefix("ask") }
    #expect(asked.count == 2, "\(asked)")
  }

  @Test("a newcomer is asked where the others cannot give enough, or nobody else is there")
  func newcomerNeeded() {
    var stage = Stage()
    stage.join(1, [10])
    stage.join(2, [400], isNew: true)
    let asked = stage.read(available: 30).filter { $0.hasPrefix("ask") }
    #expect(asked.count == 1 && asked[0].hasPrefix("ask c2 "), "\(asked)")
    var alone = Stage()
    alone.join(1, [400], isNew: true)
    let lines = alone.alarm(.medium, .watch, available: 70, some: 10)
    #expect(lines.contains { $0.hasPrefix("ask c1 ") }, "\(lines)")
  }

  @Test("a newcomer is asked at critical at once")
  func newcomerAtCritical() {
    var stage = Stage()
    stage.join(1, [400])
    stage.join(2, [400], isNew: true)
    let lines = stage.alarm(.critical, .watch, domain: .host, available: 10, some: 10)
    #expect(lines.filter { $0.hasPrefix("ask") }.count == 2, "\(lines)")
  }

  @Test("memory that does not come back is told once, and a quarter of the caps is expected")
  func keepsMemory() {
    var stage = Stage()
    stage.join(1, [400])
    stage.join(2, [400])
    var lines: [String] = []
    for _ in 0..<4 {
      _ = stage.ask(100)
      let number = stage.broker.lastRound!.number
      lines += stage.answer(1, in: number)
      lines += stage.answer(2, in: number, real: 10)
      lines += stage.pass(milliseconds: 8_000)
      refill(&stage, 1, 400)
      refill(&stage, 2, 400)
    }
    #expect(lines.filter { $0 == "keeps memory c2" }.count == 1)
    #expect(view(stage, 2).keepsMemory)
    #expect(!view(stage, 1).keepsMemory)
    #expect(stage.broker.registry.accounts[1].behaviour.expected <= Permyriad(2_500))
  }

  @Test("behaviour survives a reconnect, and its ledger goes when the share changes")
  func survival() {
    var stage = Stage()
    stage.join(1, [400])
    stage.join(2, [400])
    round(&stage, 100, real: [1: 100, 2: 20])
    let before = stage.broker.behaviour(of: ClientID(2))
    _ = stage.send(.detached(ClientID(2)))
    _ = stage.send(.reattached(ClientID(2), .plain(2)))
    #expect(stage.broker.behaviour(of: ClientID(2)) == before)
    _ = stage.send(.relocated(ClientID(2), .plain(2, grantedShare: 300)))
    #expect(view(stage, 2).ledger == 0)
    #expect(view(stage, 2).trust == Permyriad(5_500))
    _ = stage.send(.overridden(ClientID(1), CacheID(1), CacheOverride(floor: .mebibytes(1))))
    #expect(view(stage, 1).ledger == 20 << 20)
    _ = stage.send(.overridden(ClientID(1), CacheID(1), CacheOverride(share: 7)))
    #expect(view(stage, 1).ledger == 0)
  }

  @Test("what is remembered comes back as it was, brought into range")
  func remembering() {
    var stage = Stage()
    stage.join(1, [400])
    let memory = RememberedBehaviour(
      trust: Permyriad(4_000),
      fellShort: true,
      ledger: -77,
      keepsMemory: true
    )
    _ = stage.send(.remembered(ClientID(1), memory))
    #expect(stage.broker.behaviour(of: ClientID(1)) == memory)
    let absurd = RememberedBehaviour(
      trust: Permyriad(.max),
      fellShort: true,
      ledger: .min,
      keepsMemory: false
    )
    _ = stage.send(.remembered(ClientID(1), absurd))
    #expect(view(stage, 1).trust == .one)
    #expect(view(stage, 1).ledger == -Ledger.maximum)
    #expect(stage.broker.behaviour(of: ClientID(9)) == nil)
  }
}
