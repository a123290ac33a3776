// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl
import UCMKModel

/// A generator that gives the same numbers for the same seed (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

/// Laws that hold for every input; a failure names the seed that shows it.
@Suite("laws")
struct LawTests {
  private static let seeds: [UInt64] = [1, 2, 3, 5, 8, 13, 21, 34]

  private func text(_ generator: inout SeededGenerator) -> String {
    let scalars: [UnicodeScalar] = [
      "a", "\"", "\\", "\n", "\u{0}", "\u{1B}", "\u{7F}", "\u{9F}", "ä", "€", "😀", "\u{2028}",
      "/", " ", "\u{FFFD}", "\u{10FFFF}",
    ]
    let count = Int.random(in: 0...12, using: &generator)
    return (0..<count).reduce(into: "") { text, _ in
      let index = Int.random(in: 0..<scalars.count, using: &generator)
      text.unicodeScalars.append(scalars[index])
    }
  }

  private func value(_ depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
    switch Int.random(in: 0...(depth > 0 ? 7 : 5), using: &generator) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &generator))
    case 2:
      return .integer(
        Int64.random(in: -9_007_199_254_740_991...9_007_199_254_740_991, using: &generator)
      )
    case 3: return .number("-0.50e+7")
    case 4, 5: return .string(text(&generator))
    case 6:
      let count = Int.random(in: 0...4, using: &generator)
      return .array((0..<count).map { _ in value(depth - 1, &generator) })
    default:
      let count = Int.random(in: 0...4, using: &generator)
      return .object(
        (0..<count).map { _ in
          JSONValue.Member(key: text(&generator), value: value(depth - 1, &generator))
        }
      )
    }
  }

  @Test("what is written is read again as it was, on one line and on many", arguments: seeds)
  func roundTrip(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      let value = value(5, &generator)
      #expect(try JSONValue(parsing: value.line) == value, "seed \(seed)")
      #expect(try JSONValue(parsing: value.document) == value, "seed \(seed)")
      #expect(!value.line.utf8.contains(UInt8(ascii: "\n")), "seed \(seed)")
    }
  }

  @Test("no bytes whatever bring the reader down", arguments: seeds)
  func anyBytes(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let template = Array(Samples.compact(Samples.imgd).utf8)
    for _ in 0..<200 {
      var bytes = template
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[index] = UInt8.random(in: 0...255, using: &generator)
      }
      do throws(JSONError) {
        let value = try JSONValue(parsing: bytes)
        #expect(try JSONValue(parsing: value.line) == value, "seed \(seed)")
      } catch {
        #expect(error.offset <= bytes.count, "seed \(seed)")
      }
    }
  }

  @Test("what is shown to people holds nothing that a terminal obeys", arguments: seeds)
  func shown(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      for scalar in printable(text(&generator)).unicodeScalars {
        #expect(scalar.value >= 0x20, "seed \(seed)")
        #expect(!(0x7F...0x9F).contains(scalar.value), "seed \(seed)")
        #expect(scalar != "\u{2028}", "seed \(seed)")
      }
    }
  }

  @Test("a larger size never reads smaller", arguments: seeds)
  func sizes(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let bits = Int.random(in: 0...53, using: &generator)
      let bytes = Int64.random(in: 0...(1 << bits), using: &generator)
      let text = Quantity.size(bytes)
      // What is shown lies within half a tenth of its unit of what is meant.
      let shown = try #require(SizeArgument(argument: text.replacing(" ", with: "")))
      let difference = Int64(shown.bytes.value) - bytes
      #expect(difference.magnitude <= max(1, bytes.magnitude / 19), "seed \(seed): \(bytes)")
    }
  }

  @Test("a table is never wider than it must be", arguments: seeds)
  func tables(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var table = Table([
      .words("NAME", keeping: .start), .numbers("A"), .numbers("B").spare,
      .words("PATH", keeping: .end),
    ])
    for _ in 0..<10 {
      let lengths = [30, 5, 5, 60].map { Int.random(in: 0...$0, using: &generator) }
      table.add(lengths.map { Table.Cell(String(repeating: "x", count: $0)) })
    }
    // 12 + 5 + 12 and two gaps: what no column gives up.
    for width in 33...130 {
      let lines = table.lines(.plain, width: width)
      #expect(lines.count == 11, "seed \(seed)")
      for line in lines { #expect(line.count <= width, "seed \(seed), width \(width)") }
    }
  }

  @Test("an answer is whole, wherever the stream is cut", arguments: [1, 2, 3, 7, 64])
  func pieces(length: Int) throws {
    let daemon = try FakeDaemon(
      ["client.get": [.result(Samples.client)]],
      pieceLength: length
    )
    let run = Run("clients c17 --json", on: daemon)
    #expect(run.status == 0)
    #expect(try JSONValue(parsing: run.output).line == Samples.compact(Samples.client))
  }
}
