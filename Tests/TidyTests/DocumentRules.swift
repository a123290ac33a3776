// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The rules that hold documents and code together: a table in the code, its words in the text.
enum DocumentRules {
  /// Names that the text of a page must contain as code, as in `` `name` `` or `"name"`.
  static func missing(_ names: [String], in page: TextFile, _ what: String) -> [Finding] {
    names.compactMap { name in
      guard !isMentioned(name, in: page) else { return nil }
      return page.finding(page.lines.count, "\(what) \(name) is not described; add it")
    }
  }

  private static func isMentioned(_ name: String, in page: TextFile) -> Bool {
    let marks = Set("`\"| ()/:,")
    return page.lines.contains { line in
      line.ranges(of: name).contains { range in
        let before =
          range.lowerBound == line.startIndex
          ? " " : line[line.index(before: range.lowerBound)]
        let after = range.upperBound == line.endIndex ? " " : line[range.upperBound]
        return marks.contains(before) && marks.contains(after)
      }
    }
  }

  /// One key as a document or the code states it.
  struct Key: Equatable, CustomStringConvertible {
    var section: String, name: String, value: String

    var description: String { "[\(section)] \(name)=\(value)" }
  }

  /// The keys that a sample file states, all of them behind a `#` without a blank.
  ///
  /// The sections of the host stand as they are; those with an argument are commented out too.
  static func keys(ofSample file: TextFile) -> [(key: Key, line: Int)] {
    var section = ""
    var keys: [(Key, Int)] = []
    for (index, line) in file.lines.enumerated() {
      let text = line.hasPrefix("#") ? line.dropFirst() : line[...]
      if text.hasPrefix("[") {
        section = String(text.dropFirst().prefix { $0 != "]" && $0 != " " })
      } else if let equals = text.firstIndex(of: "="), text.first?.isUppercase == true {
        let name = String(text[..<equals])
        let value = String(text[text.index(after: equals)...])
        guard name.allSatisfy(\.isLetter) else { continue }
        keys.append((Key(section: section, name: name, value: value), index + 1))
      }
    }
    return keys
  }

  /// Lines of a sample file that would do something.
  static func active(inSample file: TextFile) -> [Finding] {
    file.lines.enumerated().compactMap { index, line in
      guard !line.isEmpty, !line.hasPrefix("#"), !line.hasPrefix("[") else { return nil }
      return file.finding(index + 1, "a sample changes nothing; comment the line out")
    }
  }

  /// The keys that a manual page states: below `.Ss [Section]` a line with
  /// `.It Cm Key Ns = Ns Ar kind Pq default: Ql value`.
  ///
  /// `.Pq no default` stands for an empty one.
  static func keys(ofManual file: TextFile) -> [(key: Key, line: Int)] {
    var section = ""
    var keys: [(Key, Int)] = []
    for (index, line) in file.lines.enumerated() {
      if line.hasPrefix(".Ss [") {
        section = String(line.dropFirst(5).prefix { $0 != "]" && $0 != " " })
      } else if line.hasPrefix(".It Cm ") {
        let name = String(line.dropFirst(7).prefix(while: \.isLetter))
        let value = line.firstRange(of: "default: Ql ").map { String(line[$0.upperBound...]) } ?? ""
        keys.append((Key(section: section, name: name, value: unquoted(value)), index + 1))
      }
    }
    return keys
  }

  private static func unquoted(_ text: String) -> String {
    guard text.hasPrefix("\""), text.hasSuffix("\""), text.count > 1 else { return text }
    return String(text.dropFirst().dropLast())
  }

  /// Where stated keys differ from those of the code.
  static func differences(
    _ stated: [(key: Key, line: Int)],
    _ known: [Key],
    in file: TextFile
  ) -> [Finding] {
    var findings: [Finding] = []
    for (key, line) in stated {
      guard
        let same = known.first(where: { $0.section == key.section && $0.name == key.name })
      else {
        findings.append(file.finding(line, "\(key) is no key of the code; remove it"))
        continue
      }
      guard same != key else { continue }
      findings.append(file.finding(line, "\(key) is \(same) in the code; state the same"))
    }
    for key in known
    where !stated.contains(where: { $0.key.section == key.section && $0.key.name == key.name }) {
      findings.append(file.finding(file.lines.count, "\(key) of the code is missing; add it"))
    }
    return findings
  }

  /// What the lines of a manual page that begin with `start` list below a heading.
  ///
  /// Where no heading is given, the whole page counts.
  static func items(
    _ page: TextFile,
    _ start: String,
    below heading: String? = nil
  ) -> [String] {
    var isBelow = heading == nil
    return page.lines.compactMap { line in
      if let heading, line.hasPrefix(".Sh ") { isBelow = line == ".Sh \(heading)" }
      guard isBelow, line.hasPrefix(start) else { return nil }
      return String(line.dropFirst(start.count).prefix { $0 != " " })
    }
  }

  /// The long options that a help text explains: those at the beginning of a line.
  static func options(ofHelp text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let line = line.drop { $0 == " " }
      guard line.hasPrefix("--") else { return nil }
      return String(line.dropFirst(2).prefix { $0 != " " })
    }
  }

  /// The targets that `make help` lists: those with a text behind `##`.
  static func targets(ofMakefile file: TextFile) -> [String] {
    file.lines.compactMap { line in
      guard let colon = line.firstIndex(of: ":"), line.contains("## ") else { return nil }
      let name = line[..<colon]
      return name.allSatisfy { $0.isLetter || $0 == "-" } ? String(name) : nil
    }
  }

  /// One finding for each of `wanted` that is not in `found`, and the other way round.
  static func differences(
    _ found: [String],
    _ wanted: [String],
    in file: TextFile,
    _ what: String
  ) -> [Finding] {
    wanted.filter { !found.contains($0) }
      .map { file.finding(file.lines.count, "\(what) \($0) is missing; add it") }
      + found.filter { !wanted.contains($0) }
      .map { file.finding(file.lines.count, "\(what) \($0) does not exist; remove it") }
  }
}
