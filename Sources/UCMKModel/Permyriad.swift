// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A fraction in parts of ten thousand.
///
/// The core has no floating point, so that a recorded run replays to the same bytes on every
/// machine; fractions (percent of a watermark, trust, yield) are held in these parts.
public struct Permyriad: Sendable, Hashable, Comparable {
  /// Parts of ten thousand; 10,000 is one whole.
  ///
  /// May exceed it.
  public let parts: UInt32

  /// Makes a fraction of `parts` ten-thousandths.
  @inlinable public init(_ parts: UInt32) { self.parts = parts }

  /// Makes a fraction of `value` percent.
  @inlinable public static func percent(_ value: UInt32) -> Permyriad { Permyriad(value * 100) }

  /// One whole.
  @inlinable public static var one: Permyriad { Permyriad(10_000) }

  /// Nothing.
  @inlinable public static var zero: Permyriad { Permyriad(0) }

  /// Orders by the number.
  @inlinable public static func < (left: Permyriad, right: Permyriad) -> Bool {
    left.parts < right.parts
  }

  /// This fraction of `whole`, rounded down; saturates.
  @inlinable public func of(_ whole: ByteCount) -> ByteCount {
    let product = whole.value.multipliedFullWidth(by: UInt64(parts))
    // As a rule the product fits, and a division by a constant is a multiplication.
    if product.high == 0 { return ByteCount(product.low / 10_000) }
    guard product.high < 10_000 else { return ByteCount(.max) }
    return ByteCount(UInt64(10_000).dividingFullWidth(product).quotient)
  }

  /// The whole of which `part` is this fraction, rounded up; saturates, also at the fraction zero.
  @inlinable public func whole(ofPart part: ByteCount) -> ByteCount {
    guard parts > 0 else { return ByteCount(part.value == 0 ? 0 : .max) }
    let product = part.value.multipliedFullWidth(by: 10_000)
    guard product.high < UInt64(parts) else { return ByteCount(.max) }
    let (quotient, remainder) = UInt64(parts).dividingFullWidth(product)
    return ByteCount(quotient) + ByteCount(remainder == 0 ? 0 : 1)
  }
}
