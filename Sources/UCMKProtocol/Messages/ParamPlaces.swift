// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Reads params by their places in the text, for the messages that come a thousand times a round.
///
/// A `ParamReader` is easier to use; each value that it hands out holds the buffer once more, and
/// for a message of 180 bytes that costs more than the walk itself.
extension ParamPath {
  /// Where the members of the object in `place` begin, and where its closing brace stands.
  ///
  /// - Throws: Where something else than an object stands there.
  func insideObject(
    _ bytes: [UInt8],
    _ place: Range<Int>
  ) throws(RPCError) -> (position: Int, end: Int) {
    guard bytes[place.lowerBound] == UInt8(ascii: "{") else { throw invalid(nil, want: "object") }
    return (place.lowerBound + 1, place.upperBound - 1)
  }

  /// The number in `place`, which is the member `key`; nil stands for a member that is absent.
  func number(
    _ bytes: [UInt8],
    _ place: Range<Int>?,
    _ key: StaticString,
    _ range: ClosedRange<UInt64>
  ) throws(RPCError) -> UInt64 {
    guard let place, let number = JSONValue.unsigned(bytes, place), range.contains(number) else {
      throw invalid(key, want: WireRange.text(range))
    }
    return number
  }

  /// The truth value in `place`, which is the member `key`.
  func bool(
    _ bytes: [UInt8],
    _ place: Range<Int>,
    _ key: StaticString
  ) throws(RPCError) -> Bool {
    switch bytes[place.lowerBound] {
    case UInt8(ascii: "t"): return true
    case UInt8(ascii: "f"): return false
    default: throw invalid(key, want: "true or false")
    }
  }

  /// Hands the path and the place of each element of the list `key` to `body`.
  ///
  /// - Throws: Where there is no list or one of a length outside `count`, and only then what `body`
  ///   throws, although the elements are counted in the walk that reads them.
  func elements(
    _ bytes: [UInt8],
    _ list: Range<Int>?,
    _ key: StaticString,
    _ count: ClosedRange<Int>,
    _ body: (ParamPath, Range<Int>) throws(RPCError) -> Void
  ) throws(RPCError) {
    guard let list, bytes[list.lowerBound] == UInt8(ascii: "[") else {
      throw wrongLength(key, count)
    }
    var position = list.lowerBound + 1
    var number = 0
    while let place = JSONValue.nextElement(bytes, at: &position, end: list.upperBound - 1) {
      guard number < count.upperBound else { throw wrongLength(key, count) }
      do throws(RPCError) {
        try body(element(number, of: key), place)
      } catch {
        let list = JSONValue(bytes: bytes, start: list.lowerBound, end: list.upperBound)
        throw count.contains(list.elementCount) ? error : wrongLength(key, count)
      }
      number += 1
    }
    guard number >= count.lowerBound else { throw wrongLength(key, count) }
  }

  /// The error of a list whose length is outside `count`, or that is none.
  func wrongLength(_ key: StaticString, _ count: ClosedRange<Int>) -> RPCError {
    invalid(key, want: "list of \(count.lowerBound)...\(count.upperBound)")
  }
}
