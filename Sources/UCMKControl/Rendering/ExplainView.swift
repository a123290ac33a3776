// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// `explain`: the arithmetic of a round, in words and numbers.
package enum ExplainView {
  /// The lines of a `round.get` result.
  package static func lines(_ round: JSONValue, _ page: Page) -> [String] {
    let measured = round["dry_run"].bool == true ? "claimed (a dry run)" : "measured"
    var lines = [
      page.style.paint("round \(RoundView.headline(round, page))", .strong),
      "target      \(page.size(round["target"])), what the round was to get back",
      "capacity    \(page.size(round["capacity"])), the most that all together could be asked for",
      "part        \(page.size(round["part"])), the smaller of the two: it is what was divided",
      "asked       \(page.size(round["asked"])), over all attempts",
      "claimed     \(page.size(round["claimed"])), what the clients say they freed",
      "measured    \(page.size(round["measured"])), what the daemon saw come back",
      "unmet       \(page.size(round["unmet"])), target less \(measured)",
    ]
    if round["clients_forgotten"].bool == true {
      lines += ["", "its clients are forgotten: newer rounds took their place"]
    }
    for client in round["clients"].items { lines += [""] + self.client(client, page) }
    for attempt in round["attempts"].items { lines += [""] + AttemptView.lines(attempt, page) }
    return lines
  }

  /// One client: its sums, what went in for each cache, and the steps.
  static func client(_ client: JSONValue, _ page: Page) -> [String] {
    var title = "\(page.word(client["session"])) \(page.word(client["name"]))"
    title += " (pid \(ClientView.plain(client["pid"]).text)): " + amounts(of: client, page)
    var lines = [page.style.paint(title, .strong)]
    if let outcome = client["outcome"].string {
      lines[0] += " - \(printable(outcome)) in \(page.duration(client["took_ms"]))"
    }
    for cache in client["caches"].items {
      let name = "\(page.word(cache["name"])) (\(ClientView.plain(cache["id"]).text))"
      lines.append("  cache \(name): \(amounts(of: cache, page))")
      lines += inputLines(inputs(of: cache, in: client), page)
    }
    for (index, step) in client["steps"].items.enumerated() {
      lines.append("  \(index + 1). \(page.word(step["text"])): \(value(of: step, page))")
    }
    return lines
  }

  private static func amounts(of values: JSONValue, _ page: Page) -> String {
    ["part", "asked", "claimed", "measured"].filter { !values[$0].isNull }
      .map { "\($0) \(page.size(values[$0]))" }
      .joined(separator: ", ")
  }

  /// What went into the split for one cache.
  ///
  /// The protocol fixes the numbers and leaves their arrangement to the daemon; an array or an
  /// object by id or name, and numbers that hold for the whole client, are all understood.
  static func inputs(of cache: JSONValue, in client: JSONValue) -> JSONValue {
    let inputs = client["inputs"]
    let rows = inputs.items.isEmpty ? inputs["caches"].items : inputs.items
    if let row = rows.first(where: { $0["id"] == cache["id"] && !cache["id"].isNull }) {
      return row
    }
    if let id = cache["id"].integer, case .object = inputs[String(id)] {
      return inputs[String(id)]
    }
    if let name = cache["name"].string, case .object = inputs[name] { return inputs[name] }
    return inputs
  }

  private static func inputLines(_ inputs: JSONValue, _ page: Page) -> [String] {
    var table = Table([.words("    INPUT"), .numbers("VALUE"), .words("MEANING")])
    for member in inputs.members {
      switch member.value {
      case .array, .object, .null: continue
      case .bool, .integer, .number, .string: break
      }
      // The name of the cache stands above.
      if member.key == "id" || member.key == "name" { continue }
      let (text, meaning) = describe(member, page)
      table.add([Table.Cell("    \(member.key)"), Table.Cell(text), Table.Cell(meaning)])
    }
    return table.isEmpty ? [] : Array(page.lines(table).dropFirst())
  }

  private static func describe(_ input: JSONValue.Member, _ page: Page) -> (String, String) {
    let value = input.value
    return switch input.key {
    case "bytes": (page.size(value), "the size of the cache")
    case "reclaimable": (page.size(value), "what it says it could free now")
    case "measured": (page.size(value), "what the process really holds")
    case "share": (page.count(value), "granted by the administrator, lowered by the client")
    case "cost_us_per_mib": (page.microseconds(value), "to rebuild one MiB")
    case "refill_us_per_mib": (page.microseconds(value), "the same, as the client measured it")
    case "vouched": (plain(value, page), "whether what it measured counts in the wide band")
    case "cold": (page.size(value), "what nothing used for a minute: goes first")
    case "trust": (page.fraction(value), "measured of what was asked, so far")
    case "ledger": (page.size(value), "given before beyond its fair part")
    case "floor": (page.size(value), "kept at this level")
    case "cap": (page.size(value), "the most it can be asked for")
    case "weight": (page.count(value), "share times clamped cost: the heavier, the more it keeps")
    default: (plain(value, page), "")
    }
  }

  private static func value(of step: JSONValue, _ page: Page) -> String {
    step["unit"].string == "bytes" ? page.size(step["value"]) : plain(step["value"], page)
  }

  private static func plain(_ value: JSONValue, _ page: Page) -> String {
    switch value {
    case .integer: page.count(value)
    case .string(let text): printable(text)
    case .null: "-"
    case .bool, .number, .array, .object: printable(value.line)
    }
  }
}
