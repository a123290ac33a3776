// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A point on the kernel's monotonic clock: the only notion of "now" in the core.
///
/// `CLOCK_MONOTONIC`, which stands still while the machine sleeps, so that a client is not late
/// because of a suspend.
public struct MonotonicInstant: Sendable, Hashable, Comparable {
  /// Nanoseconds on `CLOCK_MONOTONIC`.
  public let nanoseconds: UInt64

  /// Makes the instant `nanoseconds` after the clock's zero.
  @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Orders by the number.
  @inlinable public static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The instant `span` later; saturates.
  @inlinable public static func + (left: MonotonicInstant, span: TimeSpan) -> MonotonicInstant {
    let (sum, overflow) = left.nanoseconds.addingReportingOverflow(span.nanoseconds)
    return MonotonicInstant(nanoseconds: overflow ? .max : sum)
  }

  /// How long ago `earlier` was; zero where it is not earlier.
  @inlinable public func since(_ earlier: MonotonicInstant) -> TimeSpan {
    TimeSpan(
      nanoseconds: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    )
  }
}

/// A length of time in whole nanoseconds, never negative.
///
/// The standard library's `Duration` is 128 bits of attoseconds; half of that and no sign is all
/// that deadlines, dwell and stall time need, and it divides in one instruction.
public struct TimeSpan: Sendable, Hashable, Comparable {
  /// Nanoseconds.
  public let nanoseconds: UInt64

  /// Makes a span of `nanoseconds`.
  @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Makes a span of `value` microseconds; saturates.
  @inlinable public static func microseconds(_ value: UInt64) -> TimeSpan {
    TimeSpan(nanoseconds: ByteCount.saturatingProduct(value, 1_000))
  }

  /// Makes a span of `value` milliseconds; saturates.
  @inlinable public static func milliseconds(_ value: UInt64) -> TimeSpan {
    TimeSpan(nanoseconds: ByteCount.saturatingProduct(value, 1_000_000))
  }

  /// Makes a span of `value` seconds; saturates.
  @inlinable public static func seconds(_ value: UInt64) -> TimeSpan {
    TimeSpan(nanoseconds: ByteCount.saturatingProduct(value, 1_000_000_000))
  }

  /// No time.
  public static let zero = TimeSpan(nanoseconds: 0)

  /// Whole milliseconds, rounded down.
  @inlinable public var milliseconds: UInt64 { nanoseconds / 1_000_000 }

  /// Whole microseconds, rounded down.
  @inlinable public var microseconds: UInt64 { nanoseconds / 1_000 }

  /// Orders by the number.
  @inlinable public static func < (left: TimeSpan, right: TimeSpan) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The sum; saturates.
  @inlinable public static func + (left: TimeSpan, right: TimeSpan) -> TimeSpan {
    let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
    return TimeSpan(nanoseconds: overflow ? .max : sum)
  }
}
