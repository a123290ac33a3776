// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Reads the kernel's text files from bytes, without making strings.
///
/// Every function takes the whole text and positions in it. A line counts only where its line
/// feed is there: a number that ends at the end of the bytes may have been cut, and a cut number
/// is worse than none.
enum TextScanner {
  /// The bounds of the complete line that starts at `position`, without its line feed, or nil where
  /// none is left.
  ///
  /// Moves `position` behind it.
  static func nextLine(_ text: Span<UInt8>, _ position: inout Int) -> Range<Int>? {
    var end = position
    while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
    guard end < text.count else { return nil }
    defer { position = end + 1 }
    return position..<end
  }

  /// Skips spaces and tabs.
  static func skipBlanks(_ text: Span<UInt8>, _ range: inout Range<Int>) {
    var start = range.lowerBound
    while start < range.upperBound, text[start] == UInt8(ascii: " ") || text[start] == 9 {
      start += 1
    }
    range = start..<range.upperBound
  }

  /// Skips `word` where `range` starts with it, and says whether it did.
  static func skip(_ word: StaticString, _ text: Span<UInt8>, _ range: inout Range<Int>) -> Bool {
    let length = word.utf8CodeUnitCount
    guard range.count >= length else { return false }
    let bytes = unsafe UnsafeBufferPointer(start: word.utf8Start, count: length)
    for offset in 0..<length {
      guard unsafe bytes[offset] == text[range.lowerBound + offset] else { return false }
    }
    range = (range.lowerBound + length)..<range.upperBound
    return true
  }

  /// Takes the decimal number at the start of `range`; nil where there is no digit.
  ///
  /// A number beyond 64 bits becomes the largest one.
  static func number(_ text: Span<UInt8>, _ range: inout Range<Int>) -> UInt64? {
    var position = range.lowerBound
    var value: UInt64 = 0
    while position < range.upperBound, let digit = digit(text[position]) {
      let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = product.addingReportingOverflow(digit)
      value = tooLarge || carried || value == .max ? .max : sum
      position += 1
    }
    guard position > range.lowerBound else { return nil }
    range = position..<range.upperBound
    return value
  }

  /// The number of a line `key number`, `key: number` or `key: number kB`, in the unit of the
  /// line; nil for any other line.
  static func value(
    of key: StaticString,
    _ text: Span<UInt8>,
    line: Range<Int>
  ) -> UInt64? {
    var rest = line
    guard skip(key, text, &rest), let separator = first(text, rest) else { return nil }
    guard separator == UInt8(ascii: ":") || separator == UInt8(ascii: " ") || separator == 9 else {
      return nil
    }
    rest = (rest.lowerBound + 1)..<rest.upperBound
    skipBlanks(text, &rest)
    guard let value = number(text, &rest) else { return nil }
    return rest.isEmpty || skip(" kB", text, &rest) && rest.isEmpty ? value : nil
  }

  /// The number of a file that holds one number and a line feed.
  static func soleNumber(_ text: Span<UInt8>) -> UInt64? {
    var position = 0
    guard var line = nextLine(text, &position), position == text.count else { return nil }
    guard let value = number(text, &line), line.isEmpty else { return nil }
    return value
  }

  /// The first byte of `range`, or nil where it is empty.
  static func first(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt8? {
    range.isEmpty ? nil : text[range.lowerBound]
  }

  /// The bytes of `range` as a string; ill-formed UTF-8 is repaired.
  static func string(_ text: Span<UInt8>, _ range: Range<Int>) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    for position in range { bytes.append(text[position]) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The value of one decimal digit, or nil.
  static func digit(_ byte: UInt8) -> UInt64? {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? UInt64(byte - UInt8(ascii: "0")) : nil
  }
}
