// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The rules about what has no place in a source file.
enum HygieneRules {
  /// Words that mean that something is not finished.
  private static let unfinished = ["TODO", "FIXME", "XXX", "HACK"]

  /// Constructs that hide an error or a crash.
  private static let constructs: [(run: [String], instead: String)] = [
    (["try", "?"], "`try?` drops the error: catch it and say what follows"),
    (["try", "!"], "`try!` crashes: catch, or `preconditionFailure` with a sentence"),
    (["as", "!"], "`as!` crashes: use `as?` and say what follows"),
    (["_", "=", "try"], "a result nobody looks at: use it, or let the function return nothing"),
    (["fatalError"], "use `preconditionFailure` with a sentence"),
  ]

  /// Modules that may write to standard output by themselves.
  private static let printing = [
    "ucmkd", "ucmkctl", "ucmk-demo", "ucmk-digest", "UCMKBench",
    "UCMKTestSupport",
  ]

  /// Banned constructs in a file of `Sources`.
  static func constructs(_ source: SwiftFile) -> [Finding] {
    guard let module = source.file.module else { return [] }
    var findings: [Finding] = []
    for construct in constructs {
      // `try !isDone()` is no `try!`.
      for place in source.places(of: construct.run)
      where !["?", "!"].contains(construct.run.last) || !source.tokens[place + 1].isSpaced {
        findings.append(source.finding(source.tokens[place].line, construct.instead))
      }
    }
    if !printing.contains(module) {
      for place in source.places(of: ["print", "("])
      where place == 0 || ![".", "func"].contains(source.tokens[place - 1].text) {
        findings.append(
          source.finding(source.tokens[place].line, "`print`: return the text, or log it")
        )
      }
    }
    return findings + emptyCatches(source)
  }

  private static func emptyCatches(_ source: SwiftFile) -> [Finding] {
    source.places(of: ["catch"]).compactMap { place in
      let tokens = source.tokens
      guard let open = tokens[place...].firstIndex(where: { $0.text == "{" }),
        open + 1 < tokens.count, tokens[open + 1].text == "}"
      else { return nil }
      return source.finding(tokens[place].line, "an empty `catch`: say what follows of the error")
    }
  }

  /// Comments that promise work.
  static func unfinished(_ source: SwiftFile) -> [Finding] {
    source.comments.enumerated().compactMap { index, comment in
      let words = Token.tokens(of: [comment]).map(\.text)
      guard let word = unfinished.first(where: words.contains) else { return nil }
      return source.finding(index + 1, "\(word) in a comment: do it, or open an issue")
    }
  }

  /// Comments that look like code.
  static func deadCode(_ source: SwiftFile) -> [Finding] {
    source.comments.enumerated().compactMap { index, comment in
      let text = trimmed(comment)
      guard text.hasPrefix("//"), !text.hasPrefix("///") else { return nil }
      guard looksLikeCode(trimmed(String(text.dropFirst(2)))) else { return nil }
      return source.finding(index + 1, "code in a comment: remove it, the history keeps it")
    }
  }

  private static func looksLikeCode(_ text: String) -> Bool {
    if text.hasSuffix("{") || text == "}" || text.hasSuffix(";") { return true }
    let words = Token.tokens(of: [text]).map(\.text)
    guard let first = words.first else { return false }
    switch first {
    case "let", "var": return words.contains("=") || words.contains(":")
    case "func", "import", "struct", "guard": return words.count > 1 && !text.hasSuffix(".")
    case "return": return words.count == 2
    default:
      // A call and nothing else: `name(…)`.
      return words.count > 2 && words[1] == "(" && words.last == ")" && text.first != "("
        && !text.contains(" (")
    }
  }

  private static let banned = [
    "util", "utils", "utility", "utilities", "helper", "helpers", "manager", "managers", "common",
    "misc", "stuff",
  ]
  /// systemd's own word for itself.
  private static let permitted = "ServiceManager"

  /// Names of files and types that say nothing.
  static func names(_ source: SwiftFile) -> [Finding] {
    var named: [(name: String, line: Int)] = [
      (source.file.name.split(separator: ".").first.map(String.init) ?? "", 1)
    ]
    for (index, token) in source.tokens.enumerated().dropLast()
    where ["struct", "class", "enum", "protocol", "actor", "typealias"].contains(token.text) {
      named.append((source.tokens[index + 1].text, token.line))
    }
    return named.compactMap { name, line in
      let own = name.split(separator: permitted).joined()
      guard let word = words(of: own).first(where: banned.contains) else { return nil }
      return source.finding(line, "\"\(word)\" in \(name) says nothing; name what it does")
    }
  }

  /// The words of a name in camel case, in small letters: `JSONValue_of` is json, value and of.
  static func words(of name: String) -> [String] {
    var words = [""]
    let characters = Array(name)
    for (index, character) in characters.enumerated() {
      guard character.isLetter else {
        words.append("")
        continue
      }
      let isAfterSmall = index > 0 && characters[index - 1].isLowercase
      let isBeforeSmall = index + 1 < characters.count && characters[index + 1].isLowercase
      if character.isUppercase, isAfterSmall || isBeforeSmall { words.append("") }
      words[words.count - 1] += character.lowercased()
    }
    return words.filter { !$0.isEmpty }
  }

  /// Files that should have gone.
  static func leftovers(_ file: TextFile) -> [Finding] {
    let endings = [".orig", ".rej", ".bak", ".swp", "~"]
    guard file.name.hasPrefix("Placeholder") || endings.contains(where: file.name.hasSuffix) else {
      return []
    }
    return [file.finding(1, "a leftover: remove it")]
  }

  /// Files of code without the two lines of the licence.
  static func licences(_ file: TextFile) -> [Finding] {
    let isManual = file.path.hasPrefix("docs/man/")
    let suffixes = ["swift", "c", "h", "modulemap"]
    guard
      suffixes.contains(file.suffix) || file.isScript || isManual || file.name == "Makefile"
    else { return [] }
    // Behind `#!` or the version of the tools.
    let head = file.lines.prefix(4)
    guard head.contains(where: { $0.hasSuffix("SPDX-FileCopyrightText: The ucmkd authors") }),
      head.contains(where: { $0.hasSuffix("SPDX-License-Identifier: Apache-2.0") })
    else { return [file.finding(1, "no SPDX header; copy the two lines of another file")] }
    return []
  }

  /// `text` without blanks at its ends.
  static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
