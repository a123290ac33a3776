// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("What is remembered of programs")
struct BehaviourTableTests {
  private func memory(_ trust: UInt32, ledger: Int64 = -5) -> RememberedBehaviour {
    RememberedBehaviour(
      trust: Permyriad(trust),
      fellShort: true,
      ledger: ledger,
      keepsMemory: false,
      measuredRounds: 3
    )
  }

  /// A survey of sessions: their programs and trusts.
  private func survey(_ table: inout BehaviourTable, _ sessions: [(String, UInt32)]) {
    table.beginSurvey()
    for (key, trust) in sessions { table.note(memory(trust), of: key) }
  }

  @Test("the latest survey counts, and the one noted longest ago comes first")
  func order() {
    var table = BehaviourTable()
    survey(&table, [("a", 1_000), ("b", 2_000)])
    survey(&table, [("a", 3_000)])
    #expect(table["a"] == memory(3_000))
    #expect(table["c"] == nil)
    #expect(table.entries.map(\.key) == ["b", "a"])
  }

  @Test("4,096 programs are kept, the oldest goes")
  func bound() {
    var table = BehaviourTable()
    for number in 0..<4_100 { table.restore(memory(500), of: "\(number)") }
    #expect(table.count == 4_096)
    #expect(table["3"] == nil)
    #expect(table["4"] != nil)
  }

  @Test("of two sessions the worse of each counts")
  func worse() {
    let one = RememberedBehaviour(
      trust: Permyriad(9_000),
      fellShort: false,
      ledger: -100,
      keepsMemory: true,
      measuredRounds: 3
    )
    let other = RememberedBehaviour(
      trust: Permyriad(3_000),
      fellShort: true,
      ledger: 100,
      keepsMemory: false,
      measuredRounds: 1
    )
    let merged = RememberedBehaviour(
      trust: Permyriad(3_000),
      fellShort: true,
      ledger: -100,
      keepsMemory: true,
      measuredRounds: 1
    )
    #expect(one.merged(with: other) == merged)
    #expect(other.merged(with: one) == merged)
    #expect(merged.merged(with: merged) == merged)
  }

  @Test("the order of a survey does not matter", arguments: 0..<50 as Range<UInt64>)
  func anyOrder(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    // Few values, so that some are those of a session with which nothing ever happened.
    let sessions = (0..<6).map { _ in
      RememberedBehaviour(
        trust: [Permyriad(5_000), RememberedBehaviour.blank.trust][Int(random.next() % 2)],
        fellShort: random.next() % 2 == 0,
        ledger: [0, -7, 7][Int(random.next() % 3)],
        keepsMemory: false,
        measuredRounds: UInt8(random.next() % 2)
      )
    }
    var known: [RememberedBehaviour?] = []
    for order in [sessions, sessions.reversed(), sessions.shuffled(using: &random)] {
      var table = BehaviourTable()
      table.beginSurvey()
      for session in order { table.note(session, of: "a") }
      known.append(table["a"])
    }
    #expect(known[0] == known[1] && known[1] == known[2], "seed \(seed)")
  }

  @Test("one with which nothing happened says nothing of the others, and is not remembered")
  func blank() {
    var table = BehaviourTable()
    #expect(table.join("a") == nil)
    #expect(table.join("a") == nil)
    table.beginSurvey()
    table.note(.blank, of: "a")
    #expect(table.count == 0)
    table.note(memory(9_000, ledger: 50), of: "a")
    table.note(.blank, of: "a")
    #expect(table["a"] == memory(9_000, ledger: 50))
    // A debt that faded is no debt.
    table.beginSurvey()
    table.note(.blank, of: "a")
    #expect(table["a"] == .blank)
  }

  @Test("one that behaves does not cover for one that went before it")
  func cover() {
    var table = BehaviourTable()
    for _ in 0..<2 { #expect(table.join("a") == nil) }
    table.leave("a", memory(2_000))
    #expect(table["a"] == memory(2_000))
    survey(&table, [("a", 9_000)])
    #expect(table["a"] == memory(2_000))
    table.leave("a", memory(9_500))
    #expect(table["a"] == memory(2_000))
    // The next one carries it on: what it does from then on is what counts.
    #expect(table.join("a") == memory(2_000))
    survey(&table, [("a", 4_000)])
    #expect(table["a"] == memory(4_000))
    table.leave("a", memory(6_000))
    #expect(table["a"] == memory(6_000))
  }

  @Test("one that goes while others stay adds to what is known of them")
  func others() {
    var table = BehaviourTable()
    for _ in 0..<3 { #expect(table.join("a") == nil) }
    survey(&table, [("a", 3_000), ("a", 8_000), ("a", 8_000)])
    table.leave("a", memory(8_000))
    #expect(table["a"] == memory(3_000), "the one that is trusted with 3,000 is there")
    table.leave("a", memory(2_500))
    #expect(table["a"] == memory(2_500))
  }

  @Test("one that comes back has its own account, and has left nothing behind")
  func comeBack() {
    var table = BehaviourTable()
    #expect(table.join("a") == nil)
    table.leave("a", memory(2_000))
    table.comeBack("a")
    survey(&table, [("a", 6_000)])
    #expect(table["a"] == memory(6_000))
    // With another that went it cannot be told apart.
    #expect(table.join("a") == memory(6_000))
    table.leave("a", memory(1_000))
    table.leave("a", memory(7_000))
    table.comeBack("a")
    survey(&table, [("a", 7_000)])
    #expect(table["a"] == memory(1_000))
  }
}
