// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("Trust")
struct TrustTests {
  private static func after(_ rounds: Int, measured: UInt64, of asked: UInt64) -> Trust {
    var trust = Trust()
    for _ in 0..<rounds { trust.observe(measured: .mebibytes(measured), of: .mebibytes(asked)) }
    return trust
  }

  @Test("begins at 70 % and counts as one whole until the first disappointment")
  func beginning() {
    #expect(Trust().parts == Permyriad(7_000))
    #expect(Trust().effective == .one)
    #expect(Self.after(1, measured: 10, of: 10).parts == Permyriad(7_900))
    #expect(Self.after(1, measured: 10, of: 10).effective == .one)
    let short = Self.after(1, measured: 3, of: 10)
    #expect(short.parts == Permyriad(5_800))
    #expect(short.effective == Permyriad(5_800))
  }

  @Test("of a client that gives all goes to one whole and reaches it")
  func honest() {
    #expect(Self.after(2, measured: 10, of: 10).parts == Permyriad(8_530))
    #expect(Self.after(40, measured: 10, of: 10).parts == .one)
    #expect(Self.after(40, measured: 30, of: 10).parts == .one)
  }

  @Test("of a client that gives a third falls to a third")
  func shirker() {
    let trust = Self.after(40, measured: 3, of: 10)
    #expect(trust.parts.parts >= 3_000 && trust.parts.parts <= 3_003, "\(trust)")
  }

  @Test("never falls below 5 %")
  func floor() {
    #expect(Self.after(40, measured: 0, of: 10).parts == Permyriad(500))
    #expect(Trust(parts: .zero, fellShort: true).parts == Permyriad(500))
    #expect(Trust(parts: Permyriad(.max), fellShort: true).parts == .one)
  }

  @Test("forgives up to a tenth, which may be the kernel's counters")
  func tolerance() {
    #expect(!Self.after(5, measured: 91, of: 100).fellShort)
    #expect(Self.after(5, measured: 89, of: 100).fellShort)
  }

  @Test("learns nothing of less than a mebibyte")
  func tooSmall() {
    var trust = Trust()
    trust.observe(measured: .zero, of: ByteCount((1 << 20) - 1))
    trust.observe(measured: .zero, of: .zero)
    #expect(trust == Trust())
  }

  @Test("stays in range at the largest numbers there are")
  func largest() {
    var trust = Trust()
    trust.observe(measured: ByteCount(.max), of: ByteCount(.max))
    #expect(trust.parts == Permyriad(7_900))
    trust.observe(measured: .zero, of: ByteCount(.max))
    #expect(trust.parts == Permyriad(5_530))
  }
}

@Suite("The ledger")
struct LedgerTests {
  private static let start = MonotonicInstant(nanoseconds: 1)

  @Test("fades by a sixteenth a round, to nothing in the end")
  func fading() {
    var ledger = Ledger(1_600, at: Self.start)
    ledger.settle(0, cap: .mebibytes(1), at: Self.start)
    #expect(ledger.balance(at: Self.start) == 1_500)
    for _ in 0..<200 { ledger.settle(0, cap: .mebibytes(1), at: Self.start) }
    #expect(ledger.balance(at: Self.start) == 0)
    var debt = Ledger(-1_600, at: Self.start)
    debt.settle(0, cap: .mebibytes(1), at: Self.start)
    #expect(debt.balance(at: Self.start) == -1_500)
    for _ in 0..<200 { debt.settle(0, cap: .mebibytes(1), at: Self.start) }
    #expect(debt.balance(at: Self.start) == 0)
  }

  @Test("is halved every ten minutes, however often somebody looks")
  func halving() {
    var ledger = Ledger(1_000, at: Self.start)
    #expect(ledger.balance(at: Self.start + .seconds(599)) == 1_000)
    #expect(ledger.balance(at: Self.start + .seconds(600)) == 500)
    #expect(ledger.balance(at: Self.start + .seconds(1_800)) == 125)
    #expect(ledger.balance(at: MonotonicInstant(nanoseconds: .max)) == 0)
    ledger.settle(0, cap: .mebibytes(1), at: Self.start + .seconds(900))
    #expect(ledger.balance(at: Self.start + .seconds(900)) == 469)
    #expect(ledger.balance(at: Self.start + .seconds(1_199)) == 469)
    #expect(ledger.balance(at: Self.start + .seconds(1_200)) == 234)
  }

  @Test("stays within twice what the client could give")
  func clip() {
    var ledger = Ledger()
    ledger.settle(1_000, cap: ByteCount(300), at: Self.start)
    #expect(ledger.balance(at: Self.start) == 600)
    ledger.settle(-5_000, cap: ByteCount(300), at: Self.start)
    #expect(ledger.balance(at: Self.start) == -600)
    ledger.settle(.min, cap: ByteCount(.max), at: Self.start)
    #expect(ledger.balance(at: Self.start) == -Ledger.maximum)
    ledger.settle(.max, cap: ByteCount(.max), at: Self.start)
    #expect(ledger.balance(at: Self.start) == Ledger.maximum)
    #expect(Ledger(.min, at: Self.start).balance(at: Self.start) == -Ledger.maximum)
  }

  @Test("moves the size within half and twice, and never below what can be given")
  func effectiveSize() {
    #expect(Ledger.effectiveSize(1_000, cap: 100, balance: 0) == 1_000)
    #expect(Ledger.effectiveSize(1_000, cap: 100, balance: 300) == 700)
    #expect(Ledger.effectiveSize(1_000, cap: 100, balance: 900) == 500)
    #expect(Ledger.effectiveSize(1_000, cap: 800, balance: 900) == 800)
    #expect(Ledger.effectiveSize(1_000, cap: 100, balance: -300) == 1_300)
    #expect(Ledger.effectiveSize(1_000, cap: 100, balance: -9_000) == 2_000)
    #expect(Ledger.effectiveSize(.max, cap: .max, balance: .min) == .max)
    #expect(Ledger.effectiveSize(0, cap: 0, balance: .max) == 0)
  }
}

@Suite("The settlement of a round")
struct LedgerSettlementTests {
  private func surpluses(_ clients: [(fair: UInt64, given: UInt64)]) -> [Int64] {
    var settlement = LedgerSettlement()
    settlement.begin()
    for (index, client) in clients.enumerated() {
      settlement.add(
        LedgerSettlement.Entry(
          index: index,
          fair: ByteCount(client.fair),
          given: ByteCount(client.given)
        )
      )
    }
    settlement.divide()
    return settlement.entries.map(\.surplus)
  }

  @Test("gives nobody anything where all give their part")
  func even() { #expect(surpluses([(100, 100), (300, 300), (0, 0)]) == [0, 0, 0]) }

  @Test("books what one gave for another")
  func forAnother() {
    #expect(surpluses([(100, 200), (100, 0)]) == [100, -100])
    #expect(surpluses([(100, 100), (100, 0)]) == [50, -50])
    #expect(surpluses([(100, 0), (0, 100)]) == [-100, 100])
  }

  @Test("books nothing where nobody had a part or nobody gave anything")
  func nothing() {
    #expect(surpluses([(0, 70), (0, 0)]) == [0, 0])
    #expect(surpluses([(100, 0), (50, 0)]) == [0, 0])
    #expect(surpluses([]) == [])
  }

  @Test("rounds to the largest remainders, the earlier first")
  func rounding() {
    #expect(surpluses([(1, 0), (1, 0), (1, 100)]) == [-34, -33, 67])
  }

  @Test("adds up to zero to the byte", arguments: UInt64(1)...20)
  func zeroSum(seed: UInt64) {
    var state = seed
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 11
    }
    for _ in 0..<200 {
      let clients = (0..<1 + next() % 40).map { _ in
        (fair: next() >> (next() % 50), given: next() % 3 == 0 ? 0 : next() >> (next() % 50))
      }
      let sum = surpluses(clients).reduce(0) { $0 + $1 }
      let isEmpty = clients.allSatisfy { $0.fair == 0 }
      #expect(sum == 0 || isEmpty, "seed \(seed): \(clients)")
    }
  }

  @Test("lets two that give and refuse by turns gain no more than the clip")
  func collusion() {
    // One always gives for the other: the balances run apart and stop at twice the caps.
    let now = MonotonicInstant(nanoseconds: 0)
    var (giver, taker) = (Ledger(), Ledger())
    for _ in 0..<500 {
      let surplus = surpluses([(1_000_000, 2_000_000), (1_000_000, 0)])
      giver.settle(surplus[0], cap: ByteCount(4_000_000), at: now)
      taker.settle(surplus[1], cap: ByteCount(4_000_000), at: now)
    }
    #expect(giver.balance(at: now) == 8_000_000)
    #expect(taker.balance(at: now) == -8_000_000)
  }
}

@Suite("The breaker")
struct BreakerTests {
  private func at(_ seconds: UInt64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: 0) + .seconds(seconds)
  }

  private func fails(_ breaker: inout Breaker, _ seconds: UInt64) -> Bool {
    breaker.timedOut(at: at(seconds))
  }

  @Test("opens at the third timeout in a row, for 30 s, then twice as long, ten minutes at most")
  func timeline() {
    var breaker = Breaker()
    #expect(fails(&breaker, 0) == false)
    #expect(fails(&breaker, 1) == false)
    #expect(!breaker.isProbing)
    #expect(fails(&breaker, 2) == true)
    #expect(breaker.isOpen(at: at(31)))
    #expect(!breaker.isOpen(at: at(32)))
    var now: UInt64 = 32
    for span in [60, 120, 240, 480, 600, 600] as [UInt64] {
      #expect(breaker.isProbing)
      #expect(fails(&breaker, now) == true)
      #expect(breaker.isOpen(at: at(now + span - 1)))
      now += span
      #expect(!breaker.isOpen(at: at(now)), "\(span)")
    }
  }

  @Test("counts one silence once, however many requests were under way")
  func oneSilence() {
    var breaker = Breaker()
    for _ in 0..<3 { _ = breaker.timedOut(at: at(0)) }
    #expect(fails(&breaker, 1) == false)
    #expect(breaker.span == .seconds(30))
    #expect(breaker.openUntil == at(30))
  }

  @Test("begins to count anew after an answer, and is closed only by something given")
  func answers() {
    var breaker = Breaker()
    _ = breaker.timedOut(at: at(0))
    _ = breaker.timedOut(at: at(0))
    breaker.answered(gave: false)
    #expect(breaker == Breaker())
    for _ in 0..<3 { _ = breaker.timedOut(at: at(0)) }
    breaker.answered(gave: false)
    #expect(breaker.isProbing)
    breaker.answered(gave: true)
    #expect(breaker == Breaker())
  }
}

@Suite("An allocator that keeps memory")
struct MemoryKeptTests {
  @Test("is known by three rounds in a row, and told once")
  func threeRounds() {
    var kept = MemoryKept()
    for isTold in [false, false, true, false] {
      let isNews = kept.observe(claimed: .mebibytes(20), measured: .mebibytes(5))
      #expect(isNews == isTold)
    }
    #expect(kept.isKept)
    let isGood = kept.observe(claimed: .mebibytes(20), measured: .mebibytes(18))
    #expect(!isGood)
    #expect(!kept.isKept)
    for _ in 0..<5 {
      let isNews = kept.observe(claimed: .mebibytes(20), measured: .zero)
      #expect(!isNews)
    }
    #expect(kept.isKept)
  }

  @Test("is not known by half, by a small gap, or by rounds apart")
  func notKept() {
    var kept = MemoryKept()
    for _ in 0..<5 { _ = kept.observe(claimed: .mebibytes(20), measured: .mebibytes(10)) }
    #expect(kept == MemoryKept())
    for _ in 0..<5 { _ = kept.observe(claimed: .mebibytes(8), measured: .zero) }
    #expect(kept == MemoryKept())
    for round in 0..<9 {
      let measured: UInt64 = round % 3 == 2 ? 20 : 0
      _ = kept.observe(claimed: .mebibytes(20), measured: .mebibytes(measured))
    }
    #expect(!kept.isKept)
  }
}
