// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// How one command's answer is to look: sizes, colour, width, clock.
package struct Page: Sendable {
  /// Colour or none.
  package let style: Style
  /// Columns of the terminal; nil where the output is none.
  package let width: Int?
  /// Whether sizes are plain numbers.
  package let rawBytes: Bool
  /// Whose clock moments are shown by.
  package let zone: Quantity.TimeZone

  /// Makes a page.
  package init(
    style: Style = .plain,
    width: Int? = nil,
    rawBytes: Bool = false,
    zone: Quantity.TimeZone = .local
  ) {
    self.style = style
    self.width = width
    self.rawBytes = rawBytes
    self.zone = zone
  }

  /// A size that the daemon gave; `-` where it gave none.
  package func size(_ value: JSONValue) -> String {
    guard let bytes = value.integer else { return "-" }
    return size(bytes)
  }

  /// A size.
  package func size(_ bytes: Int64) -> String { rawBytes ? String(bytes) : Quantity.size(bytes) }

  /// A count that the daemon gave; `-` where it gave none.
  package func count(_ value: JSONValue) -> String {
    guard let number = value.integer else { return "-" }
    return rawBytes ? String(number) : Quantity.count(number)
  }

  /// Milliseconds that the daemon gave, as a length of time; `-` where it gave none.
  package func duration(_ value: JSONValue) -> String {
    value.integer.map { Quantity.duration(milliseconds: $0) } ?? "-"
  }

  /// Microseconds that the daemon gave, as a length of time; `-` where it gave none.
  package func microseconds(_ value: JSONValue) -> String {
    value.integer.map { Quantity.duration(microseconds: $0) } ?? "-"
  }

  /// A fraction of 10,000 that the daemon gave; `-` where it gave none.
  package func fraction(_ value: JSONValue) -> String {
    value.integer.map { Quantity.percent(hundredths: $0) } ?? "-"
  }

  /// A moment in microseconds since 1970 that the daemon gave; `-` where it gave none.
  package func moment(_ value: JSONValue) -> String {
    value.integer.map { Quantity.moment(microseconds: $0, in: zone) } ?? "-"
  }

  /// A word that the daemon gave; `-` where it gave none.
  package func word(_ value: JSONValue) -> String { value.string.map(printable) ?? "-" }

  /// A level in its colour.
  package func level(_ value: JSONValue) -> String {
    style.paint(word(value), Style.tint(level: value.string ?? ""))
  }

  /// A cell that shows a level.
  package func levelCell(_ value: JSONValue) -> Table.Cell {
    Table.Cell(word(value), Style.tint(level: value.string ?? ""))
  }

  /// A scope as people name it: `host`, `all clients`, or the path of the cgroup.
  package func scope(_ value: JSONValue) -> String {
    if value["kind"].string == "manual" { return "all clients" }
    if let path = value["path"].string { return printable(path) }
    return value["kind"].string.map(printable) ?? value.string.map(printable) ?? "-"
  }

  /// A line of what is known: a short title, then the text.
  package func fact(_ title: String, _ text: String) -> String {
    let room = String(repeating: " ", count: max(1, 12 - title.count))
    return (style.paint(title, .strong) + room + text)
  }

  /// `text` in lines that begin after `indentation` spaces, broken between words where the page has
  /// a width; at least one line.
  package func wrap(_ text: String, from indentation: Int) -> [String] {
    let margin = String(repeating: " ", count: indentation)
    guard let width else { return [margin + text] }
    var lines = [margin]
    for word in text.split(separator: " ") {
      let last = lines[lines.count - 1]
      if last.count == indentation {
        lines[lines.count - 1] += word
      } else if last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(margin + word)
      }
    }
    return lines
  }

  /// The lines of a table as wide as this page.
  package func lines(_ table: Table) -> [String] { table.lines(style, width: width) }
}
