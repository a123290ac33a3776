// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKProtocol

@Suite("JSON writer")
struct JSONWriterTests {
  @Test("commas come by themselves")
  func commas() {
    let text = written { writer in
      writer.beginObject()
      writer.member("a", 1)
      writer.key("b")
      writer.beginArray()
      writer.unsigned(1)
      writer.beginObject()
      writer.endObject()
      writer.beginArray()
      writer.endArray()
      writer.integer(-2)
      writer.endArray()
      writer.member("c", true)
      writer.key("d")
      writer.null()
      writer.endObject()
    }
    #expect(text == #"{"a":1,"b":[1,{},[],-2],"c":true,"d":null}"#)
  }

  @Test(
    "unsigned numbers are written in full",
    arguments: [
      (0, "0"), (9, "9"), (10, "10"), (99, "99"), (100, "100"), (1_234_567_890, "1234567890"),
      (UInt64.max, "18446744073709551615"),
    ] as [(UInt64, String)]
  )
  func unsigned(number: UInt64, text: String) {
    #expect(written { $0.unsigned(number) } == text)
  }

  @Test(
    "signed numbers are written in full",
    arguments: [
      (0, "0"), (-1, "-1"), (-32_700, "-32700"), (Int64.min, "-9223372036854775808"),
      (Int64.max, "9223372036854775807"),
    ] as [(Int64, String)]
  )
  func signed(number: Int64, text: String) {
    #expect(written { $0.integer(number) } == text)
  }

  @Test(
    "strings are escaped where JSON needs it and nowhere else",
    arguments: [
      ("", #""""#), ("plain", #""plain""#), ("a\"b\\c", #""a\"b\\c""#), ("a/b", #""a/b""#),
      ("\u{8}\u{9}\u{A}\u{C}\u{D}", #""\b\t\n\f\r""#),
      ("\u{0}\u{B}\u{1F}", #""\u0000\u000b\u001f""#),
      ("\u{7F}ä€😀\u{2028}", "\"\u{7F}ä€😀\u{2028}\""),
    ]
  )
  func strings(text: String, expected: String) {
    #expect(written { $0.string(text) } == expected)
    #expect(written { $0.string(utf8: [UInt8](text.utf8)) } == expected)
    #expect(
      written {
        $0.object {
          $0.key(text); $0.null()
        }
      } == "{\(expected):null}"
    )
  }

  @Test("a count above what the wire carries is cut to it")
  func wireMaximum() {
    #expect(written { $0.byteCount(ByteCount(.max)) } == "9007199254740991")
    let text = written {
      $0.object { $0.member("a_ms", milliseconds: TimeSpan(nanoseconds: .max)) }
    }
    #expect(text == #"{"a_ms":18446744073709}"#)
  }

  @Test("members of every type")
  func members() {
    let text = written { writer in
      writer.object { writer in
        writer.member("n", 1)
        writer.member("b", ByteCount(2))
        writer.member("t", "literal")
        writer.member("s", String("string"))
        writer.member("l", PressureLevel.critical)
        writer.member("x", orNull: nil)
        writer.member("y", orNull: ByteCount(3))
        writer.member("ms", milliseconds: .seconds(1))
        writer.member(object: "o") { $0.member("f", false) }
        writer.member(array: "a") { $0.raw("[]") }
        writer.key("r")
        writer.raw([UInt8]("{}".utf8))
      }
    }
    #expect(
      text == #"{"n":1,"b":2,"t":"literal","s":"string","l":"critical","x":null,"y":3,"ms":1000,"#
        + #""o":{"f":false},"a":[[]],"r":{}}"#
    )
  }

  @Test("a value that was read is written as it stood")
  func values() throws {
    let value = try json(#"{"a": [1, 2]}"#)
    #expect(written { $0.value(value) } == #"{"a": [1, 2]}"#)
  }

  @Test("several lines stand one behind the other and the last can be taken back")
  func lines() {
    var writer = JSONWriter(reserving: 64)
    writer.object { _ in }
    writer.endLine()
    let end = writer.count
    writer.beginArray()
    writer.unsigned(1)
    writer.truncate(to: end)
    writer.object { $0.member("a", 1) }
    writer.endLine()
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "{}\n{\"a\":1}\n")
    writer.removeAll()
    #expect(writer.bytes == [])
    writer.bool(false)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "false")
  }
}
