// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A secret that nobody guesses: 128 random bits.
struct SecretToken {
  private let high: UInt64, low: UInt64

  /// Throws the dice.
  static func make() -> SecretToken {
    var random = SystemRandomNumberGenerator()
    return SecretToken(high: random.next(), low: random.next())
  }

  /// The bits in 32 hexadecimal digits, as the wire has them.
  ///
  /// Made when it is asked for: the text of a thousand sessions takes five times the room of the
  /// bits.
  var text: String {
    var text = ""
    text.reserveCapacity(32)
    for word in [high, low] {
      let digits = String(word, radix: 16)
      text += String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
    return text
  }
}
