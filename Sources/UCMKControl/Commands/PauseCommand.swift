// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// `ucmkctl pause`.
package struct PauseCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Let the daemon start no round by itself.",
    discussion: "It goes on watching; `ucmkctl resume` ends it, and so does the time of --for."
  )

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("How long, such as 10m (default: until resume).", valueName: "time")
  )
  package var span: DurationArgument?

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    let params = JSONValue.object(skippingNull: [("for_ms", span?.json)])
    let result = try connection.call("daemon.pause", params)
    let end = span.map { " for \(Quantity.duration($0.span))" } ?? " until resumed"
    context.show(result, options) { page in [page.word(result["state"]) + end] }
    return .done
  }
}

/// `ucmkctl resume`.
package struct ResumeCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "End a pause."
  )

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    let result = try connection.call("daemon.resume")
    context.show(result, options) { page in ["resumed: \(page.word(result["state"]))"] }
    return .done
  }
}
