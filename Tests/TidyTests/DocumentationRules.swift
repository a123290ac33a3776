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

  /// Requirements of protocols that say what they are: nothing can be added where they are met.
  ///
  /// Those of ArgumentParser stand in every command of `ucmkctl`, and so does `execute`, which
  /// `ControlCommand` explains once.
  private static let witnesses = [
    "var description: String", "package static let configuration = CommandConfiguration(",
    "package func execute(in context: ControlContext)", "package func validate()",
    "init(stringLiteral ", "init(integerLiteral ", "init(booleanLiteral ", "init(arrayLiteral ",
    "init(dictionaryLiteral ",
  ]

  /// Declarations without a `///` line above them.
  ///
  /// One comment may stand above several properties in adjacent lines: they say one thing together.
  /// The help text of an option of the command line is its comment.
  static func undocumented(_ source: SwiftFile) -> [Finding] {
    source.code.indices.compactMap { index in
      let line = source.code[index]
      guard let kind = kind(of: line), !witnesses.contains(where: line.contains) else { return nil }
      // `init()` of a command does nothing but be there for ArgumentParser.
      if source.file.module == "UCMKControl", line.contains("package init() {}") { return nil }
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
    if source.file.lines[index].contains("help: ") || source.code[index].contains("@OptionGroup") {
      return true
    }
    var above = index - 1
    while above >= 0 {
      let text = HygieneRules.trimmed(source.file.lines[above])
      if text.hasPrefix("///") { return true }
      if let start = attributeStart(source, above) {
        if source.file.lines[start...above].contains(where: { $0.contains("help: ") }) {
          return true
        }
        above = start - 1
      } else if text.hasPrefix("// swift-format-ignore") {
        above -= 1
      } else {
        break
      }
    }
    guard above >= 0, kind == "let" || kind == "var", Self.kind(of: source.code[above]) == kind
    else { return false }
    return isDocumented(source, above, kind)
  }

  /// The line where the attribute begins that ends in line `end`, if one does.
  private static func attributeStart(_ source: SwiftFile, _ end: Int) -> Int? {
    var balance = 0
    for line in stride(from: end, through: 0, by: -1) {
      let text = HygieneRules.trimmed(source.code[line])
      balance += text.count { $0 == ")" } - text.count { $0 == "(" }
      guard balance > 0 else { return text.hasPrefix("@") ? line : nil }
    }
    return nil
  }
}
