// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// `status`: one screen.
package struct StatusView {
  let status: JSONValue
  /// The newest round, where the caller may see it; null otherwise.
  let lastRound: JSONValue
  let page: Page

  /// Makes the view of a `daemon.status` result.
  package init(status: JSONValue, lastRound: JSONValue = .null, page: Page) {
    self.status = status
    self.lastRound = lastRound
    self.page = page
  }

  /// The lines of the screen.
  package var lines: [String] {
    var lines = [title, page.fact("state", state), page.fact("level", page.level(status["level"]))]
    lines += exhausted + pressure + memory + clients + round + surfaces
    let domains = self.domains
    if !domains.isEmpty { lines += [""] + page.lines(domains) }
    let triggers = self.triggers
    if !triggers.isEmpty { lines += [""] + page.lines(triggers) }
    return lines
  }

  private var title: String {
    let version = page.word(status["version"])
    return page.style.paint("ucmkd \(version)", .strong)
      + ", protocol \(page.count(status["protocol"])), up \(page.duration(status["uptime_ms"]))"
  }

  private var state: String {
    let word = page.word(status["state"])
    switch word {
    case "degraded": return page.style.paint(word, .bad)
    case "paused": return page.style.paint(word, .warning)
    default: return word
    }
  }

  private var exhausted: [String] {
    let scopes = status["domains"].items.filter { $0["exhausted"].bool == true }
      .map { page.scope($0["scope"]) }
    guard !scopes.isEmpty else { return [] }
    let text = page.style.paint("caches have nothing left to give", .bad)
    return [page.fact("exhausted", "\(scopes.joined(separator: ", ")): \(text)")]
  }

  private var pressure: [String] {
    let psi = status["psi"]
    guard !psi["some"].isNull else { return [page.fact("pressure", "the host has no PSI")] }
    return ["some", "full"].enumerated().map { index, kind in
      let averages = ["avg10", "avg60", "avg300"].map { key in
        let text = page.fraction(psi[kind][key])
        return String(repeating: " ", count: max(0, 8 - text.count)) + text
      }
      let text = kind + "  " + averages.joined(separator: "  ")
      return page.fact(
        index == 0 ? "pressure" : "",
        text + (index == 0 ? "  over 10 s, 60 s, 300 s" : "")
      )
    }
  }

  private var host: JSONValue {
    status["domains"].items.first { $0["scope"]["kind"].string == "host" } ?? .null
  }

  private var memory: [String] {
    let memory = status["memory"]
    let marks = [("low", "L"), ("high", "H"), ("grow", "G")]
    let bar = MemoryBar(
      total: memory["total"].integer ?? 0,
      available: memory["available"].integer ?? 0,
      marks: marks.compactMap { key, letter in host[key].integer.map { ($0, letter) } }
    )
    let available = "\(page.size(memory["available"])) of \(page.size(memory["total"])) available"
    let watermarks = marks.map { key, _ in "\(key) \(page.size(host[key]))" }
    return [
      page.fact("memory", "\(bar.text)  \(available)"),
      page.fact(
        "",
        (watermarks + ["swap free \(page.size(memory["swap_free"]))"]).joined(separator: ", ")
      ),
    ]
  }

  private var clients: [String] {
    let (counts, bytes) = (status["counts"], status["bytes"])
    return [
      page.fact(
        "clients",
        "\(page.count(counts["clients"])) with \(page.count(counts["caches"])) caches: "
          + "\(page.size(bytes["registered"])) registered, "
          + "\(page.size(bytes["reclaimable"])) reclaimable"
      )
    ]
  }

  private var round: [String] {
    let (counts, bytes) = (status["counts"], status["bytes"])
    var lines = [
      page.fact(
        "rounds",
        "\(page.count(counts["rounds"])), \(page.count(counts["timeouts"])) timeouts: "
          + RoundView.sums(of: bytes, page)
      )
    ]
    let dropped = [("reports_dropped", "reports"), ("notifications_dropped", "notifications")]
      .filter { key, _ in counts[key].integer ?? 0 > 0 }
      .map { key, noun in "\(page.count(counts[key])) \(noun)" }
    if !dropped.isEmpty {
      lines.append(page.fact("dropped", dropped.joined(separator: ", ")))
    }
    guard let number = status["last_round"].integer else { return lines }
    guard lastRound["round"].integer != nil else {
      return lines + [page.fact("last round", String(number))]
    }
    return lines + [
      page.fact("last round", RoundView.headline(lastRound, page)),
      page.fact("", RoundView.sums(of: lastRound, page) + RoundView.time(lastRound, page)),
    ]
  }

  private var surfaces: [String] {
    let texts = status["surfaces"].members.map { member in
      let state = page.word(member.value)
      let tint: Style.Tint = state == "on" ? .good : state == "off" ? .plain : .bad
      return "\(printable(member.key)) \(page.style.paint(state, tint))"
    }
    return texts.isEmpty ? [] : [page.fact("surfaces", texts.joined(separator: ", "))]
  }

  private var domains: Table {
    var table = Table([
      .words("DOMAIN", keeping: .end), .words("STATE"), .words("LEVEL"), .numbers("AVAILABLE"),
      .numbers("OF"), .numbers("LOW"), .numbers("HIGH"), .numbers("GROW").spare,
    ])
    for domain in status["domains"].items {
      table.add(
        [Table.Cell(page.scope(domain["scope"])), Table.Cell(page.word(domain["state"]))]
          + [page.levelCell(domain["level"])]
          + ["available", "capacity", "low", "high", "grow"]
          .map { Table.Cell(page.size(domain[$0])) }
      )
    }
    return table
  }

  private var triggers: Table {
    var table = Table([
      .words("TRIGGER ON", keeping: .end), .words("KIND"), .numbers("STALL"), .numbers("WITHIN"),
      .words("SOURCE"),
    ])
    for trigger in status["triggers"].items {
      let source = page.word(trigger["source"])
      table.add([
        Table.Cell(page.scope(trigger["scope"])),
        Table.Cell(page.word(trigger["kind"])),
        Table.Cell(page.microseconds(trigger["stall_us"])),
        Table.Cell(page.microseconds(trigger["window_us"])),
        Table.Cell(source, source == "average" ? .notice : .plain),
      ])
    }
    return table
  }
}
