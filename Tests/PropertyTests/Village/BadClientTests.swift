// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// What each kind of bad client gets out of it.
@Suite("A bad client among honest ones")
struct BadClientTests {
  /// One client of `temper` and three honest ones, 200 MiB each.
  private func village(_ temper: Temper, seed: UInt64 = 5) -> Village {
    var village = Village(seed: seed)
    for next in [temper, .honest, .honest, .honest] {
      _ = village.settle(next, mebibytes: [200])
    }
    return village
  }

  /// A manual round to its end; afterwards everybody fills its cache again.
  private func round(_ village: inout Village, _ mebibytes: UInt64) -> RoundView {
    let request = RoundRequest(
      bytes: .mebibytes(mebibytes),
      level: .medium,
      scope: .manual,
      dryRun: false
    )
    village.send(.requested(RequestToken(1), request))
    let id = village.broker.lastRound!
    village.calm()
    // Limits are lifted five seconds later.
    village.pass(milliseconds: 12_000)
    for index in village.sessions.indices {
      village.programs[village.sessions[index].program].pools[0] = 200 << 20
      village.report(index)
    }
    return village.broker.round(id)!
  }

  private func trust(_ village: Village, _ client: UInt64) -> UInt32 {
    village.broker.client(ClientID(client))!.trust.parts
  }

  private func ledger(_ village: Village, _ client: UInt64) -> Int64 {
    village.broker.client(ClientID(client))!.ledger
  }

  @Test("a keeper claims all, is measured at nothing, and is found out")
  func keeper() {
    var village = village(.keeper)
    for number in 0..<4 {
      let view = round(&village, 100)
      #expect(view.clients[0].claimed > .zero)
      #expect(view.clients[0].measured == .zero)
      #expect(view.measured < view.claimed)
      if number > 0 { #expect(view.unmet > .zero) }
    }
    #expect(trust(village, 1) < 2_000)
    #expect(ledger(village, 1) < -(40 << 20), "it owes")
    #expect(village.broker.client(ClientID(1))!.keepsMemory)
    #expect(village.auditor.keepers == [ClientID(1)])
    #expect([2, 3, 4].allSatisfy { trust(village, $0) > 9_000 })
    #expect(village.auditor.complaint == nil)
  }

  @Test("a boaster is credited with what went, not with what it said")
  func boaster() {
    var village = village(.boaster)
    let view = round(&village, 100)
    #expect(view.clients[0].claimed == .mebibytes(25))
    #expect(view.clients[0].measured.value == (25 << 20) / 2)
    #expect(trust(village, 1) == 7_900 - 1_500)
    for _ in 0..<12 { _ = round(&village, 100) }
    #expect((4_900..<5_200).contains(trust(village, 1)), "half of what is asked comes")
    #expect(village.auditor.complaint == nil)
  }

  @Test("a lossy one is asked for more, so that its part comes in the end")
  func lossy() {
    var village = village(.lossy)
    for _ in 0..<12 { _ = round(&village, 100) }
    let view = round(&village, 100)
    #expect(view.clients[0].asked > view.clients[0].part)
    #expect(view.clients[0].measured >= .mebibytes(20))
    #expect((2_900..<3_400).contains(trust(village, 1)))
    #expect(view.measured >= .mebibytes(95) && view.measured <= .mebibytes(105))
    #expect(village.auditor.complaint == nil)
  }

  @Test("one that hangs costs three deadlines, then nobody waits for it")
  func hanging() {
    var village = village(.hanging)
    var took: [UInt64] = []
    for _ in 0..<4 { took.append(round(&village, 100).took.milliseconds) }
    #expect(took[0..<3].allSatisfy { $0 >= 2_000 && $0 < 5_000 })
    #expect(took[3] < 1_000)
    #expect(village.broker.client(ClientID(1))!.isLeftOut)
    #expect(village.sessions[0].timesAsked == 3)
    #expect(trust(village, 1) < 3_000, "what was asked did not come")
    #expect(village.auditor.leftOut == [ClientID(1)])
    #expect(village.auditor.complaint == nil)
  }

  @Test("a slow one's answer counts as late, and what it gives counts for its account")
  func slow() {
    var village = village(.slow)
    let view = round(&village, 100)
    #expect([.late, .silent].contains(view.clients[0].outcome))
    #expect(view.took < .seconds(15))
    #expect(village.broker.totals.timeouts == 1)
    #expect(village.auditor.complaint == nil)
  }

  @Test("one that refuses is left alone for as long as it wants, and owes")
  func refusing() {
    var village = village(.refusing)
    let view = round(&village, 100)
    #expect(view.clients[0].outcome == .refused)
    #expect(view.claimed.value / 4_096 == 25_602, "the others give its part, in pages")
    #expect(ledger(village, 1) == -(25 << 20) - 2_048)
    #expect(trust(village, 1) == 7_000)
    #expect(village.auditor.complaint == nil)
  }

  /// Bytes that the first client kept more than the mean of the others, of what each had.
  private func advantage(_ temper: Temper) -> Double {
    var village = village(temper)
    var kept = [0.0, 0.0, 0.0, 0.0]
    for _ in 0..<20 {
      let view = round(&village, 300)
      for client in view.clients {
        kept[Int(client.client.ordinal) - 1] += 200 - Double(client.measured.value >> 20)
      }
      for index in 0..<4 where !view.clients.contains(where: { $0.client.ordinal == index + 1 }) {
        kept[index] += 200
      }
    }
    #expect(village.auditor.complaint == nil)
    let others = (kept[1] + kept[2] + kept[3]) / 3
    return (kept[0] - others) / others
  }

  @Test("whoever hides half gains no more than the ledger forgets")
  func hider() {
    let gain = advantage(.hider)
    #expect(gain < 0.10, "\(gain)")
  }

  @Test("an honest one gains nothing over its like")
  func honest() {
    let gain = advantage(.honest)
    #expect(abs(gain) < 0.01, "\(gain)")
  }

  // MARK: - Collusion

  /// One program in as many sessions, its 120 MiB cut into equal caches, beside one of 120 in one.
  private func split(_ sessions: Int) -> (asked: UInt64, other: UInt64) {
    var village = Village(seed: 9)
    let sizes = [UInt64](repeating: 120 / UInt64(sessions), count: sessions)
    let program = village.build(sizes)
    for pool in sizes.indices { _ = village.join(.honest, program, pools: [pool]) }
    _ = village.settle(.honest, mebibytes: [120])
    let request = RoundRequest(
      bytes: .mebibytes(60),
      level: .medium,
      scope: .manual,
      dryRun: false
    )
    village.send(.requested(RequestToken(1), request))
    village.calm()
    #expect(village.auditor.complaint == nil)
    let view = village.broker.round(RoundID(1))!
    let own = view.clients.filter { $0.process.number == 100 }
    let other = view.clients.filter { $0.process.number == 101 }
    return (
      own.reduce(0) { $0 + $1.measured.value } >> 20,
      other.reduce(0) { $0 + $1.measured.value } >> 20
    )
  }

  @Test("a program that splits itself gives what it gave in one piece", arguments: [1, 2, 3, 6])
  func splitting(sessions: Int) {
    let (own, other) = split(sessions)
    #expect(own == 30)
    #expect(other == 30)
  }

  @Test("three sessions that claim the same memory share what was seen of it")
  func claimTogether() {
    var village = Village(seed: 11)
    let program = village.build([150])
    _ = village.join(.honest, program, pools: [0])
    _ = village.join(.keeper, program, pools: [0])
    _ = village.join(.keeper, program, pools: [0])
    let request = RoundRequest(
      bytes: .mebibytes(90),
      level: .medium,
      scope: .manual,
      dryRun: false
    )
    village.send(.requested(RequestToken(1), request))
    village.calm()
    let view = village.broker.round(RoundID(1))!
    // Each was asked for 30 and claims it; one of them gave it.
    #expect(view.claimed == .mebibytes(90))
    #expect(view.measured == .mebibytes(30))
    #expect(view.clients.map(\.measured) == [.mebibytes(10), .mebibytes(10), .mebibytes(10)])
    #expect(village.auditor.complaint == nil)
  }
}
