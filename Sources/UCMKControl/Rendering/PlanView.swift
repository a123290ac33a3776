// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// `plan`: who would be asked for what, and why.
package enum PlanView {
  /// The lines of a `plan` result, with the arithmetic of each client where `showsSteps`.
  package static func lines(_ plan: JSONValue, showsSteps: Bool, _ page: Page) -> [String] {
    var lines = [
      page.style.paint(
        "\(page.size(plan["target"])) at \(page.word(plan["level"])) on "
          + "\(page.scope(plan["scope"])): nothing is sent",
        .strong
      ),
      RoundView.aim(plan, page) + ", unmet \(page.size(plan["unmet"]))",
      "",
    ]
    let clients = plan["clients"].items
    if clients.isEmpty {
      lines.append("nobody would be asked")
    } else {
      lines += page.lines(table(plan, page))
    }
    let excluded = plan["excluded"].items
    if !excluded.isEmpty { lines += ["", "not asked:"] + excluded.map { line(of: $0, page) } }
    if showsSteps {
      for client in clients { lines += [""] + ExplainView.client(client, page) }
    }
    return lines
  }

  /// One client that is not asked, and why.
  static func line(of client: JSONValue, _ page: Page) -> String {
    let reason =
      switch client["reason"].string {
      case "no-requests": "takes no requests to shrink"
      case "refuses": "refused a moment ago"
      case "breaker": "did not answer again and again"
      case "out": "was silent, late or refused earlier in the round"
      case "exhausted": "said that no more can come"
      case "newcomer": "came a moment ago"
      case "level": "none of its caches is asked at this level"
      case "nothing-left": "holds nothing above its floors"
      default: page.word(client["reason"])
      }
    return "  \(page.word(client["session"])) \(page.word(client["name"])): \(reason)"
  }

  private static func table(_ plan: JSONValue, _ page: Page) -> Table {
    var table = Table([
      .words("SESSION"), .words("CLIENT", keeping: .start), .words("CACHE", keeping: .start),
      .numbers("RECLAIMABLE").spare, .numbers("FLOOR").spare, .numbers("CAP"),
      .numbers("WEIGHT"), .numbers("PART"), .numbers("ASKED"),
    ])
    for client in plan["clients"].items {
      for cache in client["caches"].items {
        let inputs = ExplainView.inputs(of: cache, in: client)
        table.add([
          Table.Cell(page.word(client["session"])), Table.Cell(page.word(client["name"])),
          Table.Cell(page.word(cache["name"])), Table.Cell(page.size(inputs["reclaimable"])),
          Table.Cell(page.size(inputs["floor"])), Table.Cell(page.size(inputs["cap"])),
          Table.Cell(page.count(inputs["weight"])), Table.Cell(page.size(cache["part"])),
          Table.Cell(page.size(cache["asked"])),
        ])
      }
    }
    let asked = ClientView.sum("asked", of: plan["clients"].items)
    table.add(
      [Table.Cell("total", .strong), "", "", "", "", "", ""]
        + [Table.Cell(page.size(plan["part"]), .strong), Table.Cell(page.size(asked), .strong)]
    )
    return table
  }
}
