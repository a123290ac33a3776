// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl

@Suite("the tree of JSON")
struct JSONTests {
  @Test(
    "what is read is written again, member by member",
    arguments: [
      "null", "true", "false", "0", "-1", "9007199254740991", "9223372036854775807",
      "-9223372036854775808", "1.50", "1e3", "-0.5E-7", "18446744073709551616", "\"\"",
      "\"a b\"", "[]", "{}", "[1,[2,[]],{}]", #"{"b":1,"a":2,"B":{"z":null,"y":[true]}}"#,
      #"{"a":1,"a":2}"#, #""\"\\\n\t\r""#, #""\u0000\u001b\u007f\u009f""#, "\"ä€😀\"",
    ]
  )
  func identity(text: String) throws {
    #expect(try JSONValue(parsing: text).line == text)
  }

  @Test("a document has two spaces a level and keeps the order")
  func document() throws {
    let value = try JSONValue(parsing: #" { "b" : [ 1 , {"c":null} ] , "a" : {} , "d":[] } "#)
    #expect(
      value.document == """
        {
          "b": [
            1,
            {
              "c": null
            }
          ],
          "a": {},
          "d": []
        }
        """
    )
  }

  @Test(
    "escapes are understood",
    arguments: [
      (#""\u0041\u00e4\u20AC""#, "Aä€"), (#""\ud83d\ude00""#, "😀"),
      (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
    ]
  )
  func escapes(text: String, meaning: String) throws {
    #expect(try JSONValue(parsing: text).string == meaning)
  }

  @Test(
    "what is no JSON is refused with its place",
    arguments: [
      ("", 0), (" ", 1), ("{", 1), ("[1,]", 3), ("[1 2]", 3), ("{\"a\"}", 4), ("{\"a\":}", 5),
      ("{a:1}", 1), ("{\"a\":1,}", 7), ("01", 2), ("-", 1), ("1.", 2), ("1e", 2), ("+1", 0),
      ("nul", 0), ("\"", 1), ("\"\\x\"", 3), ("\"\\u12\"", 3), ("\"\\ud83d\"", 7),
      ("\"\\udc00\"", 7), ("\"\\ud83d\\u0041\"", 13), ("\"a\nb\"", 3), ("1 2", 2), ("NaN", 0),
      ("{} x", 3),
    ]
  )
  func refused(text: String, offset: Int) {
    #expect {
      try JSONValue(parsing: text)
    } throws: { error in
      (error as? JSONError)?.offset == offset
    }
  }

  @Test("bytes that are no UTF-8 are refused")
  func noUTF8() {
    #expect(throws: JSONError(text: "a string is no UTF-8", offset: 4)) {
      try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22])
    }
  }

  @Test("nesting ends at 64")
  func depth() throws {
    let deepest = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(try JSONValue(parsing: deepest).line == deepest)
    #expect(throws: JSONError(text: "nested too deep", offset: 64)) {
      try JSONValue(parsing: "[" + deepest + "]")
    }
  }

  @Test("reading a member that is not there gives null")
  func lenient() throws {
    let value = try JSONValue(parsing: #"{"a":{"b":7},"s":"x","t":true,"a2":[1]}"#)
    #expect(value["a"]["b"].integer == 7)
    #expect(value["a"]["c"]["d"].isNull)
    #expect(value["s"]["b"].isNull)
    #expect(value["s"].integer == nil)
    #expect(value["t"].bool == true)
    #expect(value["a2"].items == [1])
    #expect(value["s"].items.isEmpty)
    #expect(value["a"].members.map(\.key) == ["b"])
  }

  @Test("every text cut short is refused, none is misread")
  func cutShort() throws {
    let text = Samples.compact(Samples.status)
    let bytes = Array(text.utf8)
    for end in 0..<bytes.count {
      #expect(throws: JSONError.self) { try JSONValue(parsing: Array(bytes[..<end])) }
    }
    #expect(try JSONValue(parsing: bytes).line == text)
  }

  @Test("optional params are left out, and one may be replaced")
  func building() {
    let value = JSONValue.object(skippingNull: [("a", 1), ("b", nil), ("c", "x")])
    #expect(value.line == #"{"a":1,"c":"x"}"#)
    #expect(value.replacing("a", with: [true]).line == #"{"a":[true],"c":"x"}"#)
    #expect(value.replacing("d", with: .null).line == #"{"a":1,"c":"x","d":null}"#)
  }
}
