// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The bytes that a JSON string stands for, one after the other, without a copy of it.
///
/// Works on text that has passed `JSONText.validate`: an escape is complete and a surrogate has
/// its partner.
struct JSONStringBytes: Sequence, IteratorProtocol {
  private let bytes: [UInt8]
  private let end: Int
  private var position: Int
  /// What is left of an escape that stands for several bytes, the next one lowest; `pendingCount`
  /// says how many.
  private var pending: UInt32 = 0
  private var pendingCount = 0

  /// Walks from `start`, behind the opening quote, to `end`, the closing one.
  init(_ bytes: [UInt8], start: Int, end: Int) {
    self.bytes = bytes
    self.position = start
    self.end = end
  }

  mutating func next() -> UInt8? {
    if pendingCount > 0 {
      let byte = UInt8(truncatingIfNeeded: pending)
      pending >>= 8
      pendingCount -= 1
      return byte
    }
    guard position < end else { return nil }
    let byte = bytes[position]
    position += 1
    return byte == UInt8(ascii: "\\") ? escaped() : byte
  }

  private mutating func escaped() -> UInt8 {
    let letter = bytes[position]
    position += 1
    switch letter {
    case UInt8(ascii: "b"): return 0x08
    case UInt8(ascii: "f"): return 0x0C
    case UInt8(ascii: "n"): return 0x0A
    case UInt8(ascii: "r"): return 0x0D
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "u"): return encoded(scalar())
    default: return letter
    }
  }

  /// The scalar of a `\u` escape whose digits begin here, with the second half of a pair.
  private mutating func scalar() -> UInt32 {
    let unit = codeUnit()
    guard unit & 0xFC00 == 0xD800 else { return unit }
    position += 2
    return 0x10000 + (unit & 0x3FF) << 10 + codeUnit() & 0x3FF
  }

  private mutating func codeUnit() -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = JSONScanner.hexDigit(bytes[position]) else {
        preconditionFailure("an escape was read that has not been checked")
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  /// The first byte of a scalar in UTF-8; the others are kept for the next calls.
  private mutating func encoded(_ scalar: UInt32) -> UInt8 {
    let last = 0x80 | scalar & 0x3F
    let middle = 0x80 | scalar >> 6 & 0x3F
    switch scalar {
    case 0..<0x80: return UInt8(scalar)
    case 0x80..<0x800:
      (pending, pendingCount) = (last, 1)
      return UInt8(0xC0 | scalar >> 6)
    case 0x800..<0x10000:
      (pending, pendingCount) = (middle | last << 8, 2)
      return UInt8(0xE0 | scalar >> 12)
    default:
      (pending, pendingCount) = (0x80 | scalar >> 12 & 0x3F | middle << 8 | last << 16, 3)
      return UInt8(0xF0 | scalar >> 18)
    }
  }
}
