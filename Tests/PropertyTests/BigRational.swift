// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A fraction of natural numbers of any size, not reduced: nothing is rounded until a test asks for
/// whole bytes.
struct BigRational: Comparable {
  let numerator: BigNatural, denominator: BigNatural

  init(_ numerator: BigNatural, over denominator: BigNatural) {
    precondition(denominator > BigNatural(0), "nothing is divided by zero")
    self.numerator = numerator
    self.denominator = denominator
  }

  init(_ value: UInt64) { self.init(BigNatural(value), over: BigNatural(1)) }

  static func == (left: BigRational, right: BigRational) -> Bool {
    left.numerator * right.denominator == right.numerator * left.denominator
  }

  static func < (left: BigRational, right: BigRational) -> Bool {
    left.numerator * right.denominator < right.numerator * left.denominator
  }

  static func + (left: BigRational, right: BigRational) -> BigRational {
    if left.denominator == right.denominator {
      return BigRational(left.numerator + right.numerator, over: left.denominator)
    }
    return BigRational(
      left.numerator * right.denominator + right.numerator * left.denominator,
      over: left.denominator * right.denominator
    )
  }

  /// The difference; zero where it would be negative.
  static func - (left: BigRational, right: BigRational) -> BigRational {
    let first = left.numerator * right.denominator
    let second = right.numerator * left.denominator
    let rest = first > second ? first - second : BigNatural(0)
    return BigRational(rest, over: left.denominator * right.denominator)
  }

  static func * (left: BigRational, right: BigRational) -> BigRational {
    BigRational(left.numerator * right.numerator, over: left.denominator * right.denominator)
  }

  static func / (left: BigRational, right: BigRational) -> BigRational {
    BigRational(left.numerator * right.denominator, over: left.denominator * right.numerator)
  }

  /// The largest whole number that is not above it.
  ///
  /// Bit by bit: the highest power of two that still fits is taken first.
  var floor: UInt64 {
    if denominator.digits.count <= 2 {
      return numerator.divided(by: denominator.small).quotient.small
    }
    var whole: UInt64 = 0
    for bit in (0..<64).reversed() {
      let next = whole | 1 << UInt64(bit)
      if BigNatural(next) * denominator <= numerator { whole = next }
    }
    return whole
  }

  /// The smallest whole number that is not below it.
  var ceiling: UInt64 {
    let whole = floor
    return self == BigRational(whole) ? whole : whole + 1
  }

  /// What is above the whole number below it.
  var fraction: BigRational { self - BigRational(floor) }
}
