// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// `ucmkctl doctor`.
package struct DoctorCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what this host lacks for ucmkd, and how to get it.",
    discussion: """
      Each line is ok, warn (works, and there is something to know) or fail (something lacks), \
      with the commands that mend it. Exits 1 where a line is fail.
      """
  )

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let findings =
      KernelCheckup(roots: context.host).findings
      + NeighbourCheckup(roots: context.host).findings
      + ProcessCheckup(roots: context.host).findings
      + DaemonCheckup(options: options, context: context).findings
    let lacks = findings.filter { $0.state == .fail }.count
    let result: JSONValue = [
      "complete": .bool(lacks == 0), "findings": .array(findings.map(\.json)),
    ]
    context.show(result, options) { page in
      findings.flatMap { $0.lines(page) } + ["", verdict(lacks)]
    }
    return lacks == 0 ? .done : .refused
  }

  private func verdict(_ lacks: Int) -> String {
    switch lacks {
    case 0: "nothing lacks"
    case 1: "1 thing lacks"
    default: "\(lacks) things lack"
    }
  }
}
