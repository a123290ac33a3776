// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Pressure stall information of a host whose kernel reclaims below a mark.
///
/// The part of time in which a task stalls follows ((mark - available)/mark)^1.5 with a lag of
/// 0.3 s; the part in which all do is its square.
struct StallMeter: Sendable {
  /// The part of time in which at least one task stalls now: 0…1.
  private(set) var some = 0.0
  /// Seconds of stall since the start.
  private(set) var someTotal = 0.0, fullTotal = 0.0
  private(set) var low = StallTrigger(threshold: 0.07)
  private(set) var medium = StallTrigger(threshold: 0.15)
  private(set) var critical = StallTrigger(threshold: 0.07)

  private static let lag = 0.3

  /// Lets `seconds` pass up to `now` with so much available below or above the kernel's mark.
  mutating func advance(_ seconds: Double, to now: UInt64, available: Double, mark: Double) {
    let depth = min(1, max(0, (mark - available) / mark))
    let aim = depth * sqrt(depth)
    guard aim > 0 || some > 0 else { return }
    some = aim + (some - aim) * exp(-seconds / StallMeter.lag)
    if some < 1e-6, aim == 0 { some = 0 }
    someTotal += some * seconds
    fullTotal += some * some * seconds
    low.update(someTotal, at: now)
    medium.update(someTotal, at: now)
    critical.update(fullTotal, at: now)
  }

  /// Takes the event of the highest trigger that went off since the last call.
  mutating func takeAlarm() -> StallAlarm? {
    let alarms = (low.take(), medium.take(), critical.take())
    if alarms.2 { return .critical }
    if alarms.1 { return .medium }
    return alarms.0 ? .low : nil
  }
}

/// Which trigger went off.
enum StallAlarm: Sendable, Equatable {
  case low, medium, critical
}

/// A trigger on stall within a window of 1 s, as the kernel counts it (`psi.rst`).
///
/// Growth within the window that runs, and of the one before as much as still counts; at most one
/// event in a window.
struct StallTrigger: Sendable {
  private let threshold: Double
  private var startsAt: UInt64 = 0
  private var startsWith = 0.0
  private var before = 0.0
  private var firedAt: UInt64?
  private var isPending = false

  static let window: UInt64 = 1_000_000_000

  /// Makes a trigger for `threshold` seconds of stall in a window.
  init(threshold: Double) { self.threshold = threshold }

  /// Takes the sum of stall at `now`.
  mutating func update(_ total: Double, at now: UInt64) {
    let elapsed = now - startsAt
    var growth = total - startsWith
    if elapsed > StallTrigger.window {
      startsAt = now
      startsWith = total
      before = growth
    } else {
      let rest = Double(StallTrigger.window - elapsed) / Double(StallTrigger.window)
      growth += before * rest
    }
    guard growth >= threshold else { return }
    if let firedAt, now < firedAt + StallTrigger.window { return }
    firedAt = now
    isPending = true
  }

  /// Whether it went off since the last call.
  mutating func take() -> Bool {
    defer { isPending = false }
    return isPending
  }
}
