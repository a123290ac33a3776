// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One line of `doctor`.
package struct Finding: Sendable, Hashable {
  /// How it stands.
  package enum State: String, Sendable, Hashable {
    /// As it should be.
    case ok
    /// Works, and there is something to know.
    case warn
    /// Something lacks: the exit code is 1.
    case fail
  }

  /// What was looked at, in a word or two.
  package let subject: String
  /// How it stands.
  package let state: State
  /// What was found and what that means.
  package let text: String
  /// The commands that mend it, as they are to be typed by root; nil where nothing is to be mended.
  package let remedy: String?

  /// Makes a finding that needs nothing.
  package static func ok(_ subject: String, _ text: String) -> Finding {
    Finding(subject: subject, state: .ok, text: text, remedy: nil)
  }

  /// Makes a finding to know about.
  package static func warn(_ subject: String, _ text: String, mend remedy: String?) -> Finding {
    Finding(subject: subject, state: .warn, text: text, remedy: remedy)
  }

  /// Makes a finding of something that lacks.
  package static func fail(_ subject: String, _ text: String, mend remedy: String) -> Finding {
    Finding(subject: subject, state: .fail, text: text, remedy: remedy)
  }

  /// As a member of what `--json` prints.
  package var json: JSONValue {
    [
      "subject": .string(subject), "state": .string(state.rawValue), "text": .string(text),
      "remedy": remedy.map { .string($0) } ?? .null,
    ]
  }

  /// As lines for people.
  package func lines(_ page: Page) -> [String] {
    let tint: Style.Tint =
      switch state {
      case .ok: .good
      case .warn: .warning
      case .fail: .bad
      }
    let room = String(repeating: " ", count: 6 - state.rawValue.count)
    let name = subject + String(repeating: " ", count: max(1, 18 - subject.count))
    let indentation = 24
    var lines = page.wrap(printable(text), from: indentation)
    lines[0] =
      page.style.paint(state.rawValue, tint) + room + name + lines[0].dropFirst(indentation)
    // Not broken into lines, so that it can be copied as it is.
    return lines + (remedy.map { ["      mend: \($0)"] } ?? [])
  }
}
