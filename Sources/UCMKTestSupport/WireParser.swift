// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Reads one JSON document, whole numbers only, as plainly as can be.
///
/// Shares nothing with the daemon's own reader, so that a mistake there is not repeated here.
/// Foundation's decoder finds out what a value is by throwing, which takes seconds for the answers
/// of one test.
struct WireParser {
  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The document; nil where it is none.
  mutating func document() -> WireValue? {
    guard let value = value() else { return nil }
    skipSpace()
    return at == bytes.count ? value : nil
  }

  private mutating func value() -> WireValue? {
    skipSpace()
    guard at < bytes.count else { return nil }
    switch bytes[at] {
    case UInt8(ascii: "{"): return object()
    case UInt8(ascii: "["): return list()
    case UInt8(ascii: "\""): return text().map { .text($0) }
    case UInt8(ascii: "t"): return take("true") ? .truth(true) : nil
    case UInt8(ascii: "f"): return take("false") ? .truth(false) : nil
    case UInt8(ascii: "n"): return take("null") ? .null : nil
    default: return number()
    }
  }

  private mutating func object() -> WireValue? {
    var members: [String: WireValue] = [:]
    at += 1
    if takes("}") { return .object(members) }
    repeat {
      skipSpace()
      guard let key = text(), takes(":"), let value = value(), members[key] == nil else {
        return nil
      }
      members[key] = value
    } while takes(",")
    return takes("}") ? .object(members) : nil
  }

  private mutating func list() -> WireValue? {
    var elements: [WireValue] = []
    at += 1
    if takes("]") { return .list(elements) }
    repeat {
      guard let value = value() else { return nil }
      elements.append(value)
    } while takes(",")
    return takes("]") ? .list(elements) : nil
  }

  private mutating func number() -> WireValue? {
    let start = at
    if bytes[at] == UInt8(ascii: "-") { at += 1 }
    while at < bytes.count, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") {
      at += 1
    }
    return Int64(String(decoding: bytes[start..<at], as: UTF8.self)).map { .number($0) }
  }

  private mutating func text() -> String? {
    guard take("\"") else { return nil }
    var content: [UInt8] = []
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return String(validating: content, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let scalar = escape() else { return nil }
        content.append(contentsOf: Array(String(scalar).utf8))
      case 0..<32: return nil
      default: content.append(byte)
      }
    }
    return nil
  }

  private mutating func escape() -> Unicode.Scalar? {
    guard at < bytes.count else { return nil }
    at += 1
    switch bytes[at - 1] {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return Unicode.Scalar(bytes[at - 1])
    case UInt8(ascii: "u"):
      guard at + 4 <= bytes.count else { return nil }
      at += 4
      // The daemon escapes control characters so and nothing else; pairs do not come.
      let digits = String(decoding: bytes[at - 4..<at], as: UTF8.self)
      return UInt32(digits, radix: 16).flatMap { Unicode.Scalar($0) }
    default: return nil
    }
  }

  private mutating func skipSpace() {
    while at < bytes.count, bytes[at] == 32 || bytes[at] == 9 || bytes[at] == 13 { at += 1 }
  }

  /// Skips white space and this character, where it comes next.
  private mutating func takes(_ character: StaticString) -> Bool {
    skipSpace()
    return take(character)
  }

  private mutating func take(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard at + count <= bytes.count else { return false }
    let isThere = text.withUTF8Buffer { unsafe $0.elementsEqual(bytes[at..<at + count]) }
    if isThere { at += count }
    return isThere
  }
}
