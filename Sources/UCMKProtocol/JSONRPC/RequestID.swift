// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What ties an answer to its request: 1…2^53-1, or 1…64 bytes of text (`docs/PROTOCOL.md` §1).
///
/// Each side has its own ids.
public enum RequestID: Sendable, Hashable {
  /// A number.
  case integer(UInt64)
  /// A text.
  case string(String)

  /// The numbers that are valid.
  public static let integers: ClosedRange<UInt64> = 1...(1 << 53) - 1

  /// The lengths in UTF-8 that are valid.
  public static let textLengths = 1...64

  /// The id that `value` is, or nil where it is no valid one.
  public init?(_ value: JSONValue) {
    if let number = value.unsigned {
      guard RequestID.integers.contains(number) else { return nil }
      self = .integer(number)
    } else {
      guard let count = value.utf8Count, RequestID.textLengths.contains(count),
        let text = value.string
      else { return nil }
      self = .string(text)
    }
  }

  /// Writes the id.
  public func write(to writer: inout JSONWriter) {
    switch self {
    case .integer(let number): writer.unsigned(number)
    case .string(let text): writer.string(text)
    }
  }

  /// Texts are compared byte by byte: Unicode's notion of equal spellings is not the wire's.
  public static func == (left: RequestID, right: RequestID) -> Bool {
    switch (left, right) {
    case (.integer(let left), .integer(let right)): left == right
    case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
    case (.integer, .string), (.string, .integer): false
    }
  }

  /// Feeds what equality compares.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .integer(let number): hasher.combine(number)
    case .string(let text): for byte in text.utf8 { hasher.combine(byte) }
    }
  }
}
