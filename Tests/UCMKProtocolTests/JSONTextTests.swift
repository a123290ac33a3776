// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKProtocol

@Suite("JSON texts")
struct JSONTextTests {
  /// Where the check stops, or nil where the text is right.
  private func offset(_ bytes: [UInt8]) -> Int? {
    do throws(JSONSyntaxError) {
      try JSONText.validate(bytes, in: 0..<bytes.count)
      return nil
    } catch {
      return error.offset
    }
  }

  @Test(
    "what RFC 8259 allows passes",
    arguments: [
      "0", "-0", "1", "-1", "10", "0.5", "-0.5", "1e3", "1E3", "1e+3", "1e-3", "1.25E-07",
      "123456789012345678901234567890", "true", "false", "null", "\"\"", "\"a\"", "[]", "{}",
      "[1]", "[1,2]", "[[],{}]", " { } ", "\t[ 1 , 2 ]\r", "{\"a\":1}", "{\"a\":{\"b\":[true]}}",
      "{\"a\":1,\"a\":2}", "{\"\":0}", #""\"\\\/\b\f\n\r\t""#, #""\u0000\u001f\uffff\uFFFF""#,
      #""\ud83d\ude00""#, "\"äöü€😀\"", "\"\u{7F}\"", "\"\u{2028}\u{2029}\"", "[\"\u{10FFFF}\"]",
    ]
  )
  func valid(text: String) {
    #expect(offset([UInt8](text.utf8)) == nil)
  }

  @Test(
    "what RFC 8259 forbids is refused at its first wrong byte",
    arguments: [
      ("", 0), (" ", 1), ("nul", 3), ("nulL", 3), ("True", 0), ("truee", 4), ("NaN", 0),
      ("Infinity", 0), ("+1", 0), ("-", 1), ("-a", 1), ("01", 1), ("-01", 2), ("1.", 2),
      (".5", 0), ("1e", 2), ("1e+", 3), ("1.e3", 2), ("0x10", 1), ("1 2", 2), ("[", 1),
      ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("]", 0), ("[}", 1),
      ("{", 1), ("{\"a\"", 4), ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,}", 7),
      ("{\"a\" 1}", 5), ("{a:1}", 1), ("{1:1}", 1), ("{\"a\":1]", 6), ("{,}", 1), ("{'a':1}", 1),
      ("\"", 1), ("\"a", 2), ("\"\\", 2), ("\"\\x\"", 2), ("\"\\u12\"", 5), ("\"\\u12g4\"", 5),
      ("\"\n\"", 1), ("\"\t\"", 1), ("\"\u{0}\"", 1), ("\"\u{1F}\"", 1), ("// a\n1", 0),
      ("[1]x", 3), ("{}{}", 2), ("\u{FEFF}1", 0), ("1\u{0}", 1), ("\u{A0}1", 0),
    ]
  )
  func invalid(text: String, at expected: Int) {
    #expect(offset([UInt8](text.utf8)) == expected)
  }

  @Test(
    "an escaped surrogate needs its partner",
    arguments: [
      (#""\ud83d""#, 1), (#""\ude00""#, 1), (#""\ud83d\ud83d""#, 1), (#""\ud83dx""#, 1),
      (#""\ud83d\n""#, 1), (#""a\ude00\ud83d""#, 2), (#""\uDBFF\u0041""#, 1),
    ]
  )
  func surrogates(text: String, at expected: Int) {
    #expect(offset([UInt8](text.utf8)) == expected)
  }

  @Test(
    "UTF-8 must be well formed",
    arguments: [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80],
      [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xE2, 0x82, 0x41], [0xED, 0xA0, 0x80],
      [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
      [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ] as [[UInt8]]
  )
  func malformedUTF8(sequence: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    #expect(offset([quote, 0x41] + sequence + [quote]) == 2)
  }

  @Test(
    "the edges of UTF-8 pass",
    arguments: [
      [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80],
      [0xEF, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
    ] as [[UInt8]]
  )
  func wellFormedUTF8(sequence: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    #expect(offset([quote] + sequence + [quote]) == nil)
  }

  @Test("sixteen levels pass and the seventeenth is refused where it opens")
  func depth() {
    func nested(_ open: String, _ close: String, _ levels: Int) -> [UInt8] {
      let text =
        String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)
      return [UInt8](text.utf8)
    }
    #expect(offset(nested("[", "]", 16)) == nil)
    #expect(offset(nested("[", "]", 17)) == 16)
    #expect(offset(nested("{\"a\":", "}", 16)) == nil)
    #expect(offset(nested("{\"a\":", "}", 17)) == 80)
    #expect(offset([UInt8](String(repeating: "[", count: 60_000).utf8)) == 16)
  }

  @Test("brackets side by side and in strings are no depth")
  func breadth() {
    #expect(offset([UInt8]("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]".utf8)) == nil)
    #expect(offset([UInt8](#"["[[[[[[[[[[[[[[[[[[[[[["]"#.utf8)) == nil)
  }

  @Test("the offset counts from the start of the line, not of the buffer")
  func offsetInLine() {
    let bytes = [UInt8]("{}\n[1,]\n".utf8)
    #expect(throws: JSONSyntaxError(offset: 3)) { try JSONText.validate(bytes, in: 3..<7) }
    #expect(throws: JSONSyntaxError(offset: 0)) { try JSONText.validate(bytes, in: 3..<3) }
    #expect(throws: Never.self) { try JSONText.validate(bytes, in: 0..<2) }
  }

  @Test("a value of the next line is not looked at")
  func rangeEnds() {
    let bytes = [UInt8]("12345".utf8)
    #expect(throws: Never.self) { try JSONText.validate(bytes, in: 1..<3) }
    let cut = [UInt8]("\"é\"".utf8)
    #expect(throws: JSONSyntaxError(offset: 1)) { try JSONText.validate(cut, in: 0..<2) }
  }
}
