// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Members of an object in one call each.
extension JSONWriter {
  /// Writes a member that is a number.
  public mutating func member(_ name: StaticString, _ value: UInt64) {
    key(name)
    unsigned(value)
  }

  /// Writes a member that is a count of bytes, cut to what the wire can carry.
  public mutating func member(_ name: StaticString, _ value: ByteCount) {
    key(name)
    byteCount(value)
  }

  /// Writes a member that is a truth value.
  public mutating func member(_ name: StaticString, _ value: Bool) {
    key(name)
    bool(value)
  }

  /// Writes a member that is a string, escaped as it needs.
  @_disfavoredOverload
  public mutating func member(_ name: StaticString, _ value: String) {
    key(name)
    string(value)
  }

  /// Writes a member that is a string which needs no escape.
  public mutating func member(_ name: StaticString, _ value: StaticString) {
    key(name)
    string(value)
  }

  /// Writes a member that is a length of time in whole milliseconds.
  public mutating func member(_ name: StaticString, milliseconds value: TimeSpan) {
    key(name)
    unsigned(min(value.milliseconds, ByteCount.wireMaximum.value))
  }

  /// Writes a member that is a level, by its word.
  public mutating func member(_ name: StaticString, _ value: PressureLevel) {
    key(name)
    string(value.wireName)
  }

  /// Writes a member that is a count of bytes or `null`.
  public mutating func member(_ name: StaticString, orNull value: ByteCount?) {
    key(name)
    if let value { byteCount(value) } else { null() }
  }

  /// Writes a count of bytes, cut to what the wire can carry.
  public mutating func byteCount(_ value: ByteCount) {
    unsigned(min(value, ByteCount.wireMaximum).value)
  }

  /// Writes a member that is an object, whose members `body` writes.
  public mutating func member(object name: StaticString, _ body: (inout JSONWriter) -> Void) {
    key(name)
    object(body)
  }

  /// Writes an object, whose members `body` writes.
  public mutating func object(_ body: (inout JSONWriter) -> Void) {
    beginObject()
    body(&self)
    endObject()
  }

  /// Writes a member that is an array, whose elements `body` writes.
  public mutating func member(array name: StaticString, _ body: (inout JSONWriter) -> Void) {
    key(name)
    beginArray()
    body(&self)
    endArray()
  }
}

extension PressureLevel {
  /// The word on the wire, as a literal: writing it takes no memory.
  var wireName: StaticString {
    switch self {
    case .none: "none"
    case .low: "low"
    case .medium: "medium"
    case .critical: "critical"
    }
  }
}
