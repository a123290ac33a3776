// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// `clients` and `clients ID`.
package enum ClientView {
  /// A table of all clients that the daemon told of.
  package static func list(_ clients: [JSONValue], _ page: Page) -> [String] {
    guard !clients.isEmpty else { return ["no clients"] }
    let allMembers = clients.allSatisfy { $0["kind"].string == "member" }
    var table = Table(
      [.words("SESSION"), .words("NAME", keeping: .start)]
        + (allMembers ? [] : [.words("KIND")])
        + [
          .numbers("PID"), .numbers("UID").spare, .numbers("CACHES"), .numbers("SIZE"),
          .numbers("RECLAIMABLE"), .numbers("TRUST"), .words("CGROUP", keeping: .end),
        ]
    )
    for client in clients {
      let caches = client["caches"].items
      table.add(
        [Table.Cell(page.word(client["session"])), Table.Cell(page.word(client["name"]))]
          + (allMembers ? [] : [Table.Cell(page.word(client["kind"]))])
          + [
            plain(client["pid"]), plain(client["uid"]), Table.Cell(String(caches.count)),
            Table.Cell(page.size(sum("bytes", of: caches))),
            Table.Cell(page.size(sum("reclaimable", of: caches))),
            Table.Cell(page.fraction(client["trust"])), Table.Cell(page.word(client["cgroup"])),
          ]
      )
    }
    return page.lines(table)
  }

  /// Everything that is known of one client, with its last rounds.
  package static func detail(_ client: JSONValue, _ page: Page) -> [String] {
    var lines = [
      page.style.paint("\(page.word(client["session"])) \(page.word(client["name"]))", .strong),
      page.fact("kind", page.word(client["kind"])),
      page.fact("process", "\(plain(client["pid"]).text), uid \(plain(client["uid"]).text)"),
      page.fact("cgroup", page.word(client["cgroup"])),
      page.fact("trust", page.fraction(client["trust"]) + " (measured of what was asked)"),
      page.fact("last round", plain(client["last_round"]).text),
    ]
    let caches = client["caches"].items
    lines += [""]
    lines += caches.isEmpty ? ["no caches"] : page.lines(cacheTable(caches, page))
    let history = client["history"].items
    if !history.isEmpty { lines += [""] + page.lines(historyTable(history, page)) }
    return lines
  }

  private static func cacheTable(_ caches: [JSONValue], _ page: Page) -> Table {
    // What a client need not tell has a column where one does.
    let isColdKnown = caches.contains { !$0["cold"].isNull }
    let isRefillKnown = caches.contains { !$0["refill_us_per_mib"].isNull }
    var table = Table(
      [.words("CACHE", keeping: .start), .numbers("ID"), .numbers("SIZE"), .numbers("RECLAIMABLE")]
        + (isColdKnown ? [.numbers("COLD").spare] : [])
        + [
          .numbers("FLOOR"), .numbers("LIMIT"), .numbers("SHARE"), .numbers("COST/MiB").spare,
        ]
        + (isRefillKnown ? [.numbers("REFILL/MiB").spare] : [])
        + [.words("FROM")]
    )
    for cache in caches {
      table.add(
        [
          Table.Cell(page.word(cache["name"])), plain(cache["id"]),
          Table.Cell(page.size(cache["bytes"])), Table.Cell(page.size(cache["reclaimable"])),
        ]
          + (isColdKnown ? [Table.Cell(page.size(cache["cold"]))] : [])
          + [
            Table.Cell(page.size(cache["floor"])), Table.Cell(page.size(cache["limit"])),
            plain(cache["share"]), Table.Cell(page.microseconds(cache["cost_us_per_mib"])),
          ]
          + (isRefillKnown ? [Table.Cell(page.microseconds(cache["refill_us_per_mib"]))] : [])
          + [page.levelCell(cache["min_level"])]
      )
    }
    return table
  }

  private static func historyTable(_ history: [JSONValue], _ page: Page) -> Table {
    var table = Table([
      .numbers("ROUND"), .numbers("ASKED"), .numbers("CLAIMED"), .numbers("MEASURED"),
      .numbers("TOOK"), .words("OUTCOME"),
    ])
    for round in history {
      table.add([
        plain(round["round"]), Table.Cell(page.size(round["asked"])),
        Table.Cell(page.size(round["claimed"])), Table.Cell(page.size(round["measured"])),
        Table.Cell(page.duration(round["took_ms"])), RoundView.outcome(round["outcome"], page),
      ])
    }
    return table
  }

  /// A number as it is, for those that are names.
  static func plain(_ value: JSONValue) -> Table.Cell {
    Table.Cell(value.integer.map { String($0) } ?? "-")
  }

  /// The sum of one member of all items; saturates.
  static func sum(_ key: String, of items: [JSONValue]) -> Int64 {
    items.reduce(0) { sum, item in
      let (next, overflow) = sum.addingReportingOverflow(item[key].integer ?? 0)
      return overflow ? .max : next
    }
  }
}
