// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel

/// One settings file as it was found.
package struct SettingsSource: Sendable, Equatable {
  /// Its path, for messages.
  package var file: String
  /// Its text.
  package var text: String

  /// Makes a source.
  package init(file: String, text: String) {
    self.file = file
    self.text = text
  }
}

/// Settings, or everything that is wrong with the files.
package enum SettingsOutcome: Sendable, Equatable {
  /// All files are right.
  case valid(Settings)
  /// At least one problem; in file order.
  case invalid([SettingsProblem])
}

/// Makes settings of texts.
///
/// Opens nothing.
package enum SettingsReader {
  /// Reads the files in order; what a later one sets replaces what an earlier one set.
  ///
  /// All problems are collected, so that an administrator sees every mistake at once.
  package static func read(_ sources: [SettingsSource]) -> SettingsOutcome {
    var settings = Settings()
    var problems: [SettingsProblem] = []
    var entries: [(file: String, entry: SettingsEntry)] = []
    var values: [String: String] = [:]
    for source in sources {
      let text = SettingsText.read(source.text, file: source.file)
      problems += text.problems
      problems += text.sections.compactMap { check($0, file: source.file) }
      entries += text.entries.map { (source.file, $0) }
    }
    // Domains take what they leave out from the host's sections, wherever those stand.
    for pass in [false, true] {
      for (file, entry) in entries where (entry.section == "Domain") == pass {
        if let problem = apply(entry, file: file, to: &settings) {
          problems.append(problem)
        } else {
          values[place(of: entry)] = entry.value
        }
      }
    }
    settings.assigned = values.map { Settings.Assignment(key: $0.key, value: $0.value) }
    problems += order(settings, entries)
    guard problems.isEmpty else {
      let files = sources.map(\.file)
      return .invalid(
        problems.sorted { left, right in
          let (first, second) = (files.firstIndex(of: left.file), files.firstIndex(of: right.file))
          return (first ?? 0, left.line, left.column) < (second ?? 0, right.line, right.column)
        }
      )
    }
    settings.assigned.sort { $0.key < $1.key }
    return .valid(settings)
  }

  private static func check(
    _ section: (name: String, argument: String, line: Int),
    file: String
  ) -> SettingsProblem? {
    func problem(_ text: String) -> SettingsProblem {
      SettingsProblem(file: file, line: section.line, column: 1, text: text)
    }
    guard let known = SettingTable.sections.first(where: { $0.name == section.name }) else {
      let names = SettingTable.sections.map(\.name).joined(separator: ", ")
      return problem("unknown section [\(excerpt(section.name))]; wanted one of \(names)")
    }
    guard known.needsArgument != section.argument.isEmpty else {
      return problem(
        known.needsArgument
          ? "[\(section.name)] needs to say which one, such as "
            + (section.name == "Domain" ? "[Domain /system.slice]" : "[Client unit:NAME.service]")
          : "[\(section.name)] takes nothing after its name"
      )
    }
    var scratch = Settings()
    let entry = SettingsEntry(
      section: section.name,
      argument: section.argument,
      key: "",
      value: "",
      line: section.line,
      keyColumn: 1,
      valueColumn: 1
    )
    do {
      if section.name == "Client" { try scratch.changeRule(entry) { _ in } }
      if section.name == "Domain" { try scratch.changeDomain(entry) { _ in } }
    } catch {
      return problem("malformed [\(section.name)]; wanted \(error.wanted)")
    }
    return nil
  }

  private static func apply(
    _ entry: SettingsEntry,
    file: String,
    to settings: inout Settings
  ) -> SettingsProblem? {
    guard SettingTable.sections.contains(where: { $0.name == entry.section }) else { return nil }
    let known = SettingTable.all.filter { $0.section == entry.section }
    guard let setting = known.first(where: { $0.key == entry.key }) else {
      let names = known.map(\.key).joined(separator: ", ")
      return SettingsProblem(
        file: file,
        line: entry.line,
        column: entry.keyColumn,
        text: "unknown key \(excerpt(entry.key)) in [\(entry.section)]; wanted one of \(names)"
      )
    }
    do {
      try setting.apply(&settings, entry)
    } catch {
      return SettingsProblem(
        file: file,
        line: entry.line,
        column: entry.valueColumn,
        text: "bad value for \(entry.key): wanted \(error.wanted)"
      )
    }
    return nil
  }

  /// The entry as `Section.Key` or `Section argument.Key`.
  private static func place(of entry: SettingsEntry) -> String {
    let section = entry.argument.isEmpty ? entry.section : "\(entry.section) \(entry.argument)"
    return "\(section).\(entry.key)"
  }

  /// The beginning of a text of the file: a line may be as long as the file.
  private static func excerpt(_ text: String) -> String {
    text.utf8.count <= 64 ? text : "\(text.prefix(64))…"
  }

  /// Watermarks that contradict each other, where both can be compared without a capacity.
  private static func order(
    _ settings: Settings,
    _ entries: [(file: String, entry: SettingsEntry)]
  ) -> [SettingsProblem] {
    var problems: [SettingsProblem] = []
    func check(_ marks: WatermarkSettings, _ isOfDomain: (SettingsEntry) -> Bool) {
      for (lower, upper, key) in [
        (marks.low, marks.high, "High"), (marks.high, marks.grow, "Grow"),
      ] where isAbove(lower, upper) {
        let place = entries.last { isOfDomain($0.entry) && $0.entry.key == key }
        let other = entries.last { isOfDomain($0.entry) && isWatermark($0.entry) }
        guard let found = place ?? other else { continue }
        problems.append(
          SettingsProblem(
            file: found.file,
            line: found.entry.line,
            column: found.entry.valueColumn,
            text: "watermarks are out of order: wanted Low <= High <= Grow"
          )
        )
      }
    }
    if settings.configuration.watermarks.isExplicit {
      check(settings.configuration.watermarks) { $0.section == "Watermarks" }
    }
    for domain in settings.configuration.domains {
      guard let marks = domain.watermarks else { continue }
      check(marks) { $0.section == "Domain" && DomainID(setting: $0.argument) == domain.domain }
    }
    return problems
  }

  private static func isWatermark(_ entry: SettingsEntry) -> Bool {
    entry.key == "Low" || entry.key == "High" || entry.key == "Grow"
  }

  private static func isAbove(_ left: Amount, _ right: Amount) -> Bool {
    switch (left, right) {
    case (.bytes(let first), .bytes(let second)): first > second
    case (.part(let first), .part(let second)): first > second
    case (.bytes, .part), (.part, .bytes): false
    }
  }
}
