// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A secret that nobody guesses.
enum SecretToken {
  /// 128 random bits in hexadecimal digits.
  static func make() -> String {
    var text = ""
    text.reserveCapacity(32)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<32 {
      let digit = UInt8.random(in: 0..<16, using: &random)
      text.unicodeScalars.append(Unicode.Scalar(digit < 10 ? 48 + digit : 87 + digit))
    }
    return text
  }
}
