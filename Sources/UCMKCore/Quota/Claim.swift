// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One party to a split: how large it is, how much of that can be asked for, what it weighs.
struct Claim: Sendable, Equatable {
  /// Bytes it holds.
  var size: UInt64
  /// The most that can be taken; at most `size`.
  var cap: UInt64
  /// Twice the weight keeps twice as much: 1…2^32-1.
  var weight: UInt64
  /// Bytes of the cap that were not used for long; at most `cap`.
  var cold: UInt64 = 0
  /// What was owed from earlier rounds, in bytes: only the law of the kernel looks at it.
  var deferred: UInt64 = 0
  /// The cost to rebuild what is freed: only the band looks at it.
  var cost: UInt64 = 0
  /// What the last split takes from it.
  var part: UInt64 = 0
}

/// The level of a split as a fraction: who stands above it gives.
///
///     part = clamp(size - ⌈numerator · weight / denominator⌉, 0, cap), and at most one byte more
struct QuotaLevel: Sendable, Equatable {
  /// Above the line.
  var numerator: UInt128
  /// Below it; positive.
  var denominator: UInt64

  /// Where everybody gives its cap.
  static let ground = QuotaLevel(numerator: 0, denominator: 1)

  /// What a party of this weight keeps at least: the level times the weight, rounded up, and how
  /// much was added by rounding, in parts of the denominator.
  @inline(__always)
  func kept(by weight: UInt64) -> (kept: UInt128, remainder: UInt64) {
    if numerator <= UInt128(UInt64.max) {
      // One machine division where the sums fit, as they do unless somebody lies.
      let product = UInt64(numerator).multipliedFullWidth(by: weight)
      if product.high < denominator {
        let (quotient, rest) = denominator.dividingFullWidth(product)
        return rest == 0 ? (UInt128(quotient), 0) : (UInt128(quotient) + 1, denominator - rest)
      }
    }
    let (quotient, rest) = (numerator * UInt128(weight))
      .quotientAndRemainder(dividingBy: UInt128(denominator))
    return rest == 0 ? (quotient, 0) : (quotient + 1, denominator - UInt64(rest))
  }
}

/// The fraction of a byte that rounding took from a party.
struct Remainder: Ranked, Sendable {
  let bytes: UInt64
  let index: Int

  @inline(__always)
  func precedes(_ other: Remainder) -> Bool {
    bytes != other.bytes ? bytes > other.bytes : index < other.index
  }
}
