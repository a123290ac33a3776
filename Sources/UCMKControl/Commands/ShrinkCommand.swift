// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

import UCMKModel

/// `ucmkctl shrink`.
package struct ShrinkCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "shrink",
    abstract: "Start a round now, and show what was asked, claimed and measured.",
    discussion: """
      CLAIMED is what a client says it freed; MEASURED is what the daemon saw come back. With \
      --dry-run the clients say what they would free, and free nothing.
      """
  )

  @OptionGroup package var aim: AimOptions

  @Flag(name: .customLong("dry-run"), help: "Ask what would be freed; free nothing.")
  package var isDryRun = false

  @Option(
    help: ArgumentHelp("How long the round may take (default: 5s).", valueName: "time")
  )
  package var within: DurationArgument?

  @Flag(name: .customLong("no-wait"), help: "Start the round, print its number, do not wait.")
  package var doesNotWait = false

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    let params = JSONValue.object(
      skippingNull: aim.params + [
        ("dry_run", isDryRun ? true : nil),
        ("wait", doesNotWait ? false : nil),
        ("timeout_ms", within?.json),
      ]
    )
    // The daemon answers when the round is closed: its 5 s come on top of ours.
    let round = try connection.callWhole(
      "trigger",
      params,
      waiting: doesNotWait ? .zero : within?.span ?? .seconds(5),
      // Asking again would start another round.
      following: { ("round.get", ["round": $0["round"]]) }
    )
    context.show(round, options) { page in
      guard !doesNotWait else { return ["round \(ClientView.plain(round["round"]).text) started"] }
      return RoundView.outcome(of: round, page)
    }
    return .done
  }
}
