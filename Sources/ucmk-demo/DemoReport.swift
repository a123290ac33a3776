// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKControl
import UCMKLinux

/// What the demonstration saw: the numbers of `demo.json` and the sentence for people.
struct DemoReport {
  /// One client's story.
  struct Client {
    let name: String
    /// The cache's size at the beginning, the least it was, and now.
    var start: Int64 = 0, low: Int64 = 0, end: Int64 = 0
    /// Sums over all rounds.
    var asked: Int64 = 0, claimed: Int64 = 0, measured: Int64 = 0
    /// What the last round's split gave it.
    var lastPart: Int64 = 0
  }

  let mode: String
  var clients: [Client] = []
  var rounds: Int64 = 0
  var level = "none"
  var oomKills: UInt64 = 0
  private var pressureEvents: Int64 = 0
  private var watermarkEvents: Int64 = 0

  /// Of what was asked for, this much must have come back.
  static let returnedPercent: Int64 = 80

  init(mode: String) { self.mode = mode }

  // MARK: - Taking in

  mutating func note(_ client: JSONValue) {
    guard let name = client["name"].string else { return }
    let bytes = client["caches"].items.reduce(0) { $0 + ($1["bytes"].integer ?? 0) }
    let index = index(of: name)
    clients[index].end = bytes
    clients[index].low = min(clients[index].low, bytes)
  }

  /// The caches are full: sizes count from here.
  mutating func begin() {
    for index in clients.indices {
      clients[index].start = clients[index].end
      clients[index].low = clients[index].end
    }
  }

  mutating func note(status: JSONValue) {
    rounds = status["counts"]["rounds"].integer ?? 0
    pressureEvents = status["counts"]["alarms"].integer ?? 0
    watermarkEvents = status["counts"]["rounds_by_watermark"].integer ?? 0
    level = status["level"].string ?? level
  }

  mutating func note(round: JSONValue) {
    for client in round["clients"].items {
      guard let name = client["name"].string else { continue }
      let index = index(of: name)
      clients[index].asked += client["asked"].integer ?? 0
      clients[index].claimed += client["claimed"].integer ?? 0
      clients[index].measured += client["measured"].integer ?? 0
      clients[index].lastPart = client["part"].integer ?? 0
    }
  }

  private mutating func index(of name: String) -> Int {
    if let known = clients.firstIndex(where: { $0.name == name }) { return known }
    clients.append(Client(name: name))
    return clients.count - 1
  }

  // MARK: - Giving out

  private func sum(_ path: KeyPath<Client, Int64>) -> Int64 {
    clients.reduce(0) { $0 + $1[keyPath: path] }
  }

  /// Whether the demonstration showed what it is for.
  var isGood: Bool {
    rounds > 0 && pressureEvents > 0 && oomKills == 0 && sum(\.asked) > 0
      && sum(\.measured) * 100 >= sum(\.asked) * DemoReport.returnedPercent
  }

  var json: JSONValue {
    [
      "mode": .string(mode),
      "rounds": .integer(rounds),
      "events": ["psi": .integer(pressureEvents), "watermark": .integer(watermarkEvents)],
      "asked": .integer(sum(\.asked)),
      "claimed": .integer(sum(\.claimed)),
      "measured": .integer(sum(\.measured)),
      "oom_kills": .integer(Int64(clamping: oomKills)),
      "clients": .array(
        clients.map { client in
          [
            "name": .string(client.name), "start": .integer(client.start),
            "low": .integer(client.low), "end": .integer(client.end),
            "asked": .integer(client.asked), "measured": .integer(client.measured),
          ]
        }
      ),
    ]
  }

  func write(to path: String) throws {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw SystemError(call: "open", path: path, errno: errno) }
    defer { _ = close(file) }
    let bytes = Array((json.document + "\n").utf8)
    guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else {
      throw SystemError(call: "write", path: path, errno: errno)
    }
  }

  var summary: String {
    let asked = sum(\.asked)
    let percent = asked > 0 ? sum(\.measured) * 100 / asked : 0
    var text = "\nThe kernel reported pressure \(Quantity.plural(pressureEvents, "time")); "
    text += "\(Quantity.plural(rounds, "round")) asked for \(Quantity.size(asked)). "
    text += "The programs say they freed \(Quantity.size(sum(\.claimed))); "
    text += "measured: \(Quantity.size(sum(\.measured))) (\(percent) %). "
    text += oomKills == 0 ? "Nothing was killed.\n" : "\(oomKills) were killed.\n"
    for client in clients {
      text += "  \(client.name): \(Quantity.size(client.start)), at least "
      text += "\(Quantity.size(client.low)), now \(Quantity.size(client.end)); "
      text += "asked \(Quantity.size(client.asked)), gave \(Quantity.size(client.measured))\n"
    }
    text += isGood ? "" : "This is not what the demonstration should show.\n"
    return text
  }
}
