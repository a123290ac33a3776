// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Where a text stops being JSON.
public struct JSONSyntaxError: Error, Sendable, Hashable {
  /// The byte that is wrong, counted from the start of the line; the line's length where it ends
  /// too early.
  public let offset: Int

  /// Makes the error at `offset` bytes.
  public init(offset: Int) { self.offset = offset }
}

/// The check that stands before every reading: RFC 8259 to the letter.
///
/// What passed here is read by `JSONValue` without further doubt, so the two belong together.
/// Stricter than many: UTF-8 must be well formed (RFC 3629, no overlong forms, no surrogates) and
/// an escaped surrogate must come in a pair, because a Swift string could not hold it otherwise.
public enum JSONText {
  /// How deep a message may nest, the message object being level 1 (`docs/PROTOCOL.md` §1).
  public static let maximumDepth = 16

  /// Checks that `range` of `bytes` holds exactly one JSON value, with white space around it.
  ///
  /// Takes time in proportion to the length and no memory.
  ///
  /// - Parameters:
  ///   - bytes: The buffer.
  ///   - range: The line in it, without its end.
  ///   - maxDepth: How many arrays and objects may stand inside each other.
  /// - Throws: The offset of the first byte that cannot be right.
  public static func validate(
    _ bytes: [UInt8],
    in range: Range<Int>,
    maxDepth: Int = maximumDepth
  ) throws(JSONSyntaxError) {
    do throws(JSONScanner.Failure) {
      try JSONScanner.document(
        bytes.span.extracting(0..<range.upperBound),
        at: range.lowerBound,
        maxDepth: maxDepth
      )
    } catch {
      throw JSONSyntaxError(offset: error.position - range.lowerBound)
    }
  }

  /// Checks `range` of `bytes` and returns the value in it.
  ///
  /// - Throws: The offset of the first byte that cannot be right.
  public static func parse(
    _ bytes: [UInt8],
    in range: Range<Int>,
    maxDepth: Int = maximumDepth
  ) throws(JSONSyntaxError) -> JSONValue {
    try validate(bytes, in: range, maxDepth: maxDepth)
    return value(in: bytes, range)
  }

  /// As `parse`, with the places of the members where the value is an object.
  static func parse(
    _ bytes: [UInt8],
    in range: Range<Int>,
    index: inout MemberIndex
  ) throws(JSONSyntaxError) -> JSONValue {
    do throws(JSONScanner.Failure) {
      try JSONScanner.message(
        bytes.span.extracting(0..<range.upperBound),
        at: range.lowerBound,
        maxDepth: maximumDepth,
        into: &index
      )
    } catch {
      throw JSONSyntaxError(offset: error.position - range.lowerBound)
    }
    return value(in: bytes, range)
  }

  /// The value in a text that has passed, without the white space around it.
  private static func value(in bytes: [UInt8], _ range: Range<Int>) -> JSONValue {
    let start = skipSpace(bytes, at: range.lowerBound, end: range.upperBound)
    var end = range.upperBound
    while isSpace(bytes[end - 1]) { end -= 1 }
    return JSONValue(bytes: bytes, start: start, end: end)
  }

  /// Checks a text that is a JSON value as a whole and returns the value.
  ///
  /// - Throws: The offset of the first byte that cannot be right.
  public static func parse(_ text: String) throws(JSONSyntaxError) -> JSONValue {
    let bytes = [UInt8](text.utf8)
    return try parse(bytes, in: 0..<bytes.count)
  }
}

// MARK: - Steps over text that has passed

extension JSONText {
  /// The first byte from `position` on that is no white space, or `end`.
  static func skipSpace(_ bytes: [UInt8], at position: Int, end: Int) -> Int {
    var position = position
    while position < end, isSpace(bytes[position]) { position += 1 }
    return position
  }

  /// Whether JSON ignores this byte between tokens.
  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
  }

  /// The position behind the closing quote of the string that opens at `position`.
  static func endOfString(_ bytes: [UInt8], at position: Int) -> Int {
    endOfString(bytes.span, at: position)
  }

  private static func endOfString(_ text: Span<UInt8>, at position: Int) -> Int {
    var position = position + 1
    while true {
      switch text[position] {
      case UInt8(ascii: "\""): return position + 1
      case UInt8(ascii: "\\"): position += 2
      default: position += 1
      }
    }
  }

  /// The position behind the value that starts at `position`.
  static func endOfValue(_ bytes: [UInt8], at position: Int) -> Int {
    switch bytes[position] {
    case UInt8(ascii: "\""): return endOfString(bytes, at: position)
    case UInt8(ascii: "{"), UInt8(ascii: "["): return endOfContainer(bytes, at: position)
    default:
      var position = position
      while position < bytes.count, isInScalar(bytes[position]) { position += 1 }
      return position
    }
  }

  private static func isInScalar(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"): false
    default: !isSpace(byte)
    }
  }

  private static func endOfContainer(_ bytes: [UInt8], at position: Int) -> Int {
    let text = bytes.span
    var position = position
    var open = 0
    while true {
      switch text[position] {
      case UInt8(ascii: "\""):
        position = endOfString(text, at: position)
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): open += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        open -= 1
        if open == 0 { return position + 1 }
      default: break
      }
      position += 1
    }
  }
}
