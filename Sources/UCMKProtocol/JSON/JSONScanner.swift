// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Walks a text once and stops at the first byte that is not JSON.
///
/// It builds nothing: whoever wants a value steps over the text again, which is cheaper than a
/// tree for messages of a few hundred bytes. Each step takes a position and returns the one behind
/// what it stepped over, so that positions stay in registers: every byte of every message comes by
/// here.
enum JSONScanner {
  /// The position of the first byte that cannot be right.
  struct Failure: Error {
    let position: Int
  }

  /// One value with white space around it, and nothing else.
  static func document(_ text: Span<UInt8>, at start: Int, maxDepth: Int) throws(Failure) {
    let end = skipSpace(text, try value(text, skipSpace(text, start), deeper: maxDepth))
    guard end == text.count else { throw Failure(position: end) }
  }

  /// As `document`, and where that is an object, the places of its members: whoever reads a
  /// message need not walk over it a second time.
  static func message(
    _ text: Span<UInt8>,
    at start: Int,
    maxDepth: Int,
    into index: inout MemberIndex
  ) throws(Failure) {
    var position = skipSpace(text, start)
    guard byte(text, position) == UInt8(ascii: "{"), maxDepth > 0 else {
      return try document(text, at: position, maxDepth: maxDepth)
    }
    position = skipSpace(text, position + 1)
    if byte(text, position) != UInt8(ascii: "}") {
      while true {
        let key = position
        position = try string(text, key)
        let keyEnd = position
        position = try colon(text, position)
        let start = position
        position = try value(text, start, deeper: maxDepth - 1)
        index.append(key..<keyEnd, start..<position)
        position = skipSpace(text, position)
        if byte(text, position) == UInt8(ascii: "}") { break }
        position = skipSpace(text, try expect(UInt8(ascii: ","), text, position))
      }
    }
    position = skipSpace(text, position + 1)
    guard position == text.count else { throw Failure(position: position) }
  }

  // `deeper` is how many more levels may be opened.
  private static func value(
    _ text: Span<UInt8>,
    _ position: Int,
    deeper: Int
  ) throws(Failure) -> Int {
    switch byte(text, position) {
    case UInt8(ascii: "{"): try object(text, position, deeper: deeper)
    case UInt8(ascii: "["): try array(text, position, deeper: deeper)
    case UInt8(ascii: "\""): try string(text, position)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number(text, position)
    case UInt8(ascii: "t"): try word("true", text, position)
    case UInt8(ascii: "f"): try word("false", text, position)
    case UInt8(ascii: "n"): try word("null", text, position)
    default: throw Failure(position: position)
    }
  }

  private static func object(
    _ text: Span<UInt8>,
    _ position: Int,
    deeper: Int
  ) throws(Failure) -> Int {
    guard deeper > 0 else { throw Failure(position: position) }
    var position = skipSpace(text, position + 1)
    if byte(text, position) == UInt8(ascii: "}") { return position + 1 }
    while true {
      position = try colon(text, try string(text, position))
      position = skipSpace(text, try value(text, position, deeper: deeper - 1))
      if byte(text, position) == UInt8(ascii: "}") { return position + 1 }
      position = skipSpace(text, try expect(UInt8(ascii: ","), text, position))
    }
  }

  private static func array(
    _ text: Span<UInt8>,
    _ position: Int,
    deeper: Int
  ) throws(Failure) -> Int {
    guard deeper > 0 else { throw Failure(position: position) }
    var position = skipSpace(text, position + 1)
    if byte(text, position) == UInt8(ascii: "]") { return position + 1 }
    while true {
      position = skipSpace(text, try value(text, position, deeper: deeper - 1))
      if byte(text, position) == UInt8(ascii: "]") { return position + 1 }
      position = skipSpace(text, try expect(UInt8(ascii: ","), text, position))
    }
  }

  // MARK: - Scalars

  private static func word(
    _ word: StaticString,
    _ text: Span<UInt8>,
    _ position: Int
  ) throws(Failure) -> Int {
    var position = position
    for index in 0..<word.utf8CodeUnitCount {
      position = try expect(unsafe word.utf8Bytes[index], text, position)
    }
    return position
  }

  private static func number(_ text: Span<UInt8>, _ position: Int) throws(Failure) -> Int {
    var position = position
    if byte(text, position) == UInt8(ascii: "-") { position += 1 }
    if byte(text, position) == UInt8(ascii: "0") {
      position += 1
    } else {
      position = try digits(text, position)
    }
    if byte(text, position) == UInt8(ascii: ".") { position = try digits(text, position + 1) }
    // "E" and "e" differ in one bit.
    guard byte(text, position) | 0x20 == UInt8(ascii: "e") else { return position }
    position += 1
    let sign = byte(text, position)
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { position += 1 }
    return try digits(text, position)
  }

  /// At least one digit.
  private static func digits(_ text: Span<UInt8>, _ start: Int) throws(Failure) -> Int {
    var position = start
    while byte(text, position) &- UInt8(ascii: "0") < 10 { position += 1 }
    guard position > start else { throw Failure(position: position) }
    return position
  }

  // MARK: - Strings

  private static func string(_ text: Span<UInt8>, _ start: Int) throws(Failure) -> Int {
    var position = try expect(UInt8(ascii: "\""), text, start)
    while true {
      let byte = byte(text, position)
      switch byte {
      case UInt8(ascii: "\""): return position + 1
      case UInt8(ascii: "\\"): position = try escape(text, position)
      case 0x20..<0x80: position += 1
      case 0x80...: position = try multibyte(text, position)
      default: throw Failure(position: position)
      }
    }
  }

  private static func escape(_ text: Span<UInt8>, _ start: Int) throws(Failure) -> Int {
    let position = start + 1
    switch byte(text, position) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return position + 1
    case UInt8(ascii: "u"):
      let unit = try fourHexDigits(text, position + 1)
      if unit & 0xFC00 == 0xDC00 { throw Failure(position: start) }
      guard unit & 0xFC00 == 0xD800 else { return position + 5 }
      return try lowSurrogate(text, position + 5, ofPairAt: start)
    default: throw Failure(position: position)
    }
  }

  private static func lowSurrogate(
    _ text: Span<UInt8>,
    _ position: Int,
    ofPairAt start: Int
  ) throws(Failure) -> Int {
    guard byte(text, position) == UInt8(ascii: "\\"),
      byte(text, position + 1) == UInt8(ascii: "u"),
      try fourHexDigits(text, position + 2) & 0xFC00 == 0xDC00
    else { throw Failure(position: start) }
    return position + 6
  }

  private static func fourHexDigits(_ text: Span<UInt8>, _ start: Int) throws(Failure) -> UInt16 {
    var unit: UInt16 = 0
    for position in start..<start + 4 {
      guard let digit = hexDigit(byte(text, position)) else { throw Failure(position: position) }
      unit = unit << 4 | UInt16(digit)
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
  private static func multibyte(_ text: Span<UInt8>, _ start: Int) throws(Failure) -> Int {
    let second: ClosedRange<UInt8>
    let length: Int
    switch byte(text, start) {
    case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
    case 0xE0: (second, length) = (0xA0...0xBF, 3)
    case 0xED: (second, length) = (0x80...0x9F, 3)
    case 0xE1...0xEF: (second, length) = (0x80...0xBF, 3)
    case 0xF0: (second, length) = (0x90...0xBF, 4)
    case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
    case 0xF4: (second, length) = (0x80...0x8F, 4)
    default: throw Failure(position: start)
    }
    guard second.contains(byte(text, start + 1)) else { throw Failure(position: start) }
    for position in start + 2..<start + length where byte(text, position) & 0xC0 != 0x80 {
      throw Failure(position: start)
    }
    return start + length
  }

  // MARK: - Single bytes

  /// The byte at `position`, or 0 behind the end: JSON has no place for that byte, so that it ends
  /// whatever it meets.
  @inline(__always)
  private static func byte(_ text: Span<UInt8>, _ position: Int) -> UInt8 {
    position < text.count ? text[position] : 0
  }

  @inline(__always)
  private static func skipSpace(_ text: Span<UInt8>, _ position: Int) -> Int {
    var position = position
    while position < text.count, JSONText.isSpace(text[position]) { position += 1 }
    return position
  }

  private static func colon(_ text: Span<UInt8>, _ position: Int) throws(Failure) -> Int {
    skipSpace(text, try expect(UInt8(ascii: ":"), text, skipSpace(text, position)))
  }

  @inline(__always)
  private static func expect(
    _ wanted: UInt8,
    _ text: Span<UInt8>,
    _ position: Int
  ) throws(Failure) -> Int {
    guard byte(text, position) == wanted else { throw Failure(position: position) }
    return position + 1
  }
}
