// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// `ucmkctl rounds`.
package struct RoundsCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "rounds",
    abstract: "List the rounds that were, the newest first.",
    discussion: "`ucmkctl explain ROUND` shows how one came about."
  )

  @Option(help: "At most so many, 1 to 256.")
  package var limit: Int64 = 32

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func validate() throws {
    guard (1...256).contains(limit) else { throw ValidationError("--limit is 1 to 256.") }
  }

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    let result = try connection.call("round.list", ["limit": .integer(limit)])
    context.show(result, options) { RoundView.list(result["rounds"].items, $0) }
    return .done
  }
}
