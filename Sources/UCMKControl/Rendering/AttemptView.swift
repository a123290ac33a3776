// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One attempt of a round in `explain`: everybody who could be asked, and every number from which
/// the parts and the asks follow.
enum AttemptView {
  private static let forgotten = "  its clients are forgotten: newer attempts took their place"

  /// The lines of one of a round's `attempts`.
  static func lines(_ attempt: JSONValue, _ page: Page) -> [String] {
    let title =
      "attempt \(ClientView.plain(attempt["attempt"]).text) at \(page.word(attempt["level"])): "
      + RoundView.aim(attempt, page)
    var lines = [
      page.style.paint(title, .strong),
      "  by \(page.word(attempt["rule"])), median cost "
        + page.microseconds(attempt["median_cost_us_per_mib"])
        + ", pages of \(page.size(attempt["page_size"]))"
        + (attempt["bounded"].bool == true ? ", small quotas left out" : ""),
    ]
    if attempt["rows_forgotten"].bool == true { lines.append(forgotten) }
    for table in [nodes(of: attempt, page), clients(of: attempt, page), caches(of: attempt, page)]
    where !table.isEmpty { lines += page.lines(table) }
    let excluded = attempt["excluded"].items
    if !excluded.isEmpty {
      lines += ["  not asked:"] + excluded.map { "  " + PlanView.line(of: $0, page) }
    }
    return lines
  }

  /// A round whose attempts show only some clients, with the cgroups that all of them share.
  static func narrowed(_ round: JSONValue, to sessions: [JSONValue]) -> JSONValue {
    guard !round["attempts"].isNull else { return round }
    let attempts = round["attempts"].items.map { attempt in
      ["clients", "excluded"].reduce(attempt) { narrowed, list in
        let rows = narrowed[list].items.filter { sessions.contains($0["session"]) }
        return narrowed.replacing(list, with: .array(rows))
      }
    }
    return round.replacing("attempts", with: .array(attempts))
  }

  private static func nodes(of attempt: JSONValue, _ page: Page) -> Table {
    var table = Table([
      .numbers("  NODE"), .words("GROUP", keeping: .end), .numbers("IN"), .numbers("SIZE"),
      .numbers("COLD").spare, .numbers("BELOW"), .numbers("ROOM"), .numbers("CAP"),
      .numbers("WEIGHT"), .numbers("PART"),
    ])
    for node in attempt["nodes"].items {
      let group =
        node["cgroup"].string.map(printable) ?? "process \(ClientView.plain(node["pid"]).text)"
      table.add(
        [ClientView.plain(node["node"]), Table.Cell(group), ClientView.plain(node["parent"])]
          + ["size", "cold", "children_cap", "room", "cap"].map { Table.Cell(page.size(node[$0])) }
          + [Table.Cell(page.count(node["weight"])), Table.Cell(page.size(node["part"]))]
      )
    }
    return table
  }

  private static func clients(of attempt: JSONValue, _ page: Page) -> Table {
    var table = Table([
      .words("  CLIENT"), .words("NAME", keeping: .start), .numbers("NODE"), .numbers("TRUST"),
      .numbers("LEDGER"), .numbers("SIZE"), .numbers("COLD").spare, .numbers("CAP"),
      .numbers("WEIGHT"), .numbers("FAIR").spare, .numbers("PART"),
    ])
    for client in attempt["clients"].items {
      let isLeftOut = client["left_out"].bool == true
      table.add(
        [
          Table.Cell("  " + page.word(client["session"])), Table.Cell(page.word(client["name"])),
          ClientView.plain(client["node"]), Table.Cell(page.fraction(client["trust"])),
        ] + ["ledger", "size", "cold", "cap"].map { Table.Cell(page.size(client[$0])) } + [
          Table.Cell(page.count(client["weight"])), Table.Cell(page.size(client["fair"])),
          Table.Cell(isLeftOut ? "left out" : page.size(client["part"])),
        ]
      )
    }
    return table
  }

  private static func caches(of attempt: JSONValue, _ page: Page) -> Table {
    var table = Table([
      .words("  CLIENT"), .numbers("CACHE"), .numbers("BYTES"), .numbers("RECLAIMABLE"),
      .numbers("FLOOR"), .numbers("IN FLIGHT").spare, .numbers("COLD").spare, .numbers("SHARE"),
      .numbers("COST"), .numbers("CAP"), .numbers("WEIGHT"), .numbers("PART"), .numbers("ASK"),
      .numbers("ASKED"),
    ])
    for client in attempt["clients"].items {
      for cache in client["caches"].items {
        table.add(
          [Table.Cell("  " + page.word(client["session"])), ClientView.plain(cache["id"])]
            + ["bytes", "reclaimable", "floor", "in_flight", "cold"]
            .map { Table.Cell(page.size(cache[$0])) }
            + [
              Table.Cell(page.count(cache["share"])),
              Table.Cell(page.microseconds(cache["cost_us_per_mib"])),
              Table.Cell(page.size(cache["cap"])), Table.Cell(page.count(cache["weight"])),
            ] + ["part", "ask", "asked"].map { Table.Cell(page.size(cache[$0])) }
        )
      }
    }
    return table
  }
}
