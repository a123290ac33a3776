// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Walks a text once and stops at the first byte that is not JSON.
///
/// It builds nothing: whoever wants a value steps over the text again, which is cheaper than a
/// tree for messages of a few hundred bytes.
struct JSONScanner {
  /// The position of the first byte that cannot be right.
  struct Failure: Error {
    let position: Int
  }

  private let bytes: [UInt8]
  private let end: Int
  private var position: Int

  init(_ bytes: [UInt8], in range: Range<Int>) {
    self.bytes = bytes
    self.end = range.upperBound
    self.position = range.lowerBound
  }

  /// One value with white space around it, and nothing else.
  mutating func document(maxDepth: Int) throws(Failure) {
    skipSpace()
    try value(deeper: maxDepth)
    skipSpace()
    guard position == end else { throw Failure(position: position) }
  }

  // `deeper` is how many more levels may be opened.
  private mutating func value(deeper: Int) throws(Failure) {
    guard position < end else { throw Failure(position: position) }
    switch bytes[position] {
    case UInt8(ascii: "{"): try object(deeper: deeper)
    case UInt8(ascii: "["): try array(deeper: deeper)
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: throw Failure(position: position)
    }
  }

  private mutating func object(deeper: Int) throws(Failure) {
    guard deeper > 0 else { throw Failure(position: position) }
    position += 1
    skipSpace()
    if take(UInt8(ascii: "}")) { return }
    while true {
      try string()
      skipSpace()
      try expect(UInt8(ascii: ":"))
      skipSpace()
      try value(deeper: deeper - 1)
      skipSpace()
      if take(UInt8(ascii: "}")) { return }
      try expect(UInt8(ascii: ","))
      skipSpace()
    }
  }

  private mutating func array(deeper: Int) throws(Failure) {
    guard deeper > 0 else { throw Failure(position: position) }
    position += 1
    skipSpace()
    if take(UInt8(ascii: "]")) { return }
    while true {
      try value(deeper: deeper - 1)
      skipSpace()
      if take(UInt8(ascii: "]")) { return }
      try expect(UInt8(ascii: ","))
      skipSpace()
    }
  }

  // MARK: - Scalars

  private mutating func word(_ word: StaticString) throws(Failure) {
    for index in 0..<word.utf8CodeUnitCount {
      try expect(unsafe word.utf8Bytes[index])
    }
  }

  private mutating func number() throws(Failure) {
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "-")) { _ = take(UInt8(ascii: "+")) }
      try digits()
    }
  }

  /// At least one digit.
  private mutating func digits() throws(Failure) {
    let start = position
    // Kept in a register: `self` is in memory, and this loop sees every digit of a message.
    var index = start
    while index < end, bytes[index] &- UInt8(ascii: "0") < 10 { index += 1 }
    position = index
    guard index > start else { throw Failure(position: position) }
  }

  // MARK: - Strings

  private mutating func string() throws(Failure) {
    try expect(UInt8(ascii: "\""))
    while true {
      skipPlainText()
      guard position < end else { throw Failure(position: position) }
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"): try escape()
      case 0x80...: try multibyte(first: byte)
      default: throw Failure(position: position)
      }
    }
  }

  /// Steps over the characters that stand for themselves in one byte.
  private mutating func skipPlainText() {
    var index = position
    while index < end {
      let byte = bytes[index]
      guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\")
      else { break }
      index += 1
    }
    position = index
  }

  private mutating func escape() throws(Failure) {
    let start = position
    position += 1
    guard position < end else { throw Failure(position: position) }
    switch bytes[position] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    case UInt8(ascii: "u"):
      position += 1
      let unit = try fourHexDigits()
      if unit & 0xFC00 == 0xDC00 { throw Failure(position: start) }
      if unit & 0xFC00 == 0xD800 { try lowSurrogate(ofPairAt: start) }
    default: throw Failure(position: position)
    }
  }

  private mutating func lowSurrogate(ofPairAt start: Int) throws(Failure) {
    guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw Failure(position: start) }
    guard try fourHexDigits() & 0xFC00 == 0xDC00 else { throw Failure(position: start) }
  }

  private mutating func fourHexDigits() throws(Failure) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard position < end, let digit = JSONScanner.hexDigit(bytes[position]) else {
        throw Failure(position: position)
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }

  /// The value of a hexadecimal digit, or nil for any other byte.
  static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// One sequence of RFC 3629, table of section 4: the second byte carries all the exceptions.
  private mutating func multibyte(first: UInt8) throws(Failure) {
    let start = position
    let second: ClosedRange<UInt8>
    let length: Int
    switch first {
    case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
    case 0xE0: (second, length) = (0xA0...0xBF, 3)
    case 0xED: (second, length) = (0x80...0x9F, 3)
    case 0xE1...0xEF: (second, length) = (0x80...0xBF, 3)
    case 0xF0: (second, length) = (0x90...0xBF, 4)
    case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
    case 0xF4: (second, length) = (0x80...0x8F, 4)
    default: throw Failure(position: start)
    }
    guard end - start >= length, second.contains(bytes[start + 1]) else {
      throw Failure(position: start)
    }
    for index in start + 2..<start + length where bytes[index] & 0xC0 != 0x80 {
      throw Failure(position: start)
    }
    position = start + length
  }

  // MARK: - Single bytes

  private mutating func skipSpace() {
    position = JSONText.skipSpace(bytes, at: position, end: end)
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < end, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ byte: UInt8) throws(Failure) {
    guard take(byte) else { throw Failure(position: position) }
  }
}
