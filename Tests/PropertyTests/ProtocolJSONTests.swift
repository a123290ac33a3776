// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKProtocol
import UCMKTestSupport

@Suite("JSON that is made at random")
struct ProtocolJSONTests {
  /// A value as a tree, to compare with what the views say.
  private indirect enum Tree: Equatable {
    case null, bool(Bool), number(Int64), string(String), array([Tree]), object([String], [Tree])
  }

  private func text(_ random: inout SplitMix64) -> String {
    let ranges: [ClosedRange<UInt32>] = [
      0...0x1F, 0x20...0x7E, 0x22...0x22, 0x5C...0x5C, 0x80...0x7FF, 0x800...0xD7FF,
      0xE000...0xFFFF, 0x10000...0x10FFFF,
    ]
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      let range = ranges[Int.random(in: 0..<ranges.count, using: &random)]
      if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
        text.append(scalar)
      }
    }
    return String(text)
  }

  private func tree(_ depth: Int, _ random: inout SplitMix64) -> Tree {
    switch Int.random(in: 0..<(depth > 0 ? 6 : 4), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .number(Int64.random(in: Int64.min...Int64.max, using: &random))
    case 3: return .string(text(&random))
    case 4:
      return .array(
        (0..<Int.random(in: 0...4, using: &random)).map { _ in tree(depth - 1, &random) }
      )
    default:
      let count = Int.random(in: 0...4, using: &random)
      let keys = (0..<count).map { _ in text(&random) }
      return .object(keys, keys.map { _ in tree(depth - 1, &random) })
    }
  }

  private func write(_ tree: Tree, to writer: inout JSONWriter) {
    switch tree {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .number(let value): writer.integer(value)
    case .string(let value): writer.string(value)
    case .array(let elements):
      writer.beginArray()
      for element in elements { write(element, to: &writer) }
      writer.endArray()
    case .object(let keys, let values):
      writer.beginObject()
      for (key, value) in zip(keys, values) {
        writer.key(key)
        write(value, to: &writer)
      }
      writer.endObject()
    }
  }

  private func read(_ value: JSONValue) throws -> Tree {
    switch value.kind {
    case .null: .null
    case .bool: .bool(value.bool == true)
    case .number: .number(try #require(value.integer))
    case .string: .string(try #require(value.string))
    case .array: .array(try value.elements.map(read))
    case .object:
      .object(
        try value.members.map { try #require($0.key.string) },
        try value.members.map { try read($0.value) }
      )
    }
  }

  @Test("what is written is read again", arguments: 1...10 as ClosedRange<UInt64>)
  func roundTrip(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<200 {
      let tree = tree(5, &random)
      var writer = JSONWriter()
      write(tree, to: &writer)
      let value = try JSONText.parse(writer.bytes, in: 0..<writer.count)
      #expect(try read(value) == tree, "seed \(seed)")
    }
  }

  @Test("white space between tokens changes nothing", arguments: 1...5 as ClosedRange<UInt64>)
  func whiteSpace(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<100 {
      let tree = tree(4, &random)
      var writer = JSONWriter()
      write(tree, to: &writer)
      let bytes = spaced(writer.bytes, &random)
      #expect(try read(JSONText.parse(bytes, in: 0..<bytes.count)) == tree, "seed \(seed)")
    }
  }

  /// The text with white space put in where JSON allows it.
  private func spaced(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var result: [UInt8] = []
    var (inString, escaped) = (false, false)
    func space(_ random: inout SplitMix64) -> [UInt8] {
      (0..<Int.random(in: 0...2, using: &random)).map { _ in
        [0x20, 0x09, 0x0D].randomElement(using: &random) ?? 0x20
      }
    }
    for byte in bytes {
      let isStructure = !inString && [UInt8]("{}[],:".utf8).contains(byte)
      if isStructure { result += space(&random) }
      result.append(byte)
      if isStructure { result += space(&random) }
      if byte == UInt8(ascii: "\""), !escaped { inString.toggle() }
      escaped = inString && byte == UInt8(ascii: "\\") && !escaped
    }
    return space(&random) + result + space(&random)
  }

  @Test("a text cut anywhere but at its end is refused", arguments: 1...5 as ClosedRange<UInt64>)
  func cut(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<40 {
      var writer = JSONWriter()
      writer.beginObject()
      writer.key(text(&random))
      write(tree(3, &random), to: &writer)
      writer.endObject()
      for end in 0..<writer.count {
        #expect(throws: JSONSyntaxError.self, "seed \(seed)") {
          try JSONText.validate(writer.bytes, in: 0..<end)
        }
      }
    }
  }

  @Test("every scalar spelled as escapes is the same text", arguments: 1...5 as ClosedRange<UInt64>)
  func escapes(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<300 {
      let text = text(&random)
      let spelled = text.utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
      let value = try JSONText.parse("\"\(spelled.joined())\"")
      #expect(value.string == text, "seed \(seed)")
      #expect(value.utf8Count == text.utf8.count, "seed \(seed)")
    }
  }
}
