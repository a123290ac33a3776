// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("The pressure tracker")
struct PressureTrackerTests {
  private func level(_ letter: Character) -> PressureLevel {
    switch letter {
    case "L": .low
    case "M": .medium
    case "C": .critical
    default: .none
    }
  }

  private func letter(_ level: PressureLevel) -> Character {
    switch level {
    case .none: "N"
    case .low: "L"
    case .medium: "M"
    case .critical: "C"
    }
  }

  @Test(
    "rises at once, falls one step per dwell",
    arguments: [
      (readings: "NNCNNNCNNNNNN", levels: "NNCCCCCCCCCMM"),
      (readings: "CNNNNNNNNNNNNN", levels: "CCCCCMMMMLLLLN"),
      (readings: "LLMMCC", levels: "LLMMCC"),
      (readings: "MLLLLLNNNN", levels: "MMMMMLLLLL"),
      (readings: "LNNNLNNNLNNNN", levels: "LLLLLLLLLLLLL"),
      (readings: "", levels: ""),
    ]
  )
  func timeline(readings: String, levels: String) {
    var tracker = PressureTracker(dwell: .seconds(4))
    var seen = ""
    for (second, reading) in readings.enumerated() {
      let now = MonotonicInstant(nanoseconds: UInt64(second) * 1_000_000_000)
      let before = tracker.level
      let change = tracker.observe(level(reading), at: now)
      #expect(change?.from ?? before == before)
      #expect(change?.to ?? before == tracker.level)
      seen.append(letter(tracker.level))
    }
    #expect(seen == levels)
  }
}

@Suite("The pressure classifier")
struct PressureClassifierTests {
  private func rate(some: UInt64, full: UInt64 = 0, elapsed: UInt64 = 1_000) -> StallRate {
    StallRate(
      some: .milliseconds(some),
      full: .milliseconds(full),
      elapsed: .milliseconds(elapsed)
    )
  }

  @Test(
    "takes the highest threshold that the stall reaches, for its part of the time",
    arguments: [
      (some: 0, full: 0, elapsed: 1_000, level: .none),
      (some: 69, full: 0, elapsed: 1_000, level: .none),
      (some: 70, full: 0, elapsed: 1_000, level: .low),
      (some: 149, full: 0, elapsed: 1_000, level: .low),
      (some: 150, full: 0, elapsed: 1_000, level: .medium),
      (some: 150, full: 69, elapsed: 1_000, level: .medium),
      (some: 150, full: 70, elapsed: 1_000, level: .critical),
      (some: 139, full: 0, elapsed: 2_000, level: .none),
      (some: 140, full: 0, elapsed: 2_000, level: .low),
    ] as [(some: UInt64, full: UInt64, elapsed: UInt64, level: PressureLevel)]
  )
  func levels(some: UInt64, full: UInt64, elapsed: UInt64, level: PressureLevel) {
    let rate = rate(some: some, full: full, elapsed: elapsed)
    #expect(PressureClassifier.level(of: rate, by: Defaults.thresholds) == level)
  }

  @Test("calls half of the set point calm")
  func calm() {
    #expect(rate(some: 4).isCalm)
    #expect(!rate(some: 5).isCalm)
    #expect(rate(some: 9, elapsed: 2_000).isCalm)
  }

  @Test("makes a level of a shortage alone")
  func water() {
    let marks = Watermarks(low: .mebibytes(50), high: .mebibytes(80), grow: .mebibytes(120))
    let level = { PressureClassifier.level(ofAvailable: .mebibytes($0), marks: marks) }
    #expect(level(50) == .none)
    #expect(level(49) == .low)
    #expect(level(25) == .low)
    #expect(level(24) == .medium)
    #expect(PressureClassifier.level(ofAvailable: .zero, marks: .none) == .none)
  }
}

@Suite("The event guard")
struct EventGuardTests {
  private let marks = Watermarks(
    low: .mebibytes(50),
    high: .mebibytes(80),
    grow: .mebibytes(120)
  )

  private func confirms(
    _ source: AlarmSource,
    _ reading: DomainReading,
    after previous: DomainReading? = .plain(available: 500, some: 100, scanned: 7)
  ) -> Bool {
    EventGuard.confirms(source, by: reading, after: previous, marks: marks)
  }

  @Test("wants stall to go on and memory to be scarce, or reclaim at work")
  func trigger() {
    for source in [AlarmSource.trigger, .average] {
      #expect(confirms(source, .plain(available: 79, some: 101, scanned: 7)))
      #expect(confirms(source, .plain(available: 500, some: 101, scanned: 8)))
      #expect(confirms(source, .plain(available: 500, some: 100, full: 1, scanned: 8)))
      #expect(!confirms(source, .plain(available: 79, some: 100, scanned: 8)))
      #expect(!confirms(source, .plain(available: 80, some: 101, scanned: 7)))
    }
  }

  @Test("believes a notice that stall went on, not that caches can cure it")
  func watch() {
    #expect(confirms(.watch, .plain(available: 79, some: 100, scanned: 7)))
    #expect(confirms(.watch, .plain(available: 500, some: 100, scanned: 8)))
    #expect(!confirms(.watch, .plain(available: 500, some: 900, scanned: 7)))
  }

  @Test("without an earlier reading looks at memory alone")
  func first() {
    #expect(confirms(.trigger, .plain(available: 79), after: nil))
    #expect(!confirms(.trigger, .plain(available: 500, scanned: 8), after: nil))
  }

  @Test("takes refaults for reclaim at work")
  func refaults() {
    var before = DomainReading.plain(available: 500, some: 100)
    var after = DomainReading.plain(available: 500, some: 101)
    before.refaults = 3
    after.refaults = 4
    #expect(confirms(.trigger, after, after: before))
    after.refaults = nil
    #expect(!confirms(.trigger, after, after: before))
  }
}
