// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The text of a Swift or C file with comments apart from code.
///
/// Both have the lines and columns of the file: what belongs to the other, and what strings
/// hold, is blank. Code inside `\(…)` is code.
struct MaskedText {
  private(set) var code: [String]
  private(set) var comments: [String]

  init(_ text: String) {
    var scanner = MaskScanner(bytes: Array(text.utf8))
    scanner.scan()
    code = MaskedText.lines(scanner.code)
    comments = MaskedText.lines(scanner.comments)
  }

  private static func lines(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }
}

/// Goes over the bytes once and copies each to one of the two texts, or to neither.
private struct MaskScanner {
  let bytes: [UInt8]
  var code: [UInt8]
  var comments: [UInt8]
  private var at = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
    code = bytes.map { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
    comments = code
  }

  mutating func scan() {
    while at < bytes.count { scanCode() }
  }

  private func has(_ text: StaticString, at offset: Int = 0) -> Bool {
    let start = at + offset
    guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
    for index in 0..<text.utf8CodeUnitCount
    where unsafe bytes[start + index] != text.utf8Start[index] {
      return false
    }
    return true
  }

  /// Code up to the end, or to the parenthesis that closes an interpolation.
  private mutating func scanCode() {
    var depth = 0
    while at < bytes.count {
      if has("//") {
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { keepComment() }
      } else if has("/*") {
        scanBlockComment()
      } else if let hashes = stringStart() {
        scanString(hashes: hashes)
      } else if has("'") {
        scanCharacter()
      } else {
        if has("(") { depth += 1 }
        if has(")") { depth -= 1 }
        code[at] = bytes[at]
        at += 1
        if depth < 0 { return }
      }
    }
  }

  private mutating func keepComment() {
    comments[at] = bytes[at]
    at += 1
  }

  private mutating func scanBlockComment() {
    var depth = 0
    repeat {
      if has("/*") {
        depth += 1
        keepComment()
      } else if has("*/") {
        depth -= 1
        keepComment()
      }
      if at < bytes.count { keepComment() }
    } while depth > 0 && at < bytes.count
  }

  /// A character literal of C: at most four bytes, so that an apostrophe elsewhere does no harm.
  private mutating func scanCharacter() {
    let end = has("\\", at: 1) ? 3 : 2
    code[at] = bytes[at]
    if has("'", at: end) {
      code[at + end] = bytes[at + end]
      at += end
    }
    at += 1
  }

  /// How many `#` stand before the quote that begins here; nil where no string begins.
  private func stringStart() -> Int? {
    var hashes = 0
    while has("#", at: hashes) { hashes += 1 }
    return has("\"", at: hashes) ? hashes : nil
  }

  private mutating func scanString(hashes: Int) {
    at += hashes
    let quotes = has("\"\"\"") ? 3 : 1
    code[at] = bytes[at]
    at += quotes
    while at < bytes.count {
      if has("\\"), (0..<hashes).allSatisfy({ has("#", at: 1 + $0) }) {
        at += 1 + hashes
        if has("(") {
          code[at] = bytes[at]
          at += 1
          scanCode()
        } else {
          at += 1
        }
      } else if (0..<quotes).allSatisfy({ has("\"", at: $0) }),
        (0..<hashes).allSatisfy({ has("#", at: quotes + $0) })
      {
        code[at] = bytes[at]
        at += quotes + hashes
        return
      } else if quotes == 1, has("\n") {
        return
      } else {
        at += 1
      }
    }
  }
}

/// A word or one punctuation mark of the code.
struct Token: Equatable {
  var text: String
  /// From 1.
  var line: Int
  /// Whether a blank or a line's start stands before it.
  var isSpaced: Bool

  var isWord: Bool { text.utf8.first.map(Token.isWordByte) ?? false }

  static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "@"),
      UInt8(ascii: "$"), 0x80...:
      true
    default: false
    }
  }

  /// The tokens of code without comments and strings.
  static func tokens(of code: [String]) -> [Token] {
    var tokens: [Token] = []
    for (index, line) in code.enumerated() {
      let bytes = Array(line.utf8)
      var at = 0
      while at < bytes.count {
        guard bytes[at] != UInt8(ascii: " "), bytes[at] != UInt8(ascii: "\t") else {
          at += 1
          continue
        }
        let start = at
        at += 1
        if isWordByte(bytes[start]) {
          while at < bytes.count, isWordByte(bytes[at]) { at += 1 }
        }
        tokens.append(
          Token(
            text: String(decoding: bytes[start..<at], as: UTF8.self),
            line: index + 1,
            isSpaced: start == 0 || bytes[start - 1] == UInt8(ascii: " ")
          )
        )
      }
    }
    return tokens
  }
}

/// A Swift file with what the rules look at.
struct SwiftFile {
  let file: TextFile
  let code: [String]
  let comments: [String]
  let tokens: [Token]

  init(_ file: TextFile) {
    self.file = file
    let masked = MaskedText(file.text)
    code = masked.code
    comments = masked.comments
    tokens = Token.tokens(of: masked.code)
  }

  /// A sample for the tests of the rules themselves.
  init(_ path: String, _ text: String) { self.init(TextFile(path, text)) }

  func finding(_ line: Int, _ text: String) -> Finding { file.finding(line, text) }

  /// Where a run of tokens begins.
  func places(of run: [String]) -> [Int] {
    tokens.indices.filter { index in
      index + run.count <= tokens.count
        && run.indices.allSatisfy { tokens[index + $0].text == run[$0] }
    }
  }
}
