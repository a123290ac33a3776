// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A natural number of any size, as slow and as plain as it is learnt at school.
struct BigNatural: Comparable {
  /// Digits to the base 2^32, the lowest first, without leading zeros.
  private(set) var digits: [UInt32]

  init(_ value: UInt64) {
    digits = [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
    trim()
  }

  /// The number as 64 bits; fails a test where it does not fit.
  var small: UInt64 {
    precondition(digits.count <= 2, "the number fits into 64 bits")
    return digits.reversed().reduce(0) { $0 << 32 | UInt64($1) }
  }

  static func < (left: BigNatural, right: BigNatural) -> Bool {
    guard left.digits.count == right.digits.count else {
      return left.digits.count < right.digits.count
    }
    for (here, there) in zip(left.digits.reversed(), right.digits.reversed()) where here != there {
      return here < there
    }
    return false
  }

  static func + (left: BigNatural, right: BigNatural) -> BigNatural {
    var sum = left
    var carry: UInt64 = 0
    for place in 0..<max(left.digits.count, right.digits.count) {
      if place == sum.digits.count { sum.digits.append(0) }
      let digit = place < right.digits.count ? UInt64(right.digits[place]) : 0
      carry += UInt64(sum.digits[place]) + digit
      sum.digits[place] = UInt32(truncatingIfNeeded: carry)
      carry >>= 32
    }
    if carry > 0 { sum.digits.append(UInt32(carry)) }
    return sum
  }

  static func - (left: BigNatural, right: BigNatural) -> BigNatural {
    precondition(left >= right, "a natural number is not negative")
    var rest = left
    var borrow: Int64 = 0
    for place in left.digits.indices {
      let digit = place < right.digits.count ? Int64(right.digits[place]) : 0
      var difference = Int64(left.digits[place]) - digit - borrow
      borrow = difference < 0 ? 1 : 0
      if difference < 0 { difference += 1 << 32 }
      rest.digits[place] = UInt32(difference)
    }
    rest.trim()
    return rest
  }

  static func * (left: BigNatural, right: BigNatural) -> BigNatural {
    var product = BigNatural(0)
    product.digits = [UInt32](repeating: 0, count: left.digits.count + right.digits.count)
    for (place, digit) in left.digits.enumerated() {
      var carry: UInt64 = 0
      for (step, other) in right.digits.enumerated() {
        carry += UInt64(digit) * UInt64(other) + UInt64(product.digits[place + step])
        product.digits[place + step] = UInt32(truncatingIfNeeded: carry)
        carry >>= 32
      }
      product.digits[place + right.digits.count] = UInt32(carry)
    }
    product.trim()
    return product
  }

  /// Long division, digit by digit.
  func divided(by divisor: UInt64) -> (quotient: BigNatural, remainder: UInt64) {
    precondition(divisor > 0, "nothing is divided by zero")
    var quotient = self
    var rest: UInt128 = 0
    for place in digits.indices.reversed() {
      rest = rest << 32 | UInt128(digits[place])
      quotient.digits[place] = UInt32(rest / UInt128(divisor))
      rest %= UInt128(divisor)
    }
    quotient.trim()
    return (quotient, UInt64(rest))
  }

  private mutating func trim() {
    while digits.last == 0 { digits.removeLast() }
  }
}
