// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The rule that what other modules see is explained.
///
/// The formatter demands it of `public` declarations only, this also of `package` ones.
enum DocumentationRules {
  private static let modifiers = [
    "static", "class", "final", "mutating", "nonmutating", "override", "required", "convenience",
    "indirect", "unowned", "weak", "lazy", "nonisolated", "isolated", "borrowing", "consuming",
    "private", "fileprivate", "internal", "package", "public", "set", "unsafe", "prefix", "postfix",
  ]
  private static let kinds = [
    "func", "var", "let", "struct", "class", "enum", "protocol", "actor", "init", "subscript",
    "typealias", "macro",
  ]

  /// Declarations without a `///` line above them.
  ///
  /// One comment may stand above several properties in adjacent lines: they say one thing together.
  static func undocumented(_ source: SwiftFile) -> [Finding] {
    source.code.indices.compactMap { index in
      guard let kind = kind(of: source.code[index]) else { return nil }
      guard !isDocumented(source, index, kind) else { return nil }
      return source.finding(index + 1, "a \(kind) without a comment: say what it is for a caller")
    }
  }

  /// What a line declares for other modules, if it does.
  private static func kind(of line: String) -> String? {
    guard line.contains("public") || line.contains("package") else { return nil }
    var words = Token.tokens(of: [line]).map(\.text)[...]
    var isSeen = false
    while let word = words.first {
      if word == "public" || word == "package" {
        isSeen = true
        // `package(set)` alone opens nothing to others.
        if words.dropFirst().first == "(" { words.removeFirst(4) } else { words.removeFirst() }
      } else if word.hasPrefix("@") || modifiers.contains(word) {
        // `class` also ends the search: `class var` is rare, `class Name` is not.
        if word == "class", !kinds.contains(words.dropFirst().first ?? "") { return "class" }
        words.removeFirst()
        if words.first == "(" {
          guard let close = words.firstIndex(of: ")") else { return nil }
          words = words[(close + 1)...]
        }
      } else {
        return isSeen && kinds.contains(word) ? word : nil
      }
    }
    return nil
  }

  private static func isDocumented(_ source: SwiftFile, _ index: Int, _ kind: String) -> Bool {
    var above = index - 1
    while above >= 0 {
      let text = HygieneRules.trimmed(source.file.lines[above])
      if text.hasPrefix("///") { return true }
      guard text.hasPrefix("@") || text.hasPrefix("// swift-format-ignore") else { break }
      above -= 1
    }
    guard above >= 0, kind == "let" || kind == "var", Self.kind(of: source.code[above]) == kind
    else { return false }
    return isDocumented(source, above, kind)
  }
}
