// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One `Key=Value` of a settings file with its place.
package struct SettingsEntry: Sendable, Equatable {
  /// The section's name, and what follows it in the brackets (`Domain /a` has argument `/a`).
  package var section: String, argument: String
  /// The key.
  package var key: String
  /// The value, without blanks at its ends, continued lines joined by one blank.
  package var value: String
  /// Where the key stands, counted from 1.
  package var line: Int
  /// The columns of the key and of the value, counted from 1 in bytes.
  package var keyColumn: Int, valueColumn: Int
}

/// What a settings file is made of, before any key is looked at.
package struct SettingsText: Sendable, Equatable {
  /// The keys in file order.
  package var entries: [SettingsEntry] = []
  /// The sections in file order, also those without keys, with the line of each.
  package var sections: [(name: String, argument: String, line: Int)] = []
  /// Lines that are none of: blank, comment, section, key.
  package var problems: [SettingsProblem] = []

  /// Compares sections, entries and problems with their places.
  package static func == (left: SettingsText, right: SettingsText) -> Bool {
    left.entries == right.entries && left.problems == right.problems
      && left.sections.count == right.sections.count
      && zip(left.sections, right.sections).allSatisfy { $0 == $1 }
  }

  /// Reads the style of systemd's own files: `[Section]`, `Key=Value`, comments with `#` or `;`
  /// at the start of a line, a backslash at the end of a line that joins it with the next.
  package static func read(_ text: String, file: String) -> SettingsText {
    var reader = SettingsLineReader(file: file)
    // By scalars: to a Swift string CR LF is one character, and no line feed.
    for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
      reader.take(Substring(line))
    }
    reader.finish()
    return reader.result
  }
}

/// Takes a settings file line by line.
private struct SettingsLineReader {
  let file: String
  var result = SettingsText()
  private var section: (name: String, argument: String)?
  private var sectionIsBroken = false
  private var line = 0
  private var continued: SettingsEntry?

  init(file: String) { self.file = file }

  mutating func take(_ raw: Substring) {
    line += 1
    var text = raw
    if text.last == "\r" { text.removeLast() }
    if let open = continued { return proceed(open, text) }
    let body = text.drop(while: isBlank)
    guard let first = body.first, first != "#", first != ";" else { return }
    if first == "[" { return openSection(body, column: column(of: body, in: text)) }
    takeKey(body, in: text)
  }

  mutating func finish() {
    if let open = continued { result.entries.append(open) }
    continued = nil
  }

  private mutating func proceed(_ open: SettingsEntry, _ text: Substring) {
    let body = trimmed(text)
    var entry = open
    // Comments may stand between continued lines, as in systemd's own files.
    if body.first == "#" || body.first == ";" { return }
    let goesOn = body.last == "\\"
    let part = goesOn ? trimmed(body.dropLast()) : body
    entry.value += entry.value.isEmpty || part.isEmpty ? String(part) : " \(part)"
    continued = goesOn ? entry : nil
    if !goesOn { result.entries.append(entry) }
  }

  private mutating func openSection(_ body: Substring, column: Int) {
    let text = trimmed(body)
    guard text.last == "]", text.count > 2 else {
      sectionIsBroken = true
      return complain(column, "malformed section; wanted [Section] or [Section argument]")
    }
    let inner = trimmed(text.dropFirst().dropLast())
    let name = inner.prefix { !isBlank($0) }
    let argument = trimmed(inner.dropFirst(name.count))
    sectionIsBroken = false
    section = (String(name), String(argument))
    result.sections.append((String(name), String(argument), line))
  }

  private mutating func takeKey(_ body: Substring, in text: Substring) {
    let keyColumn = column(of: body, in: text)
    guard let equals = body.firstIndex(of: "="), equals != body.startIndex else {
      return complain(keyColumn, "neither a section, a comment nor a key; wanted Key=Value")
    }
    guard let section else {
      // A key below a broken section line was complained of with the section.
      if !sectionIsBroken { complain(keyColumn, "key before any section; wanted [Section] first") }
      return
    }
    guard !sectionIsBroken else { return }
    let value = body[body.index(after: equals)...].drop(while: isBlank)
    var entry = SettingsEntry(
      section: section.name,
      argument: section.argument,
      key: String(trimmed(body[..<equals])),
      value: String(trimmed(value)),
      line: line,
      keyColumn: keyColumn,
      valueColumn: column(of: value, in: text)
    )
    guard entry.value.last == "\\" else { return result.entries.append(entry) }
    entry.value = String(trimmed(entry.value.dropLast()))
    continued = entry
  }

  private mutating func complain(_ column: Int, _ text: String) {
    result.problems.append(
      SettingsProblem(file: file, line: line, column: column, text: text)
    )
  }

  private func column(of part: Substring, in line: Substring) -> Int {
    line.utf8.distance(from: line.startIndex, to: part.startIndex) + 1
  }
}

private func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }

private func trimmed(_ text: Substring) -> Substring {
  var rest = text.drop(while: isBlank)
  while let last = rest.last, isBlank(last) { rest.removeLast() }
  return rest
}
