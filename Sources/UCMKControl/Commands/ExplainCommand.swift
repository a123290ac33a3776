// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// `ucmkctl explain`.
package struct ExplainCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Show the arithmetic of a round, step by step, in words and numbers.",
    discussion: """
      What is shown is everything that is needed to compute each part again; --raw-bytes shows \
      the numbers unrounded.
      """
  )

  @Argument(help: "The number of a round, or 'last'.")
  package var round: RoundArgument

  @Argument(help: "Only this client: its session, such as c17, or its name.")
  package var client: String?

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    let number = try number(connection)
    var result = try connection.callWhole("round.get", ["round": .integer(number)])
    if let client {
      let chosen = result["clients"].items.filter {
        $0["session"].string == client || $0["name"].string == client
      }
      guard !chosen.isEmpty else {
        guard result["clients_forgotten"].bool != true else {
          throw .failed(
            "the clients of round \(number) are forgotten: newer rounds took their place"
          )
        }
        throw .failed("round \(number) asked no client \(printable(client))")
      }
      result = result.replacing("clients", with: .array(chosen))
      result = AttemptView.narrowed(result, to: chosen.map { $0["session"] })
    }
    context.show(result, options) { ExplainView.lines(result, $0) }
    return .done
  }

  private func number(_ connection: ControlConnection) throws(ControlError) -> Int64 {
    switch round {
    case .number(let number): return number
    case .last:
      guard let number = try connection.call("daemon.status")["last_round"].integer else {
        throw .failed("there was no round yet")
      }
      return number
    }
  }
}
