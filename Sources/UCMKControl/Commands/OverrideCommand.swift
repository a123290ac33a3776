// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// `ucmkctl override`.
package struct OverrideCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "override",
    abstract: "Set for one cache what the configuration or its client says otherwise.",
    discussion: """
      It holds while the client stays, or for the time of --for. A cache whose name is a number \
      is named by its id.
      """
  )

  @Argument(help: "The session, such as c17.")
  package var id: String

  @Argument(help: "The cache: its id or its name.")
  package var cache: String

  @Option(help: "Its weight against others, 1 to 10000 (100 is usual).")
  package var share: Int64?

  @Option(help: ArgumentHelp("What it keeps below critical, such as 64M.", valueName: "size"))
  package var floor: SizeArgument?

  @Option(name: .customLong("min-level"), help: "From which level on it is asked.")
  package var minimumLevel: LevelArgument?

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("How long, such as 1h.", valueName: "time")
  )
  package var span: DurationArgument?

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func validate() throws {
    guard share != nil || floor != nil || minimumLevel != nil else {
      throw ValidationError("Nothing to set: give --share, --floor or --min-level.")
    }
    if let share, !(1...10_000).contains(share) {
      throw ValidationError("--share is 1 to 10000.")
    }
  }

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    let number = try number(connection)
    let params = JSONValue.object(skippingNull: [
      ("session", .string(id)), ("id", .integer(number)), ("share", share.map { .integer($0) }),
      ("floor", floor?.json), ("min_level", minimumLevel?.json), ("for_ms", span?.json),
    ])
    let result = try connection.call("cache.override", params)
    context.show(result, options) { page in
      let set = [
        share.map { "share \($0)" }, floor.map { "floor \(page.size($0.json))" },
        minimumLevel.map { "asked from \($0.rawValue) on" },
        span.map { "for \(Quantity.duration($0.span))" },
      ]
      let target = "cache \(printable(cache)) of \(printable(id))"
      return ["\(target): \(set.compactMap { $0 }.joined(separator: ", "))"]
    }
    return .done
  }

  /// The id of the cache, asked of the daemon where it was given by name.
  private func number(_ connection: ControlConnection) throws(ControlError) -> Int64 {
    if let number = Int64(cache) { return number }
    let client = try connection.call("client.get", ["session": .string(id)])
    let found = client["caches"].items.first { $0["name"].string == cache }
    guard let number = found?["id"].integer else {
      throw .failed("\(printable(id)) has no cache \(printable(cache))")
    }
    return number
  }
}
