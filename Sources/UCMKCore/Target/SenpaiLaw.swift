// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// The step by which senpai moves the limit of a cgroup to find what it really needs.
///
/// Stall is added up over an interval and compared with a set point. Above it the limit gives way
/// with the square of how far above, at twenty times by as much again; below it the limit closes in
/// with the square of how far below, at a tenth by one percent (`senpai.py`).
///
///     stall ≥ point    limit · (1 + min((stall / point / 20)², 1))
///     stall < point    limit · (1 - min((point / stall / 10)², 1) / 100)
enum SenpaiLaw {
  /// Over how long stall is added up, and how much of it the law steers to.
  static let interval = TimeSpan.seconds(6), setPoint = TimeSpan.milliseconds(10)
  /// How many set points move the limit by as much as it may move at once.
  private static let coefficientUp: UInt128 = 20, coefficientDown: UInt128 = 10
  /// The part of the limit that a step down takes at most: 1 %.
  private static let stepDown: UInt128 = 100

  /// The limit after an interval with this much stall, rounded down; saturates.
  ///
  /// - Parameters:
  ///   - limit: The limit before.
  ///   - stall: How long tasks stalled in the interval.
  ///   - point: The set point; must be positive and below an hour.
  /// - Returns: At least 99 % and at most twice the limit.
  static func step(
    _ limit: ByteCount,
    stall: TimeSpan,
    point: TimeSpan = SenpaiLaw.setPoint
  ) -> ByteCount {
    precondition(point > .zero && point < .seconds(3_600), "stall is steered to something")
    let (stall, point) = (UInt128(stall.microseconds), UInt128(point.microseconds))
    let bytes = UInt128(limit.value)
    guard stall < point else {
      let whole = coefficientUp * point
      guard stall < whole else { return limit + limit }
      return limit + ByteCount(UInt64((bytes * fraction(stall, of: whole)) >> 32))
    }
    let whole = coefficientDown * stall
    let part = point < whole ? fraction(point, of: whole) : 1 << 32
    return limit - ByteCount(UInt64((bytes * part / stepDown) >> 32))
  }

  /// (part / whole)² in parts of 2^32; `part` is below `whole`, and that below 2^38.
  private static func fraction(_ part: UInt128, of whole: UInt128) -> UInt128 {
    ((part * part) << 32) / (whole * whole)
  }
}
