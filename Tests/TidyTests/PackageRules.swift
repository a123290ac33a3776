// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Package.swift and the module table of the documents against the layers.
enum PackageRules {
  /// Where Package.swift and the layers differ.
  static func differences(_ file: TextFile, _ layers: [Layer]) -> [Finding] {
    let targets = targets(of: file)
    var findings: [Finding] = []
    for target in targets {
      guard let layer = layers.first(where: { $0.module == target.name }) else {
        findings.append(
          file.finding(target.line, "\(target.name) has no layer; add it to Layer.all")
        )
        continue
      }
      guard target.dependencies.sorted() != layer.own.sorted() else { continue }
      findings.append(
        file.finding(
          target.line,
          "\(target.name) depends on \(list(target.dependencies)), "
            + "its layer says \(list(layer.own))"
        )
      )
    }
    for layer in layers where !targets.contains(where: { $0.name == layer.module }) {
      findings.append(file.finding(1, "layer \(layer.module) has no target"))
    }
    return findings
  }

  /// Where the page's table of modules and the layers differ.
  static func tableDifferences(_ page: TextFile, _ layers: [Layer]) -> [Finding] {
    guard
      let head = page.lines.firstIndex(where: { cells($0).dropFirst().first == "may import" })
    else { return [page.finding(1, "the page has no table with a column \"may import\"")] }
    var findings: [Finding] = []
    var seen: [String] = []
    for index in (head + 2)..<page.lines.count {
      let row = cells(page.lines[index])
      guard row.count > 1 else { break }
      let names = quoted(row[0], by: "`")
      for name in names {
        seen.append(name)
        let imports = quoted(row[1], by: "`").filter { name in
          layers.contains { $0.module == name } || !isOutside(name)
        }
        guard let layer = layers.first(where: { $0.module == name }) else {
          findings.append(page.finding(index + 1, "\(name) is no module"))
          continue
        }
        guard imports.sorted() != layer.own.sorted() else { continue }
        findings.append(
          page.finding(
            index + 1,
            "\(name) may import \(list(imports)) here, \(list(layer.own)) by its layer"
          )
        )
      }
    }
    for layer in layers where !seen.contains(layer.module) {
      findings.append(page.finding(1, "the table lacks \(layer.module)"))
    }
    return findings
  }

  private static func isOutside(_ name: String) -> Bool {
    Layer.all.contains { $0.outside.contains(name) }
  }

  private static func list(_ names: [String]) -> String {
    names.isEmpty ? "nothing" : names.joined(separator: ", ")
  }

  /// The cells of a row of a Markdown table, or none.
  static func cells(_ line: String) -> [String] {
    guard line.hasPrefix("|") else { return [] }
    return line.split(separator: "|").map { cell in
      var cell = cell
      while cell.first == " " { cell.removeFirst() }
      while cell.last == " " { cell.removeLast() }
      return String(cell)
    }
  }

  /// What stands between pairs of `mark`.
  static func quoted(_ text: String, by mark: Character) -> [String] {
    text.split(separator: mark, omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }
      .map { String($0.element) }
  }

  struct Target {
    var name: String, line: Int, dependencies: [String]
  }

  /// Every target but the tests; at most one begins on a line.
  static func targets(of file: TextFile) -> [Target] {
    let start = file.lines.firstIndex(of: "  targets: [") ?? 0
    var targets: [Target] = []
    for index in start..<file.lines.count {
      let line = file.lines[index]
      if let name = line.firstRange(of: "name: \"") {
        let value = line[name.upperBound...].prefix { $0 != "\"" }
        targets.append(Target(name: String(value), line: index + 1, dependencies: []))
      }
      guard !targets.isEmpty, let list = line.firstRange(of: "dependencies: [") else { continue }
      // The list may go on over the next lines.
      var text = String(line[list.upperBound...])
      var next = index + 1
      while !text.contains("]"), next < file.lines.count {
        text += file.lines[next]
        next += 1
      }
      let own = text.prefix { $0 != "]" }
      targets[targets.count - 1].dependencies = quoted(String(own), by: "\"")
    }
    return targets
  }
}
