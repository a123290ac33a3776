// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// All that is known of one domain: its readings, its level and where it stands.
///
///     idle ⇄ watching ──► round ──► hold ──► grow ──► idle
///                           ▲         │
///                           └─────────┘   short again
struct DomainControl: Sendable {
  /// The domain.
  let domain: DomainID
  /// Clients that list it, attached or not; the host counts nobody, it is always there.
  var members = 0
  /// Whether the settings name it: then it is watched without clients too.
  var isNamed = false
  /// Attached clients in it that hold something that could go.
  var willing = 0
  /// What its alarms are set to.
  var thresholds: PressureThresholds
  /// Where it stands.
  var state = DomainState.idle
  /// Since when it is in hold.
  var heldSince: MonotonicInstant?
  /// Before this instant no automatic round starts: the last one brought nothing worth having.
  var restsUntil: MonotonicInstant?
  /// The last automatic round of this domain.
  var lastRound: RoundID?
  /// How long its caches keep their limits.
  var backOff = BackOff()
  /// What they may grow by, while they may.
  var growth: GrowthBudget?
  /// Whether the ladder ended without a cure.
  var exhaustion = Exhaustion()
  /// When it was last read, or asked to be read.
  var readAt: MonotonicInstant?

  /// The marks in bytes, for the capacity last read.
  private(set) var marks = Watermarks.none
  /// The last reading.
  private(set) var reading: DomainReading?
  /// How fast it fills.
  private(set) var fill = FillRate()
  /// What a byte that clients give is worth.
  private(set) var yield = Yield()
  /// How long tasks have been stalling.
  private(set) var integral = StallIntegral()
  /// Whether stall stayed below half of the set point in the last stretch.
  private(set) var isCalm = true

  private var watermarks: WatermarkSettings
  private var kernelMarks: ByteCount
  private var tracker = PressureTracker()
  /// Where the current stretch of stall began.
  private var baseline: (pressure: PressureReading, at: MonotonicInstant)?
  /// Whether memory was scarce or reclaim at work in the current stretch.
  private var isStretchCurable = false
  /// Whether anything in the current stretch spoke for taking more than is missing.
  private var speaksForMore = false
  /// What the stall of the last whole stretch amounts to.
  private var stallLevel = PressureLevel.none

  /// Makes the control of a domain that was not read yet.
  init(
    domain: DomainID,
    watermarks: WatermarkSettings,
    thresholds: PressureThresholds,
    kernelMarks: ByteCount
  ) {
    self.domain = domain
    self.watermarks = watermarks
    self.thresholds = thresholds
    self.kernelMarks = kernelMarks
  }

  /// The level in force.
  var level: PressureLevel { tracker.level }

  /// Whether memory is below the low watermark or tasks stall.
  var isShort: Bool {
    if level > .none { return true }
    guard let reading else { return false }
    return reading.available < marks.low
  }

  /// Whether tasks stalled as long as at critical in the last whole stretch, or the alarm after it
  /// says so.
  var isStallCritical: Bool { stallLevel == .critical }

  /// Whether the high watermark is reached.
  var isAboveHigh: Bool {
    guard let reading else { return false }
    return reading.available >= marks.high
  }

  /// Whether caches may grow again, as far as memory is concerned.
  var mayGrow: Bool {
    guard let reading else { return false }
    return reading.available >= marks.high && reading.available > marks.grow && isCalm
  }

  /// The state of a domain without a round and without limits.
  var restingState: DomainState {
    if level > .none { return .watching }
    guard let reading else { return .idle }
    return reading.available < marks.low + marks.low ? .watching : .idle
  }

  /// When it has to be read again, nil where nothing could come of it.
  var nextPoll: MonotonicInstant? {
    guard let interval = pollInterval else { return nil }
    guard let readAt else { return nil }
    return readAt + interval
  }

  private var pollInterval: TimeSpan? {
    if level > .none {
      // With nobody to ask only people look at the level.
      if willing == 0, state != .round, state != .hold { return Defaults.pollNear }
      return level == .critical ? Defaults.pollCritical : Defaults.pollActive
    }
    switch state {
    case .round: return Defaults.pollActive
    case .hold:
      guard let heldSince, let readAt, readAt >= heldSince + backOff.span else {
        return min(approach, Defaults.pollActive)
      }
      return min(approach, Defaults.pollNear)
    case .grow: return min(approach, Defaults.pollActive)
    case .watching, .idle: return willing > 0 ? approach : nil
    }
  }

  /// The time in which memory could fall to the low watermark at the fastest that is expected.
  ///
  /// While it falls steadily that is faster than else.
  private var approach: TimeSpan {
    guard let reading, reading.available < Defaults.farAway.of(reading.capacity) else {
      return Defaults.pollFar
    }
    // A group is small: its caches answer before tasks stall, and the kernel's alarm is near.
    guard domain == .host else {
      let isNear = reading.available < marks.low + marks.low
      return isNear ? Defaults.pollNear : Defaults.pollFar
    }
    let isFilling = fill.bytesPerSecond > 0
    let part = isFilling ? Defaults.fallExpectedFilling : Defaults.fallExpected
    let least = isFilling ? Defaults.pollCritical : Defaults.pollActive
    let fastest = UInt128(part.of(reading.capacity).value)
    let distance = UInt128((reading.available - marks.low).value)
    guard fastest > 0 else { return Defaults.pollNear }
    let span = UInt64(clamping: distance * 1_000_000_000 / fastest)
    return min(max(TimeSpan(nanoseconds: span), least), Defaults.pollFar)
  }

  /// Takes new settings; returns whether the thresholds of its alarms changed.
  mutating func configure(
    watermarks: WatermarkSettings,
    thresholds: PressureThresholds,
    kernelMarks: ByteCount
  ) -> Bool {
    self.watermarks = watermarks
    self.kernelMarks = kernelMarks
    if let reading { resolveMarks(reading.capacity) }
    guard thresholds != self.thresholds else { return false }
    self.thresholds = thresholds
    return true
  }

  /// Takes a reading, and the alarm because of which it was made.
  ///
  /// - Returns: Whether the alarm stands, and the change of level that follows.
  mutating func take(
    _ reading: DomainReading,
    alarm: (level: PressureLevel, source: AlarmSource)? = nil,
    at now: MonotonicInstant
  ) -> (isConfirmed: Bool, change: (from: PressureLevel, to: PressureLevel)?) {
    let previous = self.reading
    resolveMarks(reading.capacity)
    self.reading = reading
    readAt = now
    yield.observe(available: reading.available, filling: fill.bytesPerSecond, at: now)
    fill.observe(available: reading.available, at: now)
    classify(reading, after: previous, at: now)
    var isConfirmed = false
    if let alarm,
      EventGuard.confirms(alarm.source, by: reading, after: previous, marks: marks)
    {
      isConfirmed = true
      stallLevel = max(stallLevel, alarm.level)
      isCalm = false
      // What follows is measured from here: the stall before it is what raised the alarm.
      baseline = reading.pressure.map { ($0, now) }
      isStretchCurable = false
      speaksForMore = false
    }
    let water = PressureClassifier.level(ofAvailable: reading.available, marks: marks)
    return (isConfirmed, tracker.observe(max(stallLevel, water), at: now))
  }

  /// Takes note that a round begins.
  mutating func beginRound(at now: MonotonicInstant) {
    backOff.noteShortage(at: now)
    guard let reading else { return }
    yield.begin(available: reading.available, at: now)
  }

  /// Takes note of what was measured of a round.
  mutating func endRound(measured: ByteCount) {
    yield.end(measured: measured, capacity: reading?.capacity ?? .zero)
  }

  /// Takes note that clients freed this much.
  mutating func credit(_ bytes: ByteCount) { fill.credit(bytes) }

  private mutating func resolveMarks(_ capacity: ByteCount) {
    marks = Watermarks.resolved(
      watermarks,
      of: capacity,
      in: domain,
      kernelMarks: kernelMarks
    )
  }

  /// Closes a stretch of stall where it is long enough.
  private mutating func classify(
    _ reading: DomainReading,
    after previous: DomainReading?,
    at now: MonotonicInstant
  ) {
    guard let pressure = reading.pressure else {
      baseline = nil
      stallLevel = .none
      isCalm = true
      return
    }
    guard let baseline else {
      self.baseline = (pressure, now)
      return
    }
    if EventGuard.isCurable(reading, after: previous, marks: marks) { isStretchCurable = true }
    if EventGuard.speaksForMore(reading, after: previous, marks: marks) { speaksForMore = true }
    let elapsed = now.since(baseline.at)
    guard elapsed >= StallRate.stretch else { return }
    let rate = StallRate(
      some: pressure.some.total.longer(than: baseline.pressure.some.total),
      full: pressure.full.total.longer(than: baseline.pressure.full.total),
      elapsed: elapsed
    )
    stallLevel =
      isStretchCurable ? PressureClassifier.level(of: rate, by: thresholds) : .none
    isCalm = rate.isCalm
    integral.observe(excess: isStretchCurable && speaksForMore ? rate.excess : 0)
    self.baseline = (pressure, now)
    isStretchCurable = false
    speaksForMore = false
  }
}

extension TimeSpan {
  /// By how much this is longer than `other`; zero where it is not.
  func longer(than other: TimeSpan) -> TimeSpan {
    TimeSpan(nanoseconds: nanoseconds > other.nanoseconds ? nanoseconds - other.nanoseconds : 0)
  }
}
