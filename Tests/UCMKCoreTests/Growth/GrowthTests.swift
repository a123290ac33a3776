// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

private func at(_ seconds: UInt64) -> MonotonicInstant {
  MonotonicInstant(nanoseconds: seconds * 1_000_000_000)
}

private func at(milliseconds: UInt64) -> MonotonicInstant {
  MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
}

@Suite("back-off")
struct BackOffTests {
  @Test("waits five seconds where nothing grew")
  func first() {
    var backOff = BackOff()
    #expect(backOff.span == .seconds(5))
    backOff.noteShortage(at: at(10))
    backOff.noteShortage(at: at(11))
    #expect(backOff.span == .seconds(5))
  }

  @Test("doubles when a shortage follows growth within twenty seconds, up to five minutes")
  func doubles() {
    var backOff = BackOff()
    var spans: [UInt64] = []
    for turn in 0..<9 as Range<UInt64> {
      backOff.noteGrowth(at: at(30 * turn))
      backOff.noteShortage(at: at(30 * turn + 20))
      spans.append(backOff.span.milliseconds / 1_000)
    }
    #expect(spans == [10, 20, 40, 80, 160, 300, 300, 300, 300])
  }

  @Test("does not blame growth that is older")
  func blameless() {
    var backOff = BackOff()
    backOff.noteGrowth(at: at(100))
    backOff.noteShortage(at: MonotonicInstant(nanoseconds: 120_000_000_001))
    #expect(backOff.span == .seconds(5))
  }

  @Test("one growth is blamed once")
  func once() {
    var backOff = BackOff()
    backOff.noteGrowth(at: at(100))
    backOff.noteShortage(at: at(101))
    backOff.noteShortage(at: at(102))
    #expect(backOff.span == .seconds(10))
  }

  @Test("halves with every quiet minute, and not below where it began")
  func halves() {
    var backOff = BackOff()
    for turn in 0..<4 as Range<UInt64> {
      backOff.noteGrowth(at: at(10 * turn))
      backOff.noteShortage(at: at(10 * turn + 1))
    }
    #expect(backOff.span == .seconds(80))
    backOff.noteShortage(at: at(31 + 59))
    #expect(backOff.span == .seconds(80))
    backOff.noteShortage(at: at(90 + 125))
    #expect(backOff.span == .seconds(20))
    backOff.noteShortage(at: at(215 + 10_000_000))
    #expect(backOff.span == .seconds(5))
  }
}

@Suite("growth budget")
struct GrowthBudgetTests {
  @Test("rises by twenty mebibytes a second with each reading")
  func rises() {
    var budget = GrowthBudget(at: at(0))
    var drawn: [UInt64] = []
    for turn in 1...4 as ClosedRange<UInt64> {
      let bytes = budget.draw(headroom: .gibibytes(64), at: at(turn))
      budget.spend(bytes)
      drawn.append(bytes.value >> 20)
    }
    #expect(drawn == [40, 60, 80, 100])
    for turn in 5...60 as ClosedRange<UInt64> {
      budget.spend(budget.draw(headroom: .gibibytes(64), at: at(turn)))
    }
    #expect(budget.rate == .mebibytes(400))
  }

  @Test("never takes more than a quarter of what is free above the high watermark in a second")
  func bounded() {
    var budget = GrowthBudget(at: at(0))
    #expect(budget.draw(headroom: .mebibytes(40), at: at(1)) == .mebibytes(10))
    #expect(budget.draw(headroom: .zero, at: at(2)) == .zero)
  }

  @Test("keeps what was not handed out, as long as there is room for it")
  func keeps() {
    var budget = GrowthBudget(at: at(0))
    #expect(budget.draw(headroom: .mebibytes(80), at: at(1)) == .mebibytes(20))
    #expect(budget.draw(headroom: .mebibytes(80), at: at(2)) == .mebibytes(40))
    budget.spend(.mebibytes(35))
    #expect(budget.left == .mebibytes(5))
    #expect(budget.draw(headroom: .mebibytes(2), at: at(3)) == .mebibytes(2))
  }

  @Test("takes an absurd reading without harm")
  func absurd() {
    var budget = GrowthBudget(at: at(0))
    let drawn = budget.draw(
      headroom: ByteCount(.max),
      at: MonotonicInstant(nanoseconds: .max / 2)
    )
    #expect(drawn > .gibibytes(1))
  }
}

@Suite("Growing")
struct GrowingTests {
  /// Two clients of 200 and 400 MiB were asked for 300 and hold; five seconds have passed.
  private func afterRound(_ second: UInt64 = 400) -> (Stage, [String]) {
    var stage = Stage()
    stage.join(1, [200])
    stage.join(2, [second])
    _ = stage.ask(1, scope: .domain(.host))
    _ = stage.answer(2)
    _ = stage.pass(milliseconds: 15_000)
    let lines = stage.read(available: 10)
    for client in [1, 2] as [UInt64] { _ = stage.answer(client) }
    _ = stage.pass(milliseconds: 300)
    return (stage, lines)
  }

  private func grow(_ stage: inout Stage, turns: Int, available: UInt64 = 900) -> [String] {
    var lines: [String] = []
    for _ in 0..<turns {
      lines += stage.pass(milliseconds: 250)
      lines += stage.read(available: available)
    }
    return lines.filter { $0.hasPrefix("relax") || $0.hasPrefix("state") }
  }

  @Test("what is given back goes to those that keep least")
  func leastFirst() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [300])
    // The level falls to 90 MiB each: one gives 10, the other 210.
    _ = stage.read(available: 10)
    #expect(stage.round(1).target == .mebibytes(70))
    _ = stage.answer(2)
    _ = stage.pass(milliseconds: 300)
    let lines = grow(&stage, turns: 30)
    #expect(lines.first == "state host hold>grow")
    #expect(!lines.contains { $0.hasPrefix("relax c1") })
    #expect(lines.contains { $0.hasPrefix("relax c2 r1 none 1<") })
    #expect(lines.suffix(2) == ["relax c2 r1 none 1<-", "state host grow>idle"])
  }

  @Test("limits are raised in steps that never fall, and lifted at the size before the shortage")
  func steps() {
    var (stage, _) = afterRound()
    let lines = grow(&stage, turns: 60)
    #expect(lines.first == "state host hold>grow")
    #expect(lines.last == "state host grow>idle")
    for client in ["c1", "c2"] {
      let own = lines.filter { $0.hasPrefix("relax \(client) ") }
      #expect(own.isEmpty || own.last?.hasSuffix("<-") == true)
    }
    #expect(stage.broker.state == .idle)
  }

  @Test("stops and holds again below the high watermark")
  func stops() {
    var (stage, _) = afterRound()
    _ = grow(&stage, turns: 22)
    #expect(stage.broker.state == .grow)
    _ = stage.pass(milliseconds: 250)
    let lines = stage.read(available: 70)
    #expect(lines.contains("state host grow>hold"))
    #expect(stage.broker.state == .hold)
    // The wait begins anew.
    let held = grow(&stage, turns: 18)
    #expect(held.isEmpty)
    #expect(grow(&stage, turns: 4).first == "state host hold>grow")
  }

  @Test("growth that leads into a shortage makes the next wait twice as long")
  func blamed() {
    var (stage, _) = afterRound()
    _ = grow(&stage, turns: 22)
    _ = stage.pass(milliseconds: 250)
    #expect(stage.read(available: 10).contains("state host grow>round"))
    for client in [1, 2] as [UInt64] { _ = stage.answer(client) }
    _ = stage.pass(milliseconds: 300)
    #expect(stage.broker.state == .hold)
    #expect(grow(&stage, turns: 36).isEmpty)
    #expect(grow(&stage, turns: 6).first == "state host hold>grow")
  }

  @Test("a minute without a shortage lifts everything")
  func patience() {
    var (stage, _) = afterRound()
    // Just above the mark for growing: 4 MiB above the high watermark bring 1 MiB a second.
    var configuration = Configuration()
    configuration.watermarks = WatermarkSettings(
      low: .bytes(.mebibytes(50)),
      high: .bytes(.mebibytes(80)),
      grow: .bytes(.mebibytes(80)),
      isExplicit: true
    )
    _ = stage.send(.configured(configuration))
    let lines = grow(&stage, turns: 290, available: 81)
    #expect(lines.first == "state host hold>grow")
    #expect(lines.last == "state host grow>watching")
    #expect(lines.dropLast().last?.hasSuffix("<-") == true)
  }
}

@Suite("yield")
struct YieldTests {
  private func learned(rise: UInt64, measured: UInt64, filling: UInt64 = 0) -> UInt32 {
    var yield = Yield()
    yield.begin(available: .mebibytes(100), at: at(1))
    yield.end(measured: .mebibytes(measured), capacity: .mebibytes(1_000))
    yield.observe(available: .mebibytes(100 + rise), filling: filling << 20, at: at(2))
    return yield.fraction.parts
  }

  @Test("is one as long as memory rises by what was given, or more")
  func whole() {
    #expect(learned(rise: 50, measured: 50) == 10_000)
    #expect(learned(rise: 500, measured: 50) == 10_000)
  }

  @Test("moves by a fifth of the difference, and never below a quarter")
  func half() {
    #expect(learned(rise: 50, measured: 100) == 9_000)
    #expect(learned(rise: 0, measured: 100) == 8_500)
    var yield = Yield()
    for turn in 0..<100 as Range<UInt64> {
      yield.begin(available: .mebibytes(100), at: at(2 * turn))
      yield.end(measured: .mebibytes(50), capacity: .mebibytes(1_000))
      yield.observe(available: .mebibytes(90), filling: 0, at: at(2 * turn + 1))
    }
    #expect(yield.fraction.parts <= 2_504)
    #expect(yield.fraction >= Yield.floor)
  }

  @Test("counts what others took meanwhile as risen")
  func filling() {
    #expect(learned(rise: 50, measured: 100, filling: 50) == 10_000)
    #expect(learned(rise: 50, measured: 100, filling: 25) == 9_500)
  }

  @Test("learns nothing of a round that brought less than one percent")
  func noise() {
    #expect(learned(rise: 0, measured: 9) == 10_000)
    #expect(learned(rise: 0, measured: 10) == 8_500)
  }

  @Test("counts a round once")
  func once() {
    var yield = Yield()
    yield.begin(available: .mebibytes(100), at: at(1))
    yield.observe(available: .mebibytes(100), filling: 0, at: at(1))
    #expect(yield.fraction == .one)
    yield.end(measured: .mebibytes(100), capacity: .mebibytes(1_000))
    yield.observe(available: .mebibytes(100), filling: 0, at: at(2))
    yield.observe(available: .mebibytes(100), filling: 0, at: at(3))
    #expect(yield.fraction.parts == 8_500)
  }
}

@Suite("integral of stall")
struct StallIntegralTests {
  @Test("grows with the excess, is bounded, and leaks away in two stretches")
  func story() {
    var integral = StallIntegral()
    integral.observe(excess: 9)
    #expect(integral.fraction == .zero)
    integral.observe(excess: 1)
    #expect(integral.fraction.parts == 800)
    integral.observe(excess: 2)
    #expect(integral.fraction.parts == 2_400)
    integral.observe(excess: 99)
    #expect(integral.fraction.parts == 2_500)
    #expect(integral.bytes(of: .mebibytes(1_600)) == .mebibytes(100))
    integral.observe(excess: 0)
    #expect(integral.fraction.parts == 500)
    integral.observe(excess: 0)
    #expect(integral.fraction.parts == 0)
    #expect(integral.bytes(of: ByteCount(.max)) == .zero)
  }

  @Test("one stretch of stall, however bad, adds nothing")
  func once() {
    var integral = StallIntegral()
    for _ in 0..<5 {
      integral.observe(excess: 99)
      integral.observe(excess: 0)
    }
    #expect(integral.fraction == .zero)
  }

  @Test("the excess is counted in set points, rounded up")
  func excess() {
    func excess(_ some: UInt64) -> UInt32 {
      StallRate(some: .milliseconds(some), full: .zero, elapsed: .seconds(1)).excess
    }
    #expect(excess(0) == 0)
    #expect(excess(10) == 0)
    #expect(excess(11) == 1)
    #expect(excess(20) == 1)
    #expect(excess(21) == 2)
    #expect(excess(1_000) == 99)
    let empty = StallRate(some: .seconds(1), full: .zero, elapsed: .zero)
    #expect(empty.excess == 0)
  }

  @Test("a target is divided by the yield and raised by the boost")
  func target() {
    func bytes(_ yield: UInt32, boost: UInt64 = 0, inFlight: UInt64 = 0) -> UInt64 {
      DeficitTarget(
        capacity: .mebibytes(1_000),
        available: .mebibytes(40),
        marks: Watermarks(
          low: .mebibytes(50),
          high: .mebibytes(80),
          grow: .mebibytes(120)
        ),
        growth: .zero,
        inFlight: .mebibytes(inFlight),
        yield: Permyriad(yield),
        boost: .mebibytes(boost)
      ).bytes.value >> 20
    }
    #expect(bytes(10_000) == 40)
    #expect(bytes(5_000) == 80)
    #expect(bytes(2_500) == 160)
    #expect(bytes(5_000, inFlight: 40) == 40)
    #expect(bytes(10_000, boost: 25) == 65)
    #expect(bytes(2_500, boost: 900) == 250)
  }
}
