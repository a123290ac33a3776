// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A value inside a text that has passed `JSONText.validate`: a view, not a copy.
///
/// It keeps the whole buffer alive. Whoever fills that buffer again while a view exists pays for a
/// copy of it (and the view stays right), so views are dropped before the next bytes are read.
/// Looking a member up walks the object from its start, which for messages of a few hundred bytes
/// is cheaper than building a table; a reader that needs every member walks `members` once.
public struct JSONValue: Sendable {
  let bytes: [UInt8]
  let start: Int
  let end: Int

  /// The six kinds of RFC 8259, with both truth values as one.
  public enum Kind: Sendable, Hashable {
    /// `{…}`
    case object
    /// `[…]`
    case array
    /// `"…"`
    case string
    /// Any number, whole or not.
    case number
    /// `true` or `false`
    case bool
    /// `null`
    case null
  }

  /// What the value is.
  public var kind: Kind {
    switch bytes[start] {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
    case UInt8(ascii: "n"): .null
    default: .number
    }
  }

  /// Whether this is `null`.
  public var isNull: Bool { kind == .null }

  /// Where the value stands in its buffer.
  public var range: Range<Int> { start..<end }

  /// The truth value, or nil where it is none.
  public var bool: Bool? {
    guard kind == .bool else { return nil }
    return bytes[start] == UInt8(ascii: "t")
  }

  /// The bytes of the value as they stand in the text.
  public var rawText: String { String(decoding: bytes[start..<end], as: UTF8.self) }
}

// MARK: - Numbers

extension JSONValue {
  /// The number, or nil where it is none, negative, above `UInt64.max`, or written with `.`, `e`
  /// or `E`; `-0` is 0.
  public var unsigned: UInt64? {
    JSONValue.unsigned(bytes, start..<end)
  }

  /// The number in `place`, as `unsigned` tells it: for those who hold places, not values.
  static func unsigned(_ bytes: [UInt8], _ place: Range<Int>) -> UInt64? {
    guard let (magnitude, negative) = wholeNumber(bytes, place), !negative || magnitude == 0
    else { return nil }
    return magnitude
  }

  /// The number, or nil where it is none, outside `Int64`, or written with `.`, `e` or `E`.
  public var integer: Int64? {
    guard let (magnitude, negative) = JSONValue.wholeNumber(bytes, range) else { return nil }
    guard negative else { return Int64(exactly: magnitude) }
    guard magnitude <= UInt64(Int64.max) + 1 else { return nil }
    return Int64(truncatingIfNeeded: 0 &- magnitude)
  }

  private static func wholeNumber(
    _ bytes: [UInt8],
    _ place: Range<Int>
  ) -> (magnitude: UInt64, negative: Bool)? {
    let negative = bytes[place.lowerBound] == UInt8(ascii: "-")
    var magnitude: UInt64 = 0
    for index in (negative ? place.lowerBound + 1 : place.lowerBound)..<place.upperBound {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      let (product, tooLarge) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = product.addingReportingOverflow(UInt64(digit))
      guard !tooLarge, !overflow else { return nil }
      magnitude = sum
    }
    return (magnitude, negative)
  }
}

// MARK: - Strings

extension JSONValue {
  /// The string with its escapes resolved, or nil where this is none.
  public var string: String? {
    guard kind == .string else { return nil }
    for index in start + 1..<end - 1 where bytes[index] == UInt8(ascii: "\\") {
      return String(decoding: [UInt8](stringBytes), as: UTF8.self)
    }
    return String(decoding: bytes[start + 1..<end - 1], as: UTF8.self)
  }

  /// The length of the string in UTF-8 with its escapes resolved, or nil where this is none.
  public var utf8Count: Int? {
    guard kind == .string else { return nil }
    return stringBytes.reduce(into: 0) { count, _ in count += 1 }
  }

  /// Whether this is the string `text`, escapes resolved; takes no memory.
  ///
  /// The text must hold no backslash.
  public func stringEquals(_ text: StaticString) -> Bool {
    JSONValue.string(bytes, start..<end, equals: text)
  }

  /// Whether the value in `range` is the string `text`: for those who hold places, not values.
  static func string(_ bytes: [UInt8], _ range: Range<Int>, equals text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    // An escape is longer than what it stands for, so no shorter spelling can be equal.
    guard range.count - 2 >= count, bytes[range.lowerBound] == UInt8(ascii: "\"") else {
      return false
    }
    let literal = unsafe text.utf8Bytes
    for index in 0..<count {
      let byte = bytes[range.lowerBound + 1 + index]
      guard unsafe byte != literal[index] else { continue }
      // Nearly every name that is not the one differs here, in its first byte.
      return byte == UInt8(ascii: "\\") && escapedString(bytes, range, equals: text)
    }
    return range.count - 2 == count
  }

  private static func escapedString(
    _ bytes: [UInt8],
    _ range: Range<Int>,
    equals text: StaticString
  ) -> Bool {
    let count = text.utf8CodeUnitCount
    var index = 0
    let resolved = JSONStringBytes(
      bytes,
      start: range.lowerBound + 1,
      end: range.upperBound - 1
    )
    for byte in resolved {
      guard index < count, unsafe text.utf8Bytes[index] == byte else { return false }
      index += 1
    }
    return index == count
  }

  /// The bytes of the string with its escapes resolved; empty where this is none.
  var stringBytes: JSONStringBytes {
    let isString = bytes[start] == UInt8(ascii: "\"")
    return JSONStringBytes(bytes, start: start + 1, end: isString ? end - 1 : start + 1)
  }
}

// MARK: - Members and elements

extension JSONValue {
  /// One member of an object.
  public struct Member: Sendable {
    /// The name: always a string.
    public let key: JSONValue
    /// What it names.
    public let value: JSONValue
  }

  /// The members of an object in the order of the text, duplicates included.
  public struct Members: Sequence, IteratorProtocol, Sendable {
    private let bytes: [UInt8]
    private let end: Int
    private var position: Int

    init(_ object: JSONValue) {
      bytes = object.bytes
      end = object.end - 1
      position = object.kind == .object ? object.start + 1 : end
    }

    /// The next member, or nil at the end.
    public mutating func next() -> Member? {
      guard let place = JSONValue.nextMember(bytes, at: &position, end: end) else { return nil }
      return Member(
        key: JSONValue(bytes: bytes, start: place.key.lowerBound, end: place.key.upperBound),
        value: JSONValue(bytes: bytes, start: place.value.lowerBound, end: place.value.upperBound)
      )
    }
  }

  /// The elements of an array in order.
  public struct Elements: Sequence, IteratorProtocol, Sendable {
    private let bytes: [UInt8]
    private let end: Int
    private var position: Int

    init(_ array: JSONValue) {
      bytes = array.bytes
      end = array.end - 1
      position = array.kind == .array ? array.start + 1 : end
    }

    /// The next element, or nil at the end.
    public mutating func next() -> JSONValue? {
      guard let place = JSONValue.nextElement(bytes, at: &position, end: end) else { return nil }
      return JSONValue(bytes: bytes, start: place.lowerBound, end: place.upperBound)
    }
  }

  /// The members of an object; none where this is no object.
  public var members: Members { Members(self) }

  /// The elements of an array; none where this is no array.
  public var elements: Elements { Elements(self) }

  /// How many elements the array has; 0 where this is none.
  public var elementCount: Int { elements.reduce(into: 0) { count, _ in count += 1 } }

  /// What the object holds under `key`, or nil; of duplicates the last.
  public func member(_ key: StaticString) -> JSONValue? {
    guard kind == .object else { return nil }
    var position = start + 1
    var found: Range<Int>?
    while let place = JSONValue.nextMember(bytes, at: &position, end: end - 1) {
      if JSONValue.string(bytes, place.key, equals: key) { found = place.value }
    }
    guard let found else { return nil }
    return JSONValue(bytes: bytes, start: found.lowerBound, end: found.upperBound)
  }

  /// The places of the next member's name and value, or nil at the end of the object.
  static func nextMember(
    _ bytes: [UInt8],
    at position: inout Int,
    end: Int
  ) -> (key: Range<Int>, value: Range<Int>)? {
    guard position < end, let (key, value) = nextName(bytes, at: position) else { return nil }
    position = JSONText.endOfValue(bytes, at: value)
    return (key, value..<position)
  }

  /// The place of the next member's name and where its value begins, or nil at the end of the
  /// object: for those who walk into the value and so learn where it ends.
  static func nextName(_ bytes: [UInt8], at position: Int) -> (key: Range<Int>, value: Int)? {
    guard let keyStart = nextItem(bytes, at: position) else { return nil }
    let keyEnd = JSONText.endOfString(bytes, at: keyStart)
    let colon = JSONText.skipSpace(bytes, at: keyEnd, end: bytes.count)
    let value = JSONText.skipSpace(bytes, at: colon + 1, end: bytes.count)
    return (keyStart..<keyEnd, value)
  }

  /// The place of the next element, or nil at the end of the array.
  static func nextElement(_ bytes: [UInt8], at position: inout Int, end: Int) -> Range<Int>? {
    guard position < end, let start = nextItem(bytes, at: position) else { return nil }
    position = JSONText.endOfValue(bytes, at: start)
    return start..<position
  }

  /// Where the next item of an object or array begins, or nil at its end.
  ///
  /// The position stands inside the container: between two items or before its bracket.
  static func nextItem(_ bytes: [UInt8], at position: Int) -> Int? {
    var position = JSONText.skipSpace(bytes, at: position, end: bytes.count)
    switch bytes[position] {
    case UInt8(ascii: "}"), UInt8(ascii: "]"): return nil
    case UInt8(ascii: ","):
      position = JSONText.skipSpace(bytes, at: position + 1, end: bytes.count)
    default: break
    }
    return position
  }
}
