// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

import Glibc

/// `ucmkctl config`.
package struct ConfigCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Work on the daemon's configuration.",
    subcommands: [ConfigCheckCommand.self]
  )

  package init() {}
}

/// `ucmkctl config check`.
///
/// The reader of the configuration is part of the daemon, and there is only one: this runs it.
package struct ConfigCheckCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a configuration file without touching the daemon.",
    discussion: """
      Runs `ucmkd --check`, which also says what this host allows. Exits 0 where the \
      configuration is usable, 78 where it is not, 69 where there is no ucmkd to ask.
      """
  )

  @Argument(help: "The file (default: the one that the daemon reads).", completion: .file())
  package var file: String?

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let found = ChildProgram.locate(
      "ucmkd",
      beside: context.programFolder,
      path: context.environment["PATH"]
    )
    guard let program = found else {
      throw .unavailable("ucmkd is neither beside ucmkctl nor in PATH: it reads the configuration")
    }
    let arguments = ["--check"] + (file.map { ["--config", $0] } ?? [])
    let child = try ChildProgram(path: program, arguments: arguments)
    let status = try status(of: child, program)
    if options.json {
      context.output.write(report(child, status).document + "\n")
    } else {
      context.output.write(child.output)
      context.errors.write(child.errors)
    }
    return status
  }

  private func status(of child: ChildProgram, _ program: String) throws(ControlError) -> ExitStatus
  {
    switch child.end {
    case .exited(0): return .done
    case .exited(ExitStatus.configuration.rawValue): return .configuration
    case .exited(let code):
      throw .unavailable("\(program) --check ended with \(code)\n\(child.errors)")
    case .killed(let signal):
      throw .unavailable("\(program) --check was ended by signal \(signal)")
    }
  }

  private func report(_ child: ChildProgram, _ status: ExitStatus) -> JSONValue {
    [
      "file": file.map { .string($0) } ?? .null, "usable": .bool(status == .done),
      "output": .array(lines(child.output)), "errors": .array(lines(child.errors)),
    ]
  }

  private func lines(_ text: String) -> [JSONValue] {
    text.split(separator: "\n").map { .string(String($0)) }
  }
}
