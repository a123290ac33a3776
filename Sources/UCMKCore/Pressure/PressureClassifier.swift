// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Stall time over some stretch of time, as the difference of two readings.
struct StallRate: Sendable, Equatable {
  /// How much longer tasks stalled.
  var some: TimeSpan, full: TimeSpan
  /// Within this time.
  var elapsed: TimeSpan

  /// The shortest stretch worth classifying: the kernel's own windows.
  static let stretch = TimeSpan.seconds(1)

  /// Whether stall reached the threshold's part of the time: stall/elapsed ≥ threshold/window.
  func reaches(_ threshold: StallThreshold) -> Bool {
    let stall = threshold.isFull ? full : some
    return UInt128(stall.nanoseconds) * UInt128(threshold.window.nanoseconds)
      >= UInt128(threshold.stall.nanoseconds) * UInt128(elapsed.nanoseconds)
  }

  /// By how many set points tasks stalled longer than the set point, rounded up; 0 where they did
  /// not.
  var excess: UInt32 {
    let point = UInt128(elapsed.nanoseconds) * UInt128(Defaults.stallSetPoint.parts)
    let stall = UInt128(some.nanoseconds) * 10_000
    guard stall > point, point > 0 else { return 0 }
    return UInt32(clamping: (stall - point + point - 1) / point)
  }

  /// Whether stall stayed below half of the set point, as it must before caches may grow.
  var isCalm: Bool {
    UInt128(some.nanoseconds) * 20_000
      < UInt128(elapsed.nanoseconds) * UInt128(Defaults.stallSetPoint.parts)
  }
}

/// What readings amount to, before any smoothing.
enum PressureClassifier {
  /// The highest level whose threshold the stall reaches.
  static func level(of rate: StallRate, by thresholds: PressureThresholds) -> PressureLevel {
    if rate.reaches(thresholds.critical) { return .critical }
    if rate.reaches(thresholds.medium) { return .medium }
    return rate.reaches(thresholds.low) ? .low : .none
  }

  /// The level that a shortage alone amounts to.
  ///
  /// Low below the low watermark, medium below half of it: clients should learn of it before tasks
  /// stall.
  static func level(ofAvailable available: ByteCount, marks: Watermarks) -> PressureLevel {
    guard available < marks.low else { return .none }
    return available.value < marks.low.value / 2 ? .medium : .low
  }
}
