// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Code apart from comments")
struct SwiftTextTests {
  @Test(
    "comments and what strings hold are blank in the code",
    arguments: [
      ("a // b", "a     "), ("a /* b */ c", "a         c"),
      ("a /* b /* c */ d */ e", "a                   e"),
      ("f(\"b\")", "f(\" \")"), ("f(\"// b\")", "f(\"    \")"), ("\"\\\"a\" b", "\"   \" b"),
      ("\"a\\(b(\"c\"))d\"", "\"  (b(\" \")) \""), ("#\"a\"b\"# c", " \"   \"  c"),
      ("#expect(a)", "#expect(a)"), ("'\"' a", "' ' a"), ("#if a", "#if a"),
      ("\"\"\"\na \"b\" // c\n\"\"\" d", "\"  \n          \n\"   d"),
      ("\"open\nb", "\"    \nb"),
    ]
  )
  func code(text: String, expected: String) {
    let code = MaskedText(text).code.joined(separator: "\n")
    #expect(trimmedEnds(code) == trimmedEnds(expected))
  }

  /// Lines without the blanks at their ends.
  private func trimmedEnds(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var line = line
      while line.last == " " { line.removeLast() }
      return String(line)
    }
  }

  @Test("comments keep their lines and columns")
  func comments() {
    let masked = MaskedText("a // b\n\"// c\"\n/* d\ne */ f")
    #expect(trimmedEnds(masked.comments.joined(separator: "\n")) == ["  // b", "", "/* d", "e */"])
  }

  @Test("tokens are words and single marks with their lines")
  func tokens() {
    let tokens = Token.tokens(of: ["let a_1 = b?.c", "  @x $0"])
    #expect(tokens.map(\.text) == ["let", "a_1", "=", "b", "?", ".", "c", "@x", "$0"])
    #expect(tokens.map(\.line) == [1, 1, 1, 1, 1, 1, 1, 2, 2])
    #expect(tokens.map(\.isSpaced) == [true, true, true, true, false, false, false, true, true])
  }
}
