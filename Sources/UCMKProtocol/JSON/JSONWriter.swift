// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Writes JSON into a buffer that is used again and again.
///
/// Commas come by themselves; whoever calls keeps begins and ends in pairs and writes a key before
/// every value in an object. Several lines may be written one behind the other.
public struct JSONWriter: Sendable {
  /// What has been written.
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  /// Makes a writer with room for `capacity` bytes.
  public init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  /// How many bytes have been written.
  public var count: Int { bytes.count }

  /// Forgets what was written and keeps the room.
  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  /// Takes back everything behind the first `count` bytes: a message that turned out too long.
  ///
  /// - Parameter count: A length at which a line ended, or 0.
  public mutating func truncate(to count: Int) {
    precondition(count <= bytes.count, "a buffer is cut, not grown")
    bytes.removeLast(bytes.count - count)
    needsComma = false
  }

  /// Ends the line.
  public mutating func endLine() {
    bytes.append(UInt8(ascii: "\n"))
    needsComma = false
  }

  // MARK: - Structure

  /// Opens an object.
  public mutating func beginObject() { open(UInt8(ascii: "{")) }

  /// Closes an object.
  public mutating func endObject() { close(UInt8(ascii: "}")) }

  /// Opens an array.
  public mutating func beginArray() { open(UInt8(ascii: "[")) }

  /// Closes an array.
  public mutating func endArray() { close(UInt8(ascii: "]")) }

  /// Writes the name of the next value.
  ///
  /// - Parameter name: Plain text that needs no escape.
  public mutating func key(_ name: StaticString) {
    bytes.append(comma, quoted: name, UInt8(ascii: ":"))
    needsComma = false
  }

  /// Writes the name of the next value, escaped as it needs.
  @_disfavoredOverload
  public mutating func key(_ name: String) {
    separate()
    quote(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  /// What stands before the next value.
  private var comma: UInt8? { needsComma ? UInt8(ascii: ",") : nil }

  // MARK: - Values

  /// Writes a number.
  public mutating func unsigned(_ value: UInt64) {
    bytes.append(comma, decimal: value)
    needsComma = true
  }

  /// Writes a number.
  public mutating func integer(_ value: Int64) {
    separate()
    bytes.append(value < 0 ? UInt8(ascii: "-") : nil, decimal: value.magnitude)
  }

  /// Writes `true` or `false`.
  public mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

  /// Writes `null`.
  public mutating func null() { raw("null") }

  /// Writes a string, escaped as it needs.
  @_disfavoredOverload
  public mutating func string(_ value: String) {
    separate()
    quote(value)
  }

  /// Writes a string that needs no escape.
  public mutating func string(_ value: StaticString) {
    bytes.append(comma, quoted: value, nil)
    needsComma = true
  }

  /// Writes the string whose UTF-8 is `value`, escaped as it needs.
  ///
  /// - Parameter value: Well-formed UTF-8.
  public mutating func string(utf8 value: [UInt8]) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    for byte in value { append(escaping: byte) }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Writes a value that is JSON already.
  public mutating func raw(_ text: StaticString) {
    separate()
    bytes.append(literal: text)
  }

  /// Writes a value that is JSON already.
  public mutating func raw(_ text: [UInt8]) {
    separate()
    bytes.append(contentsOf: text)
  }

  /// Writes a copy of a value that was read.
  public mutating func value(_ value: JSONValue) {
    separate()
    bytes.append(contentsOf: value.bytes[value.start..<value.end])
  }

  /// Writes a piece of a message that was written before, brackets and commas included; what
  /// follows is not separated from it.
  public mutating func splice(_ piece: [UInt8]) {
    bytes.append(contentsOf: piece)
    needsComma = false
  }

  // MARK: - Parts

  /// Adds bytes as they are, within a value that the caller puts together.
  mutating func append(unseparated byte: UInt8) { bytes.append(byte) }

  /// Begins a value that the caller puts together.
  mutating func beginRawValue() { separate() }

  private mutating func quote(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 { append(escaping: byte) }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func append(escaping byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(byte)
    case 0x08: bytes.append(literal: "\\b")
    case 0x09: bytes.append(literal: "\\t")
    case 0x0A: bytes.append(literal: "\\n")
    case 0x0C: bytes.append(literal: "\\f")
    case 0x0D: bytes.append(literal: "\\r")
    case 0x00..<0x20:
      bytes.append(literal: byte < 0x10 ? "\\u000" : "\\u001")
      let digit = byte & 0x0F
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    default: bytes.append(byte)
    }
  }
}
