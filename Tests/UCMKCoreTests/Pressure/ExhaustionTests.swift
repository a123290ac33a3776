// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("The last step of the ladder")
struct ExhaustionTests {
  private func at(_ milliseconds: UInt64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
  }

  /// Reads once every 100 ms from `start` until `end`, and returns what people are told, and when.
  private func read(
    _ exhaustion: inout Exhaustion,
    from start: UInt64,
    to end: UInt64,
    isCritical: Bool = true,
    goesOn: Bool = true,
    isAsking: Bool = true
  ) -> [String] {
    stride(from: start, through: end, by: 100).compactMap { milliseconds in
      exhaustion.observe(
        isCritical: isCritical,
        goesOn: goesOn,
        isAsking: isAsking,
        at: at(milliseconds)
      )
      .map { "\($0) \(milliseconds)" }
    }
  }

  @Test("comes 5 s after nothing more is given, and ends with the pressure")
  func fiveSeconds() {
    var exhaustion = Exhaustion()
    #expect(read(&exhaustion, from: 0, to: 900) == [])
    exhaustion.noteNothingLeft(at: at(1_000))
    exhaustion.noteNothingLeft(at: at(3_000))
    #expect(read(&exhaustion, from: 1_000, to: 5_900) == [])
    #expect(!exhaustion.isReached)
    #expect(read(&exhaustion, from: 6_000, to: 9_000) == ["began 6000"])
    #expect(exhaustion.isReached)
    #expect(read(&exhaustion, from: 9_100, to: 9_500, isCritical: false) == ["ended 9100"])
    #expect(!exhaustion.isReached)
  }

  @Test("a round that brings something begins the 5 s anew, but not the 15 s")
  func given() {
    var exhaustion = Exhaustion()
    var told: [String] = []
    for second in 0..<20 as Range<UInt64> {
      if second % 4 == 0 { exhaustion.noteNothingLeft(at: at(second * 1_000)) }
      if second % 4 == 3 { exhaustion.noteGiven() }
      told += read(&exhaustion, from: second * 1_000, to: second * 1_000 + 900)
    }
    #expect(told == ["began 15000"])
  }

  @Test("the 5 s are counted from when it became critical, whatever was before")
  func before() {
    var exhaustion = Exhaustion()
    exhaustion.noteNothingLeft(at: at(0))
    #expect(read(&exhaustion, from: 3_000, to: 7_900) == [])
    #expect(read(&exhaustion, from: 8_000, to: 8_000) == ["began 8000"])
  }

  @Test("a level that only lags does not bring it")
  func lagging() {
    var exhaustion = Exhaustion()
    exhaustion.noteNothingLeft(at: at(0))
    #expect(read(&exhaustion, from: 0, to: 4_000) == [])
    #expect(read(&exhaustion, from: 4_100, to: 20_000, goesOn: false) == [])
    #expect(read(&exhaustion, from: 20_100, to: 20_100) == ["began 20100"])
  }

  @Test("a pause is nobody's failure; what stands is not ended by one")
  func paused() {
    var exhaustion = Exhaustion()
    exhaustion.noteNothingLeft(at: at(0))
    #expect(read(&exhaustion, from: 0, to: 30_000, isAsking: false) == [])
    #expect(read(&exhaustion, from: 30_100, to: 45_000) == [])
    #expect(read(&exhaustion, from: 45_100, to: 45_100) == ["began 45100"])
    #expect(read(&exhaustion, from: 45_200, to: 50_000, isAsking: false) == [])
    #expect(exhaustion.isReached)
  }

  @Test("people are told once in 60 s; what still stands then is told then")
  func spacing() {
    var exhaustion = Exhaustion()
    exhaustion.noteNothingLeft(at: at(0))
    #expect(read(&exhaustion, from: 0, to: 5_000) == ["began 5000"])
    #expect(read(&exhaustion, from: 5_100, to: 5_100, isCritical: false) == ["ended 5100"])
    // A second one of which nobody hears: neither of its beginning nor of its end.
    exhaustion.noteNothingLeft(at: at(6_000))
    #expect(read(&exhaustion, from: 6_000, to: 20_000) == [])
    #expect(exhaustion.isReached)
    #expect(read(&exhaustion, from: 20_100, to: 20_100, isCritical: false) == [])
    // A third that lasts.
    exhaustion.noteNothingLeft(at: at(40_000))
    #expect(read(&exhaustion, from: 40_000, to: 70_000) == ["began 65000"])
    #expect(read(&exhaustion, from: 70_100, to: 70_100, isCritical: false) == ["ended 70100"])
  }
}

@Suite("The steps of the ladder")
struct LadderStepTests {
  @Test("steps that are not there are skipped, the last one is the end")
  func next() {
    var steps = [LadderStep.ask]
    while steps.last != .exhausted, steps.count < 10 { steps.append(steps[steps.count - 1].next) }
    #expect(steps == [.ask, .askOthers, .askHigher, .exhausted])
    #expect(LadderStep.exhausted.next == .exhausted)
    #expect(LadderStep.broadcast.next == .exhausted)
  }

  @Test("they stand in the order of how much they cost")
  func order() {
    #expect(LadderStep.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 7])
    let absent = LadderStep.allCases.filter { !$0.isAvailable }
    #expect(absent == [.signal, .broadcast, .reclaim, .purge])
  }
}

/// The whole ladder in the core, with time passing: the host stalls for as long as `stalls` says.
@Suite("The whole ladder")
struct WholeLadderTests {
  /// What happened, with milliseconds in front.
  private struct Play {
    var stage = Stage()
    var log: [String] = []
    /// The stall so far, and how much of the time tasks stall.
    var full: UInt64 = 0
    var isStalling = true
    var available: UInt64 = 20
    /// What clients give of what they are asked for, in percent; nil where they are silent.
    var gives: UInt64? = 0

    /// Plays on for so many milliseconds: readings come when the broker wants them.
    mutating func run(_ milliseconds: UInt64) {
      let end = stage.clock + milliseconds
      while stage.clock < end {
        take(stage.send(.ticked))
        stage.clock += 10
        if isStalling { full += 5 }
      }
    }

    mutating func take(_ lines: [String]) {
      for line in lines {
        log.append("\(stage.clock) \(line)")
        if line == "sample host" {
          take(stage.read(available: available, some: full, full: full))
        } else if line.hasPrefix("ask c1 "), let gives {
          take(stage.answer(1, part: gives, more: gives > 0))
        }
      }
    }

    /// When the first line came that ends so.
    func first(_ text: String) -> UInt64? {
      log.first { $0.hasSuffix(text) }.flatMap { UInt64($0.prefix { $0 != " " }) }
    }
  }

  private func play() -> Play {
    var play = Play()
    play.stage.join(1, [400])
    play.take(play.stage.read(available: 500))
    play.stage.clock += 1_000
    return play
  }

  /// Begins with an alarm, as the kernel gives it.
  private func begin(_ play: inout Play) {
    play.full += 100
    play.take(play.stage.alarm(.critical, available: play.available, some: play.full))
  }

  @Test("a client that gives nothing: asked, asked one level up, 5 s, exhausted")
  func fruitless() throws {
    var play = play()
    begin(&play)
    play.run(14_000)
    let first = try #require(play.first("exhausted host"))
    // The round of 200 ms at the most is fruitless, then 5 s.
    #expect((6_000...6_400).contains(first), "\(first)")
    #expect(play.stage.broker.domains[0].isExhausted)
    #expect(play.log.count { $0.hasSuffix("exhausted host") } == 1)
    play.isStalling = false
    play.available = 500
    play.run(6_000)
    #expect(play.first("relieved host") != nil)
    #expect(!play.stage.broker.domains[0].isExhausted)
    let lines = play.log.map { $0.drop { $0 != " " }.dropFirst() }
    let relieved = try #require(lines.firstIndex(of: "relieved host"))
    #expect(lines[..<relieved].contains("level host critical>medium"))
  }

  @Test("a silent client: its three requests, then 5 s", arguments: [PressureLevel.low, .critical])
  func silent(level: PressureLevel) throws {
    var play = play()
    play.gives = nil
    play.full += 100
    play.take(play.stage.alarm(level, available: play.available, some: play.full))
    play.run(16_000)
    let first = try #require(play.first("exhausted host"))
    #expect(first <= 1_000 + 15_000, "\(first)")
    #expect(play.log.count { $0.contains(" ask c1 ") } >= 1)
  }

  @Test("with nobody to ask: 5 s")
  func nobody() throws {
    var play = Play()
    play.take(play.stage.read(available: 500))
    play.stage.clock += 1_000
    begin(&play)
    play.run(8_000)
    let first = try #require(play.first("exhausted host"))
    #expect((6_000...7_100).contains(first), "\(first)")
  }

  @Test("a client that gives and gives while nothing gets better: 15 s")
  func fruitful() throws {
    var play = play()
    play.stage.join(2, [100_000])
    play.gives = 100
    begin(&play)
    for _ in 0..<200 {
      let before = play.log.count
      play.run(100)
      for line in play.log[before...] where line.contains(" ask c2 ") {
        play.take(play.stage.answer(2))
      }
    }
    let first = try #require(play.first("exhausted host"))
    #expect((15_900...16_300).contains(first), "\(first)")
    #expect(play.stage.broker.totals.rounds > 3)
  }

  @Test("a pressure that falls in time is none of it")
  func inTime() {
    var play = play()
    begin(&play)
    play.run(3_000)
    play.isStalling = false
    play.available = 500
    play.run(20_000)
    #expect(play.first("exhausted host") == nil)
    #expect(play.first("relieved host") == nil)
  }

  @Test("a domain that is lost is exhausted no longer")
  func lost() {
    var stage = Stage()
    stage.join(1, [100], domains: ["/a"])
    let inner = DomainID.cgroup("/a")
    var lines = stage.read(inner, available: 500)
    var full: UInt64 = 100
    stage.clock += 1_000
    lines += stage.alarm(.critical, domain: inner, available: 0, some: full)
    for _ in 0..<160 {
      stage.clock += 100
      full += 60
      lines += stage.send(.ticked)
      lines += stage.read(inner, available: 0, some: full, full: full)
    }
    #expect(lines.count { $0 == "exhausted /a" } == 1)
    #expect(stage.send(.domainLost(inner)).contains("relieved /a"))
  }
}
