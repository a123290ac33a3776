// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

import UCMKModel

/// What `plan` and `shrink` have in common: how much, how urgent, and whose memory.
package struct AimOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How much to get back, such as 512M.", valueName: "size"))
  package var bytes: SizeArgument

  @Option(help: "How urgent: critical leaves no floor standing.")
  package var level = LevelArgument.medium

  @Option(
    help: ArgumentHelp("Only clients in or below this cgroup (default: all).", valueName: "path"),
    completion: .directory
  )
  package var cgroup: CgroupArgument?

  package init() {}

  package func validate() throws {
    guard bytes.bytes > .zero else { throw ValidationError("--bytes must be more than nothing.") }
  }

  /// As params of `plan` and `trigger`; without a cgroup the daemon's own default scope holds.
  package var params: [(String, JSONValue?)] {
    [("bytes", bytes.json), ("level", level.json), ("scope", cgroup?.json)]
  }
}

/// `ucmkctl plan`.
package struct PlanCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show who would be asked for what, and why. Nothing is sent.",
    discussion: """
      PART is what the split gives a cache: what all keep is levelled down in proportion to \
      WEIGHT, nobody below FLOOR, nobody asked for more than CAP. ASKED is the part made larger \
      for a client that gave less than it was asked for before.
      """
  )

  @OptionGroup package var aim: AimOptions

  @Flag(help: "Show the arithmetic of each client too.")
  package var steps = false

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    let plan = try connection.callWhole("plan", .object(skippingNull: aim.params))
    context.show(plan, options) { PlanView.lines(plan, showsSteps: steps, $0) }
    return .done
  }
}
