// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Colour, or none.
package struct Style: Sendable {
  /// What a piece of text means; each meaning has one colour everywhere.
  package enum Tint: Sendable, Hashable {
    /// As it comes.
    case plain
    /// Titles.
    case strong
    /// Good, calm.
    case good
    /// Worth a look.
    case notice
    /// Worse.
    case warning
    /// Wrong, or as bad as it gets.
    case bad
  }

  /// Whether escape sequences are written.
  package let hasColour: Bool

  /// No colour at all.
  package static let plain = Style(hasColour: false)

  /// Makes a style.
  package init(hasColour: Bool) { self.hasColour = hasColour }

  /// `text` in the colour of `tint`.
  package func paint(_ text: String, _ tint: Tint) -> String {
    guard hasColour, let code = Style.code(tint), !text.isEmpty else { return text }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }

  /// The colour of a level by its word on the wire; a level of a later version is plain.
  package static func tint(level: String) -> Tint {
    switch level {
    case "none": .good
    case "low": .notice
    case "medium": .warning
    case "critical": .bad
    default: .plain
    }
  }

  /// The numbers are those of ECMA-48 "select graphic rendition".
  private static func code(_ tint: Tint) -> String? {
    switch tint {
    case .plain: nil
    case .strong: "1"
    case .good: "32"
    case .notice: "33"
    case .warning: "1;33"
    case .bad: "1;31"
    }
  }
}
