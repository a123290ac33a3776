// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Testing
import UCMKControl

@Suite("ucmkctl(1) and completions against the code")
struct ManualTests {
  private let manual: String

  init() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    manual = try String(
      contentsOf: root.appending(path: "docs/man/ucmkctl.1"),
      encoding: .utf8
    )
  }

  /// The words behind `mark` in a text, up to the first byte that is neither letter nor hyphen.
  private func words(_ text: String, behind mark: String) -> Set<String> {
    Set(
      text.ranges(of: mark).map { range in
        String(text[range.upperBound...].prefix { $0.isLetter || $0 == "-" })
      }
    )
  }

  @Test("the manual names every option that a command takes, and no other")
  func options() {
    let known = words(ControlTool.completionScript(for: .fish), behind: "-l '")
    // Those of the parser's own.
    let own: Set = ["help", "version"]
    #expect(known.count > 20)
    #expect(words(manual, behind: "Fl -").subtracting(own) == known.subtracting(own))
  }

  @Test("the manual names every exit code, and no other")
  func exitCodes() {
    let section = manual.components(separatedBy: ".Sh EXIT STATUS")[1]
      .components(separatedBy: ".Sh ")[0]
    let listed = section.split(separator: "\n").filter { $0.hasPrefix(".It ") }
      .map { String($0.dropFirst(4)) }
    #expect(listed == ["0", "1", "64", "69", "74", "78"])
    let statuses: [UCMKControl.ExitStatus] = [
      .done, .refused, .usage, .unavailable, .outputFailed, .configuration,
    ]
    #expect(statuses.map { "\($0.rawValue)" } == listed)
  }

  @Test(
    "the completions of each shell know every command",
    arguments: [CompletionShell.bash, .zsh, .fish]
  )
  func completions(shell: CompletionShell) {
    let script = ControlTool.completionScript(for: shell)
    for command in [
      "status", "clients", "plan", "shrink", "rounds", "explain", "watch", "reload", "pause",
      "resume", "override", "config", "doctor", "surface", "enable", "disable", "dry-run",
    ] {
      #expect(script.contains(command), "\(shell.rawValue): \(command)")
    }
  }
}
