// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The ranges of the numbers and texts of `docs/PROTOCOL.md`, each stated once.
enum WireRange {
  /// Bytes, times and counts: what a double can hold exactly.
  static let count: ClosedRange<UInt64> = 0...(1 << 53) - 1
  /// A nanosecond clock: it passes 2^53 after 104 days, so that any number of 63 bits is taken.
  static let nanoseconds: ClosedRange<UInt64> = 0...UInt64(Int64.max)
  /// A cache's id.
  static let cacheID: ClosedRange<UInt64> = 1...(1 << 31) - 1
  /// A subscription's id, and whatever else is counted from 1.
  static let positive: ClosedRange<UInt64> = 1...(1 << 53) - 1
  /// A version.
  static let version: ClosedRange<UInt64> = 1...(1 << 31) - 1
  /// What a client may claim of its share.
  static let share: ClosedRange<UInt64> = 1...100
  /// What an administrator may grant.
  static let grantedShare: ClosedRange<UInt64> = 1...10_000
  /// Microseconds to rebuild a MiB.
  static let cost: ClosedRange<UInt64> = 0...1_000_000_000
  /// Milliseconds within which an answer is due.
  static let deadline: ClosedRange<UInt64> = 50...60_000
  /// Attempts of a round.
  static let attempt: ClosedRange<UInt64> = 1...5
  /// Milliseconds between two events of a subscription.
  static let interval: ClosedRange<UInt64> = 100...60_000
  /// Items in one request.
  static let items = 1...62
  /// Bytes of a name that people see.
  static let name = 1...64
  /// Bytes of other text: what is shown in one line of a terminal, with room to spare.
  static let text = 0...256
  /// Bytes of a path: `PATH_MAX` of Linux.
  static let path = 1...4_096

  /// The range as an error shows it.
  static func text(_ range: ClosedRange<UInt64>) -> String {
    "\(range.lowerBound)...\(range.upperBound)"
  }

  /// The lengths as an error shows them.
  static func text(_ bytes: ClosedRange<Int>) -> String {
    "text of \(bytes.lowerBound)...\(bytes.upperBound) bytes"
  }
}
