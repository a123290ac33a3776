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
    guard !clients.isEmpty else { return lines + ["nobody would be asked"] }
    lines += page.lines(table(plan, page))
    if showsSteps {
      for client in clients { lines += [""] + ExplainView.client(client, page) }
    }
    return lines
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
