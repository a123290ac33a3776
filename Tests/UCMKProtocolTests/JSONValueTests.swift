// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKProtocol

@Suite("JSON values")
struct JSONValueTests {
  @Test("kinds are told by the first byte")
  func kinds() throws {
    #expect(try json(" {}").kind == .object)
    #expect(try json("[]").kind == .array)
    #expect(try json("\"\"").kind == .string)
    #expect(try json("-1").kind == .number)
    #expect(try json("true").kind == .bool)
    #expect(try json("false").kind == .bool)
    #expect(try json("null").kind == .null)
    #expect(try json("null").isNull)
  }

  @Test(
    "unsigned numbers",
    arguments: [
      ("0", 0), ("-0", 0), ("7", 7), ("9007199254740991", 9_007_199_254_740_991),
      ("18446744073709551615", UInt64.max), ("18446744073709551616", nil), ("-1", nil),
      ("1.0", nil), ("1e3", nil), ("1E3", nil), ("0.0", nil), ("0e0", nil), ("true", nil),
      ("\"1\"", nil), ("99999999999999999999999999", nil), ("null", nil), ("[]", nil),
    ] as [(String, UInt64?)]
  )
  func unsigned(text: String, expected: UInt64?) throws {
    #expect(try json(text).unsigned == expected)
  }

  @Test(
    "signed numbers",
    arguments: [
      ("0", 0), ("-0", 0), ("-1", -1), ("-32700", -32_700),
      ("9223372036854775807", Int64.max), ("9223372036854775808", nil),
      ("-9223372036854775808", Int64.min), ("-9223372036854775809", nil), ("-1.0", nil),
    ] as [(String, Int64?)]
  )
  func signed(text: String, expected: Int64?) throws {
    #expect(try json(text).integer == expected)
  }

  @Test("truth values")
  func bools() throws {
    #expect(try json("true").bool == true)
    #expect(try json("false").bool == false)
    #expect(try json("null").bool == nil)
    #expect(try json("1").bool == nil)
  }

  @Test(
    "strings with their escapes resolved",
    arguments: [
      (#""""#, ""), (#""plain""#, "plain"), (#""\"\\\/""#, "\"\\/"),
      (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"), (#""\u0041\u00e4\u20AC""#, "Aä€"),
      (#""\ud83d\ude00!""#, "😀!"), (#""\u0000""#, "\u{0}"), ("\"ä€😀\"", "ä€😀"),
      (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), (#""\u07ff\u0800""#, "\u{7FF}\u{800}"),
    ]
  )
  func strings(text: String, expected: String) throws {
    let value = try json(text)
    #expect(value.string == expected)
    #expect(value.utf8Count == expected.utf8.count)
  }

  @Test("what is no string has no text")
  func noString() throws {
    #expect(try json("12").string == nil)
    #expect(try json("12").utf8Count == nil)
    #expect(try json("12").stringEquals("12") == false)
  }

  @Test("a string is compared as what it means, not as it is spelled")
  func equality() throws {
    #expect(try json(#""id""#).stringEquals("id"))
    #expect(try json(#""\u0069d""#).stringEquals("id"))
    #expect(try json(#""i\u0064""#).stringEquals("id"))
    #expect(try json(#""cache\u002ereport""#).stringEquals("cache.report"))
    #expect(try json(#""\/""#).stringEquals("/"))
    #expect(try json(#""""#).stringEquals(""))
    #expect(try json(#""i""#).stringEquals("id") == false)
    #expect(try json(#""ids""#).stringEquals("id") == false)
    #expect(try json(#""iD""#).stringEquals("id") == false)
    #expect(try json(#""\u0069""#).stringEquals("id") == false)
    #expect(try json(#""\u0069ds""#).stringEquals("id") == false)
    #expect(try json(#""x""#).stringEquals("") == false)
  }

  @Test("members come in the order of the text and the last duplicate wins")
  func members() throws {
    let object = try json(#" { "a" : 1 , "b":[ 1 , {"a":2} ],"c":"}," , "a":{ "x" : 3 } } "#)
    #expect(object.members.map { $0.key.string } == ["a", "b", "c", "a"])
    #expect(object.member("a")?.member("x")?.unsigned == 3)
    #expect(object.member("b")?.elements.map(\.kind) == [.number, .object])
    #expect(object.member("c")?.string == "},")
    #expect(object.member("d") == nil)
  }

  @Test("a key may be spelled with escapes")
  func escapedKey() throws {
    #expect(try json(#"{"\u0061":1}"#).member("a")?.unsigned == 1)
    #expect(try json(#"{"a":1,"\u0061":2}"#).member("a")?.unsigned == 2)
    #expect(try json(#"{"a\"":1}"#).member("a") == nil)
  }

  @Test("elements are walked one by one")
  func elements() throws {
    let list = try json(#"[ 1,"]", [2,[3]] ,{},null , -4 ]"#)
    #expect(list.elements.map(\.rawText) == ["1", "\"]\"", "[2,[3]]", "{}", "null", "-4"])
    #expect(list.elementCount == 6)
    #expect(try json("[]").elementCount == 0)
    #expect(try json("[ ]").elementCount == 0)
  }

  @Test("what is no object has no members, what is no array no elements")
  func otherKinds() throws {
    for text in ["1", "\"a\"", "null", "[1]"] {
      #expect(try json(text).members.map(\.value.rawText) == [])
      #expect(try json(text).member("a") == nil)
    }
    for text in ["1", "\"a\"", "null", "{\"a\":1}"] {
      #expect(try json(text).elementCount == 0)
    }
  }

  @Test("a view outlives the buffer's next use")
  func copyOnWrite() throws {
    var bytes = [UInt8]("[1,2]".utf8)
    let value = try JSONText.parse(bytes, in: 0..<5)
    bytes[1] = UInt8(ascii: "9")
    #expect(value.rawText == "[1,2]")
    #expect(value.range == 0..<5)
    #expect(String(decoding: bytes, as: UTF8.self) == "[9,2]")
  }
}
