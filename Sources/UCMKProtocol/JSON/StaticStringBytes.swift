// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The one place of this module that touches memory by address: the bytes of literals.
///
/// Names on the wire are `StaticString`s, because a literal costs neither an allocation nor a
/// reference count; the standard library offers their bytes by pointer only.
extension StaticString {
  /// The bytes of the literal.
  var utf8Bytes: UnsafeBufferPointer<UInt8> {
    unsafe UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
  }

  /// The literal as a string; allocates where it is longer than 15 bytes.
  var text: String { unsafe String(decoding: utf8Bytes, as: UTF8.self) }

  /// Whether `bytes` reads like this literal from `start` on, for the literal's whole length.
  func matches(_ bytes: [UInt8], at start: Int) -> Bool {
    let literal = unsafe utf8Bytes
    guard bytes.count - start >= literal.count else { return false }
    for index in 0..<literal.count where unsafe bytes[start + index] != literal[index] {
      return false
    }
    return true
  }
}

extension [UInt8] {
  /// Appends the bytes of a literal.
  mutating func append(literal: StaticString) {
    unsafe append(contentsOf: literal.utf8Bytes)
  }
}
