// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UCMKLinux

@Suite("text scanner")
struct TextScannerTests {
  @Test(
    "takes a number only with a key, a separator and an end that it knows",
    arguments: [
      ("Key: 12 kB", 12), ("Key:\t12", 12), ("Key 12", 12), ("Key:12", 12),
      ("Key: 0", 0), ("Key: 00012", 12),
      ("Key: 18446744073709551615", UInt64.max),
      ("Key: 18446744073709551616 kB", UInt64.max),
      ("Key: 99999999999999999999999999", UInt64.max),
      ("Key", nil), ("Key:", nil), ("Key: ", nil), ("Keyed: 12", nil), ("key: 12", nil),
      ("Key: -1", nil), ("Key: 12 MB", nil), ("Key: 12 kBx", nil), ("Key: 1.5", nil),
      ("Key: x12", nil), ("", nil), (" Key: 12", nil),
    ] as [(String, UInt64?)]
  )
  func values(line: String, expected: UInt64?) {
    let bytes = Array(line.utf8)
    #expect(TextScanner.value(of: "Key", bytes.span, line: 0..<bytes.count) == expected)
  }

  @Test(
    "a file of one number is one line and nothing else",
    arguments: [
      ("4096\n", 4096), ("0\n", 0), ("max\n", nil), ("4096", nil), ("", nil), ("\n", nil),
      ("1\n2\n", nil), ("1 \n", nil), ("\u{0}\n", nil),
      ("18446744073709551616\n", UInt64.max),
    ] as [(String, UInt64?)]
  )
  func soleNumber(text: String, expected: UInt64?) {
    let bytes = Array(text.utf8)
    #expect(TextScanner.soleNumber(bytes.span) == expected)
  }

  @Test("a line without its line feed is no line")
  func lines() {
    let bytes = Array("one\n\nthree\ncut".utf8)
    var position = 0
    #expect(TextScanner.nextLine(bytes.span, &position) == 0..<3)
    #expect(TextScanner.nextLine(bytes.span, &position) == 4..<4)
    #expect(TextScanner.nextLine(bytes.span, &position) == 5..<10)
    #expect(TextScanner.nextLine(bytes.span, &position) == nil)
    #expect(position == 11)
  }
}
