// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One line of a PSI file: how long tasks stalled for memory.
///
/// `Documentation/accounting/psi.rst`: averages over 10, 60 and 300 s in percent with two digits,
/// and the sum of all stall time since boot.
public struct PressureLine: Sendable, Hashable {
  /// The averages, in hundredths of a percent: 0…10,000.
  public var average10: UInt32, average60: UInt32, average300: UInt32
  /// All stall time since boot or since the cgroup was made.
  public var total: TimeSpan

  /// Makes a line of these readings.
  public init(average10: UInt32, average60: UInt32, average300: UInt32, total: TimeSpan) {
    self.average10 = average10
    self.average60 = average60
    self.average300 = average300
    self.total = total
  }

  /// No stall at all.
  public static let zero = PressureLine(
    average10: 0,
    average60: 0,
    average300: 0,
    total: .zero
  )
}

/// What a PSI file says at one moment.
public struct PressureReading: Sendable, Hashable {
  /// At least one task stalled.
  public var some: PressureLine
  /// All tasks stalled at once.
  public var full: PressureLine

  /// Makes a reading of both lines.
  public init(some: PressureLine, full: PressureLine) {
    self.some = some
    self.full = full
  }

  /// No stall at all.
  public static let zero = PressureReading(some: .zero, full: .zero)
}
