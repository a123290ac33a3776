// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// `rounds`, and what `shrink` did.
package enum RoundView {
  /// A table of rounds, in the order in which they came.
  package static func list(_ rounds: [JSONValue], _ page: Page) -> [String] {
    guard !rounds.isEmpty else { return ["no rounds yet"] }
    var table = Table([
      .numbers("ROUND"), .words("TIME"), .words("LEVEL"), .words("REASON").spare,
      .numbers("ASKED"), .numbers("CLAIMED"), .numbers("MEASURED"), .numbers("UNMET").spare,
      .numbers("TOOK"), .words("SCOPE", keeping: .end),
    ])
    for round in rounds {
      // The year is left out: the daemon keeps rounds since it started.
      let moment = page.moment(round["time_us"]).dropFirst(5)
      let isOpen = round["state"].string == "open"
      let isDry = round["dry_run"].bool == true
      table.add([
        ClientView.plain(round["round"]), Table.Cell(moment.isEmpty ? "-" : String(moment)),
        page.levelCell(round["level"]), Table.Cell(page.word(round["reason"])),
        Table.Cell(page.size(round["asked"])), Table.Cell(page.size(round["claimed"])),
        Table.Cell(isDry ? "dry run" : page.size(round["measured"])),
        Table.Cell(page.size(round["unmet"])),
        Table.Cell(isOpen ? "open" : page.duration(round["took_ms"])),
        Table.Cell(page.scope(round["scope"])),
      ])
    }
    return page.lines(table)
  }

  /// One round: who was asked for what and what came of it.
  package static func outcome(of round: JSONValue, _ page: Page) -> [String] {
    let title = "round \(headline(round, page))"
    var lines = [page.style.paint(title, .strong), aim(round, page)]
    let clients = round["clients"].items
    if clients.isEmpty {
      lines.append("nobody was asked")
    } else {
      lines += [""] + page.lines(clientTable(round, page))
    }
    return lines + ["", verdict(round, page)]
  }

  /// `412 by trigger on host at medium, 2026-11-23 14:57:52`.
  static func headline(_ round: JSONValue, _ page: Page) -> String {
    let isManual = round["reason"].string == "manual"
    let dryRun = round["dry_run"].bool == true ? " (dry run)" : ""
    let reason = isManual ? "hand" : page.word(round["reason"])
    return "\(ClientView.plain(round["round"]).text) by \(reason)\(dryRun) "
      + "on \(page.scope(round["scope"])) at \(page.word(round["level"])), "
      + page.moment(round["time_us"])
  }

  /// `asked 1.0 GiB, claimed 1.0 GiB, measured 900.0 MiB`.
  static func sums(of values: JSONValue, _ page: Page) -> String {
    ["asked", "claimed", "measured"].map { "\($0) \(page.size(values[$0]))" }
      .joined(separator: ", ")
  }

  /// ` in 412 ms`, or that the round still runs.
  static func time(_ round: JSONValue, _ page: Page) -> String {
    round["state"].string == "open" ? ", still open" : " in \(page.duration(round["took_ms"]))"
  }

  static func aim(_ round: JSONValue, _ page: Page) -> String {
    "target \(page.size(round["target"])), capacity \(page.size(round["capacity"])), "
      + "part \(page.size(round["part"]))"
  }

  private static func verdict(_ round: JSONValue, _ page: Page) -> String {
    let met = round["unmet"].integer == 0
    let verdict =
      met
      ? page.style.paint("the target was met", .good)
      : page.style.paint("\(page.size(round["unmet"])) unmet", .warning)
    let freed = round["dry_run"].bool == true ? " (dry run: nothing was freed)" : ""
    return "\(verdict)\(time(round, page))\(freed)"
  }

  private static func clientTable(_ round: JSONValue, _ page: Page) -> Table {
    let columns = ["part", "asked", "claimed", "measured"]
    var table = Table(
      [.words("SESSION"), .words("NAME", keeping: .start), .numbers("PID").spare]
        + columns.map { .numbers($0.uppercased()) } + [.numbers("TOOK"), .words("OUTCOME")]
    )
    for client in round["clients"].items {
      table.add(
        [
          Table.Cell(page.word(client["session"])), Table.Cell(page.word(client["name"])),
          ClientView.plain(client["pid"]),
        ] + columns.map { Table.Cell(page.size(client[$0])) }
          + [Table.Cell(page.duration(client["took_ms"])), outcome(client["outcome"], page)]
      )
    }
    table.add(
      [Table.Cell("total", .strong), "", ""]
        + columns.map { Table.Cell(page.size(round[$0]), .strong) } + ["", ""]
    )
    return table
  }

  /// How one client's part of a round ended, in its colour.
  static func outcome(_ value: JSONValue, _ page: Page) -> Table.Cell {
    let word = page.word(value)
    let tint: Style.Tint =
      switch word {
      case "done": .good
      case "partial", "refused": .notice
      case "late", "gone", "silent": .bad
      default: .plain
      }
    return Table.Cell(word, tint)
  }
}
