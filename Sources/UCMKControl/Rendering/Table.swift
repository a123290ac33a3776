// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Rows under titles, every column as wide as its widest cell.
///
/// When the terminal is narrower than the table, columns that may shrink give way, then spare ones
/// go, the last one first; where the output is no terminal nothing is cut.
package struct Table: Sendable {
  /// One column.
  package struct Column: Sendable {
    /// On which side its cells stand.
    package enum Side: Sendable { case left, right }

    /// What of a cell is kept where there is no room: its beginning or its end, or all of it.
    package enum Kept: Sendable { case all, start, end }

    let title: String
    let side: Side
    let kept: Kept
    var isSpare = false

    /// A column of words.
    package static func words(_ title: String, keeping kept: Kept = .all) -> Column {
      Column(title: title, side: .left, kept: kept)
    }

    /// A column of numbers.
    package static func numbers(_ title: String) -> Column {
      Column(title: title, side: .right, kept: .all)
    }

    /// This column, left out where there is no room for it.
    package var spare: Column {
      var column = self
      column.isSpare = true
      return column
    }
  }

  /// One cell: text that may be shown, with its meaning.
  package struct Cell: Sendable, ExpressibleByStringLiteral {
    let text: String
    let tint: Style.Tint

    /// Makes a cell; what a terminal would obey is taken out of `text`.
    package init(_ text: String, _ tint: Style.Tint = .plain) {
      self.text = printable(text)
      self.tint = tint
    }

    package init(stringLiteral value: String) { self.init(value) }
  }

  private let columns: [Column]
  private var rows: [[Cell]] = []

  /// The narrowest that a column is made.
  private static let narrowest = 12
  private static let gap = "  "

  /// Makes an empty table.
  package init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row with a cell for each column.
  package mutating func add(_ row: [Cell]) {
    precondition(row.count == columns.count, "a row has a cell for each column")
    rows.append(row)
  }

  /// Whether there is no row.
  package var isEmpty: Bool { rows.isEmpty }

  /// The lines of the table, without spaces at their ends.
  ///
  /// At most `width` columns wide if that can be; as wide as they like where it is nil.
  package func lines(_ style: Style, width: Int?) -> [String] {
    let title = columns.map { Cell($0.title, .strong) }
    var shown = Array(columns.indices)
    var widths = widths(of: shown, within: width)
    while let width, Table.total(widths) > width,
      let spare = shown.lastIndex(where: { columns[$0].isSpare })
    {
      shown.remove(at: spare)
      widths = self.widths(of: shown, within: width)
    }
    return ([title] + rows).map { line($0, shown, widths, style) }
  }

  private static func total(_ widths: [Int]) -> Int {
    widths.reduce(0, +) + gap.count * (widths.count - 1)
  }

  private func widths(of shown: [Int], within limit: Int?) -> [Int] {
    var widths = shown.map { index in
      rows.reduce(columns[index].title.count) { max($0, $1[index].text.count) }
    }
    guard let limit else { return widths }
    while Table.total(widths) > limit {
      let shrinkable = widths.indices.filter {
        let column = columns[shown[$0]]
        return column.kept != .all && widths[$0] > max(Table.narrowest, column.title.count)
      }
      guard let widest = shrinkable.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
    }
    return widths
  }

  private func line(_ row: [Cell], _ shown: [Int], _ widths: [Int], _ style: Style) -> String {
    var line = ""
    var owed = ""
    for (index, width) in zip(shown, widths) {
      let text = Table.cut(row[index].text, to: width, columns[index].kept)
      let padding = String(repeating: " ", count: max(0, width - text.count))
      if index != shown.first { owed += Table.gap }
      if columns[index].side == .right { owed += padding }
      if !text.isEmpty {
        line += owed + style.paint(text, row[index].tint)
        owed = ""
      }
      if columns[index].side == .left { owed += padding }
    }
    return line
  }

  private static func cut(_ text: String, to width: Int, _ kept: Column.Kept) -> String {
    guard text.count > width else { return text }
    switch kept {
    case .all: return text
    case .start: return text.prefix(width - 2) + ".."
    case .end: return ".." + text.suffix(width - 2)
    }
  }
}
