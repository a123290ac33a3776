// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

/// One run of the real `ucmkctl` to its end, and what came of it.
struct ToolRun {
  /// Its exit code; nil where it did not end.
  let code: Int32?
  let output: String
  let errors: String

  /// Why a suite of it cannot run, for `.enabled(if:)`; nil where it can.
  static let obstacle: Comment? = {
    for name in ["ucmkd", "ucmkctl"] where ProgramRun.built(name) == nil {
      return "ucmkd or ucmkctl was not built beside the tests"
    }
    return nil
  }()

  /// Runs it with `arguments` parted at spaces, on the socket of `tree`.
  ///
  /// `meanwhile` is called again and again until it ends: the clients of a round answer there.
  init(_ tree: FileTree, _ arguments: String, meanwhile: () -> Void = {}) throws {
    let words = arguments.split(separator: " ").map { String($0) }
    let program = try ProgramRun(
      tree,
      built: "ucmkctl",
      words + ["--socket", tree.path("s")]
    )
    _ = eventually {
      meanwhile()
      return program.wait(within: .zero) != nil
    }
    code = program.wait(within: .zero)
    output = program.output
    errors = program.errors
  }

  /// The one document that it printed; absent where that is not what it printed.
  var document: WireValue { WireValue(line: output.utf8.map { $0 == 10 ? 32 : $0 }) }

  /// The documents that it printed, one a line.
  var lines: [WireValue] { output.split(separator: "\n").map { WireValue(line: $0.utf8) } }
}

/// Checks that an object has these members, whatever else it has.
func expectKeys(
  _ value: WireValue,
  _ keys: String,
  _ what: String = "",
  at location: SourceLocation = #_sourceLocation
) {
  let lacking = keys.split(separator: " ").map { String($0) }.filter { !value.keys.contains($0) }
  #expect(lacking.isEmpty, "\(what): only \(value.keys)", sourceLocation: location)
}
