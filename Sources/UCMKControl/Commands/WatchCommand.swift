// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

import UCMKModel

/// `ucmkctl watch`.
package struct WatchCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Print events as they come, one a line, until interrupted."
  )

  @Argument(help: "What to watch (default: pressure rounds clients).")
  package var topics: [TopicArgument] = []

  @Option(
    help: ArgumentHelp("How often 'status' comes, 100ms to 60s.", valueName: "time")
  )
  package var interval: DurationArgument?

  @Option(help: "Stop after so many events.")
  package var count: Int?

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func validate() throws {
    if let interval, !(100...60_000).contains(interval.span.milliseconds) {
      throw ValidationError("--interval is 100ms to 60s.")
    }
    if let count, count < 1 { throw ValidationError("--count is at least 1.") }
  }

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    let chosen = topics.isEmpty ? [.pressure, .rounds, .clients] : topics
    let params = JSONValue.object(skippingNull: [
      ("topics", .array(chosen.map { .string($0.rawValue) })), ("interval_ms", interval?.json),
    ])
    let subscription = try connection.call("subscribe", params)["subscription"]
    let page = context.page(options)
    var left = count
    while left != 0 {
      let event = try connection.nextEvent()
      guard event["subscription"] == subscription else { continue }
      show(event, context, page)
      left = left.map { $0 - 1 }
    }
    return .done
  }

  private func show(_ event: JSONValue, _ context: ControlContext, _ page: Page) {
    guard !options.json else { return context.output.write(event.line + "\n") }
    let moment = Quantity.moment(microseconds: context.wallClock(), in: context.zone)
    context.write([EventLine.text(event, at: String(moment.suffix(8)), page)])
  }
}
