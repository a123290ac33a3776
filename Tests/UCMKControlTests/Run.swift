// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import UCMKControl

/// One run of `ucmkctl` inside the test's process, and what came of it.
struct Run {
  let status: Int32
  let output: String
  let errors: String

  /// Runs `ucmkctl` with `arguments` parted at spaces.
  ///
  /// - Parameters:
  ///   - arguments: As typed.
  ///   - daemon: Whose socket `--socket` names; nil for no such option.
  ///   - columns: The width of the terminal; nil for no terminal.
  ///   - environment: The variables.
  ///   - host: What `doctor` looks at.
  ///   - folder: Where `ucmkctl` is said to lie.
  init(
    _ arguments: String,
    on daemon: FakeDaemon? = nil,
    columns: Int? = nil,
    environment: [String: String] = [:],
    host: HostRoots = HostRoots(),
    folder: String? = nil
  ) {
    let (output, errors) = (MemorySink(), MemorySink())
    var context = ControlContext(output: output, errors: errors)
    context.environment = environment
    context.isTerminal = columns != nil
    context.columns = columns
    context.zone = .utc
    context.wallClock = { 1_795_532_272_000_000 }
    context.programFolder = folder
    context.host = host
    var words = arguments.split(separator: " ").map { String($0) }
    if let daemon { words += ["--socket", daemon.path] }
    status = ControlTool.run(words, in: context)
    self.output = output.text
    self.errors = errors.text
  }
}
