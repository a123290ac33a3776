// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// `ucmkctl status`.
package struct StatusCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show on one screen how short memory is and what the daemon does about it.",
    discussion: """
      Pressure is the share of time in which tasks waited for memory: some of them, or all at \
      once. In the bar, # is used memory and L, H, G are the watermarks: a round starts at L, \
      aims at H, and beyond G caches may grow again. SOURCE says how each trigger is watched: by \
      the kernel (trigger), by reading averages (average), or by a pressure file (watch).
      """
  )

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    let status = try connection.call("daemon.status")
    let round = options.json ? .null : try newestRound(connection, status)
    context.show(status, options) { StatusView(status: status, lastRound: round, page: $0).lines }
    return .done
  }

  /// The newest round in short; null where there is none or the caller may not see it.
  private func newestRound(
    _ connection: ControlConnection,
    _ status: JSONValue
  ) throws(ControlError) -> JSONValue {
    guard status["last_round"].integer != nil else { return .null }
    do throws(ControlError) {
      return try connection.call("round.list", ["limit": 1])["rounds"].items.first ?? .null
    } catch .refused {
      // Status is for everybody, rounds are for observers: the number alone is shown then.
      return .null
    }
  }
}
