// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// `watch`: one event on one line.
package enum EventLine {
  /// The line of an `event` notification's params that came at the time of day `clock`.
  package static func text(_ event: JSONValue, at clock: String, _ page: Page) -> String {
    let topic = page.word(event["topic"])
    let room = String(repeating: " ", count: max(1, 10 - topic.count))
    var line = "\(clock)  \(topic)\(room)\(describe(topic, event["data"], page))"
    if let dropped = event["dropped"].integer, dropped > 0 {
      line += page.style.paint(" (\(Quantity.plural(dropped, "event")) before this lost)", .warning)
    }
    return line
  }

  private static func describe(_ topic: String, _ data: JSONValue, _ page: Page) -> String {
    switch topic {
    case "pressure": pressure(data, page)
    case "rounds": round(data, page)
    case "clients": client(data, page)
    case "status": status(data, page)
    default: printable(data.line)
    }
  }

  private static func pressure(_ data: JSONValue, _ page: Page) -> String {
    if !data["exhausted"].isNull { return exhaustion(data, page) }
    let now = data["to"].isNull ? data["level"] : data["to"]
    let before = data["from"].isNull ? "" : "\(page.level(data["from"])) -> "
    return "\(page.scope(data["scope"])): \(before)\(page.level(now))"
  }

  private static func exhaustion(_ data: JSONValue, _ page: Page) -> String {
    let isExhausted = data["exhausted"].bool == true
    let text = isExhausted ? page.style.paint("caches have nothing left to give", .bad) : "relieved"
    return "\(page.scope(data["scope"])): \(page.level(data["level"])), \(text)"
  }

  private static func round(_ data: JSONValue, _ page: Page) -> String {
    let number = ClientView.plain(data["round"]).text
    let place = "\(page.scope(data["scope"])) at \(page.level(data["level"]))"
    guard data["state"].string != "open" else {
      return "\(number) opened on \(place): target \(page.size(data["target"]))"
    }
    return "\(number) closed on \(place): \(RoundView.sums(of: data, page))"
      + RoundView.time(data, page)
  }

  private static func client(_ data: JSONValue, _ page: Page) -> String {
    // The daemon may put the client beside the word for what became of it.
    let client = data["client"].isNull ? data : data["client"]
    let change = ["change", "event", "state"].compactMap { data[$0].string }.first ?? "changed"
    guard !client["name"].isNull else {
      return "\(page.word(data["session"])) \(printable(change))"
    }
    let caches = client["caches"].items
    return "\(page.word(client["session"])) \(page.word(client["name"])) \(printable(change)): "
      + "\(Quantity.plural(Int64(caches.count), "cache")), "
      + "\(page.size(ClientView.sum("reclaimable", of: caches))) reclaimable"
  }

  private static func status(_ data: JSONValue, _ page: Page) -> String {
    "\(page.word(data["state"])), level \(page.level(data["level"])), "
      + "\(page.size(data["memory"]["available"])) available, "
      + "\(page.size(data["bytes"]["reclaimable"])) reclaimable of "
      + "\(page.count(data["counts"]["clients"])) clients"
  }
}
