// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The rules about how long things are.
enum SizeRules {
  static let linesMaximum = 400, functionMaximum = 60, columnsMaximum = 100

  /// Files above 400 lines.
  static func files(_ file: TextFile) -> [Finding] {
    let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
    guard count > linesMaximum else { return [] }
    return [
      file.finding(count, "\(count) lines, at most \(linesMaximum); split it by what it decides")
    ]
  }

  /// Lines above 100 columns.
  ///
  /// A line that is nothing but a literal may be as wide as it is: a message, a file of the kernel.
  static func columns(_ source: SwiftFile) -> [Finding] {
    source.file.lines.enumerated().compactMap { index, line in
      guard line.utf8.count > columnsMaximum, line.count > columnsMaximum else { return nil }
      let rest = source.code[index] + source.comments[index]
      guard rest.contains(where: { !" \",".contains($0) }) else { return nil }
      return source.finding(index + 1, "\(line.count) columns, at most \(columnsMaximum); break it")
    }
  }

  /// Functions above 60 lines, from the line of `func` to that of the last brace.
  static func functions(_ source: SwiftFile) -> [Finding] {
    let tokens = source.tokens
    return tokens.indices.compactMap { index in
      guard let open = bodyStart(tokens, of: index), let close = end(tokens, of: open) else {
        return nil
      }
      let count = tokens[close].line - tokens[index].line + 1
      guard count > functionMaximum else { return nil }
      return source.finding(
        tokens[index].line,
        "a function of \(count) lines, at most \(functionMaximum); let one part decide and "
          + "others compute"
      )
    }
  }

  /// The same for C: from the brace in the first column's function to its end.
  static func functionsOfC(_ file: TextFile) -> [Finding] {
    let tokens = Token.tokens(of: MaskedText(file.text).code)
    var depth = 0
    var start = 0
    var findings: [Finding] = []
    for token in tokens {
      if token.text == "{" {
        if depth == 0 { start = token.line }
        depth += 1
      } else if token.text == "}" {
        depth -= 1
        let count = token.line - start + 1
        if depth == 0, count > functionMaximum {
          findings.append(
            file.finding(start, "a body of \(count) lines, at most \(functionMaximum); split it")
          )
        }
      }
    }
    return findings
  }

  private static let declarations = [
    "func", "init", "deinit", "subscript", "var", "let", "case", "extension", "struct", "enum",
    "class", "protocol", "typealias", "associatedtype", "import",
  ]

  /// Where the body of the function that is declared here begins, if one is.
  private static func bodyStart(_ tokens: [Token], of index: Int) -> Int? {
    let token = tokens[index]
    let previous = index > 0 ? tokens[index - 1].text : ""
    guard ["func", "init", "deinit", "subscript", "var"].contains(token.text), previous != "."
    else { return nil }
    // `init` is also a name of calls; only a declaration has parameters or `?` next to it.
    var depth = 0
    for next in tokens.indices[(index + 1)...] {
      let text = tokens[next].text
      switch text {
      case "(", "[": depth += 1
      case ")", "]", "}":
        depth -= 1
        if depth < 0 { return nil }
      case "{":
        if depth == 0 { return next }
        depth += 1
      case "=" where depth == 0 && token.text == "var": return nil
      case _ where depth == 0 && declarations.contains(text) && next > index + 1: return nil
      default: continue
      }
    }
    return nil
  }

  private static func end(_ tokens: [Token], of open: Int) -> Int? {
    var depth = 0
    for index in tokens.indices[open...] {
      if tokens[index].text == "{" { depth += 1 }
      if tokens[index].text == "}" {
        depth -= 1
        if depth == 0 { return index }
      }
    }
    return nil
  }
}
