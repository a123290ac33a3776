// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Writes JSON Schemas from a short hand: `@name@` stands for a part of `SchemaParts`.
///
/// Written out, the schemas would be too long to read, and references do not work in a list of
/// schemas each of which stands for itself.
enum Schema {
  /// Writes the schema `text` as one value, its parts put in.
  static func write(_ text: StaticString, to writer: inout JSONWriter) {
    writer.beginRawValue()
    append(text, to: &writer)
  }

  private static func append(_ text: StaticString, to writer: inout JSONWriter) {
    var name: [UInt8]?
    for index in 0..<text.utf8CodeUnitCount {
      let byte = unsafe text.utf8Bytes[index]
      if byte != UInt8(ascii: "@") {
        if name == nil { writer.append(unseparated: byte) } else { name?.append(byte) }
      } else if let part = name {
        append(SchemaParts.text(part), to: &writer)
        name = nil
      } else {
        name = []
      }
    }
    precondition(name == nil, "a name in a schema ends with @")
  }
}
