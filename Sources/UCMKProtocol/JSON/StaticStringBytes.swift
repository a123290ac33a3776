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

  /// Appends `prefix` where there is one, the literal in quotes, and `suffix` where there is one.
  ///
  /// All in one step, for room is looked for once: names are half of what is written.
  @inline(__always)
  mutating func append(
    _ prefix: UInt8?,
    quoted literal: StaticString,
    _ suffix: UInt8?
  ) {
    let count = literal.utf8CodeUnitCount
    append(addingCapacity: count + 4) { (room: inout OutputSpan<UInt8>) in
      if let prefix { room.append(prefix) }
      room.append(UInt8(ascii: "\""))
      unsafe room.withUnsafeMutableBufferPointer { buffer, filled in
        guard let start = buffer.baseAddress else { return }
        unsafe UnsafeMutableRawPointer(start + filled)
          .copyMemory(from: literal.utf8Start, byteCount: count)
        filled += count
      }
      room.append(UInt8(ascii: "\""))
      if let suffix { room.append(suffix) }
    }
  }

  /// Appends `prefix` where there is one, and the digits of the number.
  @inline(__always)
  mutating func append(_ prefix: UInt8?, decimal value: UInt64) {
    // UInt64.max has 20 digits.
    append(addingCapacity: 21) { (room: inout OutputSpan<UInt8>) in
      if let prefix { room.append(prefix) }
      guard value >= 10 else { return room.append(UInt8(ascii: "0") + UInt8(value)) }
      var count = 2
      var bound: UInt64 = 100
      while value >= bound {
        count += 1
        guard count < 20 else { break }
        bound *= 10
      }
      unsafe room.withUnsafeMutableBufferPointer { buffer, filled in
        var rest = value
        for index in stride(from: filled + count - 1, through: filled, by: -1) {
          let next = rest / 10
          unsafe buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest - next * 10)
          rest = next
        }
        filled += count
      }
    }
  }
}
