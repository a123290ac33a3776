// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A number of bytes.
///
/// Arithmetic saturates at both ends instead of trapping: sizes come from other processes, and a
/// sum of hostile numbers must not end the daemon. On the wire a byte count is at most
/// 2^53 - 1 (`docs/PROTOCOL.md` §1).
public struct ByteCount: Sendable, Hashable, Comparable {
  /// The plain number.
  public let value: UInt64

  /// Makes a count of `value` bytes.
  @inlinable public init(_ value: UInt64) { self.value = value }

  /// Makes a count of `value` KiB; saturates.
  @inlinable public static func kibibytes(_ value: UInt64) -> ByteCount {
    ByteCount(saturatingProduct(value, 1 << 10))
  }

  /// Makes a count of `value` MiB; saturates.
  @inlinable public static func mebibytes(_ value: UInt64) -> ByteCount {
    ByteCount(saturatingProduct(value, 1 << 20))
  }

  /// Makes a count of `value` GiB; saturates.
  @inlinable public static func gibibytes(_ value: UInt64) -> ByteCount {
    ByteCount(saturatingProduct(value, 1 << 30))
  }

  /// No bytes.
  @inlinable public static var zero: ByteCount { ByteCount(0) }

  /// The largest number the wire can carry: 2^53 - 1.
  public static let wireMaximum = ByteCount((1 << 53) - 1)

  /// Orders by the number.
  @inlinable public static func < (left: ByteCount, right: ByteCount) -> Bool {
    left.value < right.value
  }

  /// The sum, at most `UInt64.max`.
  @inlinable public static func + (left: ByteCount, right: ByteCount) -> ByteCount {
    let (sum, overflow) = left.value.addingReportingOverflow(right.value)
    return ByteCount(overflow ? .max : sum)
  }

  /// The difference, at least zero.
  @inlinable public static func - (left: ByteCount, right: ByteCount) -> ByteCount {
    ByteCount(left.value > right.value ? left.value - right.value : 0)
  }

  /// Adds; saturates.
  @inlinable public static func += (left: inout ByteCount, right: ByteCount) {
    left = left + right
  }

  /// Subtracts; at least zero.
  @inlinable public static func -= (left: inout ByteCount, right: ByteCount) {
    left = left - right
  }

  /// This many bytes, rounded up to a multiple of `page` bytes; saturates.
  ///
  /// - Parameter page: The size of a page; must be positive.
  /// - Returns: A multiple of the page, unless it saturates.
  @inlinable public func roundedUp(toPage page: UInt64) -> ByteCount {
    precondition(page > 0, "a page has a size")
    let rest = value % page
    return rest == 0 ? self : self + ByteCount(page - rest)
  }

  @usableFromInline static func saturatingProduct(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    return overflow ? .max : product
  }
}
