// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// A command that can be run apart from the process it is in.
package protocol ControlCommand: ParsableCommand {
  /// What every command takes.
  var options: ToolOptions { get }

  /// Does what was asked and says with what to exit.
  func execute(in context: ControlContext) throws(ControlError) -> ExitStatus
}

/// `ucmkctl`: looks at the daemon and tells it things.
package struct ControlTool: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "ucmkctl",
    abstract: "Look at ucmkd, which asks programs to give back cache memory, and steer it.",
    discussion: """
      Exits 0 when done, 1 when the daemon refused (it says why), 64 for a wrong command line, \
      69 without a daemon.
      Sizes are written 4096, 512K, 64M or 1.5G, times 500ms, 30s, 5m or 1h30m.
      """,
    version: ToolVersion.current,
    subcommands: [
      StatusCommand.self, ClientsCommand.self, PlanCommand.self, ShrinkCommand.self,
      RoundsCommand.self, ExplainCommand.self, WatchCommand.self, ReloadCommand.self,
      PauseCommand.self, ResumeCommand.self, OverrideCommand.self, ConfigCommand.self,
      DoctorCommand.self, SurfaceCommand.self,
    ]
  )

  package init() {}

  /// Parses a command line and runs it.
  ///
  /// - Parameters:
  ///   - arguments: Without the name of the program.
  ///   - context: What it may touch.
  /// - Returns: What the process is to exit with.
  package static func run(_ arguments: [String], in context: ControlContext) -> Int32 {
    let status = perform(arguments, in: context)
    guard context.output.failure == nil else {
      let reason = systemMessage(context.output.failure ?? 0)
      context.errors.write("ucmkctl: the output could not be written: \(reason)\n")
      return ExitStatus.outputFailed.rawValue
    }
    return status
  }

  private static func perform(_ arguments: [String], in context: ControlContext) -> Int32 {
    do {
      var command = try parseAsRoot(arguments)
      if let command = command as? any ControlCommand {
        return try command.execute(in: context).rawValue
      }
      if command is ControlTool || command is ConfigCommand || command is SurfaceCommand {
        // A command is missing: a script must not take that for done.
        context.errors.write(helpMessage(for: type(of: command)) + "\n")
        return ExitStatus.usage.rawValue
      }
      // Only help: the parser prints by throwing what is to be printed.
      try command.run()
      return ExitStatus.done.rawValue
    } catch let error as ControlError {
      context.errors.write("ucmkctl: \(error.message)\n")
      return error.status.rawValue
    } catch {
      let status = exitCode(for: error).rawValue
      let message = fullMessage(for: error)
      if !message.isEmpty {
        (status == 0 ? context.output : context.errors).write(message + "\n")
      }
      return status
    }
  }
}
