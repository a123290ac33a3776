// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A JSON object, for somebody who has nothing else.
struct ExplainedObject {
  let members: [String: Any]

  init(_ value: Any?) { members = value as? [String: Any] ?? [:] }

  init(parsing text: String) throws {
    self.init(try JSONSerialization.jsonObject(with: Data(text.utf8)))
  }

  func number(_ key: String) -> UInt64 { (members[key] as? NSNumber)?.uint64Value ?? 0 }
  func signed(_ key: String) -> Int64 { (members[key] as? NSNumber)?.int64Value ?? 0 }
  func flag(_ key: String) -> Bool { (members[key] as? NSNumber)?.boolValue ?? false }
  func word(_ key: String) -> String { members[key] as? String ?? "" }
  func isNull(_ key: String) -> Bool { members[key] == nil || members[key] is NSNull }

  func list(_ key: String) -> [ExplainedObject] {
    (members[key] as? [Any] ?? []).map { ExplainedObject($0) }
  }
}

/// One attempt of a round computed again from what `round.get` prints of it, and how that differs
/// from what is printed.
struct Recomputation {
  private(set) var mismatches: [String] = []
  /// How many numbers were compared.
  private(set) var compared = 0

  private let attempt: ExplainedObject
  private let clients: [ExplainedObject], nodes: [ExplainedObject]
  private var median: UInt64 = 0
  private var caches: [[ExplainedParty]] = [], parties: [ExplainedParty] = []
  private var isLeftOut: [Bool] = [], parts: [UInt64] = []
  private var nodeParties: [ExplainedParty] = [], nodeParts: [UInt64] = []
  /// What those below each node could give together.
  private var childrenCaps: [UInt64] = []

  init(_ attempt: ExplainedObject) {
    self.attempt = attempt
    clients = attempt.list("clients")
    nodes = attempt.list("nodes")
    weigh(declared: !attempt.flag("settled"))
    divide()
    compareFair()
    weigh(declared: true)
    divide()
    if attempt.flag("bounded") { leaveOut() }
    compareParties()
    compareParts()
  }

  private var isBand: Bool { attempt.word("rule") == "band" }

  private mutating func expect(_ name: String, _ printed: UInt64, _ computed: UInt64) {
    compared += 1
    if printed != computed { mismatches.append("\(name): \(printed), computed \(computed)") }
  }

  // MARK: - What everybody enters with

  /// - Parameter declared: Whether costs count that nobody vouches for.
  private mutating func weigh(declared: Bool) {
    caches = []
    parties = []
    let costs = clients.flatMap { $0.list("caches").map { $0.number("cost_us_per_mib") } }.sorted()
    median = costs.isEmpty ? 0 : costs[(costs.count - 1) / 2]
    for client in clients {
      var room = client.isNull("probe") ? UInt64.max : client.number("probe")
      var rows: [ExplainedParty] = []
      for cache in client.list("caches") {
        let askable = min(askable(cache), room)
        if room < .max { room -= askable }
        let trust = BigRational(client.number("trust")) / BigRational(10_000)
        let cap = (BigRational(askable) * trust).floor
        let band = band(of: cache, client)
        let counts = !isBand && (declared || cache.flag("vouched"))
        rows.append(
          ExplainedParty(
            size: cache.number("bytes"),
            cap: cap,
            weight: cache.number("share") * (counts ? band : 10_000),
            cold: min((BigRational(cache.number("cold_reported")) * trust).floor, cap),
            cost: band
          )
        )
      }
      var party = ExplainedParty.sum(of: rows)
      let ledger = client.signed("ledger")
      party.size = moved(party.size, by: ledger, cap: party.cap)
      party.deferred = ledger < 0 ? ledger.magnitude : 0
      caches.append(rows)
      parties.append(party)
    }
    isLeftOut = clients.map { _ in false }
  }

  private func askable(_ cache: ExplainedObject) -> UInt64 {
    let (bytes, floor) = (cache.number("bytes"), cache.number("floor"))
    let above = min(cache.number("reclaimable"), bytes - min(bytes, floor))
    return above - min(above, cache.number("in_flight"))
  }

  /// What a declared cost counts of the band fades with what the ledger says was had for it.
  private func band(of cache: ExplainedObject, _ client: ExplainedObject) -> UInt64 {
    let band = wholeBand(of: cache)
    let ledger = client.signed("ledger")
    guard !cache.flag("vouched"), band > 10_000 ? ledger < 0 : ledger > 0 else { return band }
    let credit = client.list("caches").reduce(0) { $0 + $1.number("bytes") } / 16
    let left = credit - min(credit, ledger.magnitude)
    guard left > 0 else { return 10_000 }
    let away = band > 10_000 ? band - 10_000 : 10_000 - band
    let counts = (BigRational(away) * BigRational(left) / BigRational(credit)).floor
    return band > 10_000 ? 10_000 + counts : 10_000 - counts
  }

  private func wholeBand(of cache: ExplainedObject) -> UInt64 {
    guard median > 0 else { return 10_000 }
    let exact = BigRational(cache.number("cost_us_per_mib")) / BigRational(median)
    let parts = (exact * BigRational(10_000)).floor
    return cache.flag("vouched")
      ? min(max(parts, 1_250), 80_000) : min(max(parts, 5_000), 20_000)
  }

  /// Whoever gave more than its part looks smaller, whoever owes looks larger.
  private func moved(_ size: UInt64, by ledger: Int64, cap: UInt64) -> UInt64 {
    let shifted =
      ledger > 0 ? size - min(size, ledger.magnitude) : size + ledger.magnitude
    return max(min(max(shifted, size / 2), 2 * size), cap)
  }

  // MARK: - The tree

  private func children(of node: Int) -> (nodes: [Int], clients: [Int]) {
    (
      nodes.indices.filter { $0 > 0 && nodes[$0].number("parent") == UInt64(node) },
      clients.indices.filter { clients[$0].number("node") == UInt64(node) }
    )
  }

  /// Adds up from the leaves, then gives each its part from the root down.
  private mutating func divide() {
    nodeParties = nodes.map { _ in ExplainedParty() }
    childrenCaps = nodes.map { _ in 0 }
    nodeParts = nodes.map { _ in 0 }
    parts = clients.map { _ in 0 }
    guard !nodes.isEmpty else { return }
    var entries = parties
    for index in entries.indices where isLeftOut[index] { entries[index].cap = 0 }
    for node in nodes.indices.reversed() {
      let below = children(of: node)
      var party = ExplainedParty.sum(
        of: below.nodes.map { nodeParties[$0] } + below.clients.map { entries[$0] }
      )
      childrenCaps[node] = party.cap
      if !nodes[node].isNull("room") {
        party.cap = min(party.cap, nodes[node].number("room"))
        party.cold = min(party.cold, party.cap)
      }
      nodeParties[node] = party
    }
    nodeParts[0] = min(attempt.number("target"), nodeParties[0].cap)
    for node in nodes.indices {
      let below = children(of: node)
      let given = ExplainedSplit.parts(
        of: nodeParts[node],
        by: attempt.word("rule"),
        over: below.nodes.map { nodeParties[$0] } + below.clients.map { entries[$0] }
      )
      for (place, child) in below.nodes.enumerated() { nodeParts[child] = given[place] }
      for (place, child) in below.clients.enumerated() {
        parts[child] = given[below.nodes.count + place]
      }
    }
  }

  private mutating func compareFair() {
    for (index, part) in parts.enumerated() {
      expect("\(name(index)) fair", clients[index].number("fair"), part)
    }
  }

  /// Of small quotas the smaller half goes, again and again, as long as the others have room; at
  /// low only 64 are asked.
  private mutating func leaveOut() {
    let giving = ranked(below: .max)
    if attempt.word("level") == "low", giving.count > 64 {
      for index in giving.prefix(giving.count - 64) { isLeftOut[index] = true }
      divide()
    }
    for _ in 0..<16 {
      let small = ranked(below: 256 << 10)
      guard !small.isEmpty else { return }
      var room = nodeParties[0].cap - nodeParts[0]
      var isSame = true
      for index in small.prefix((small.count + 1) / 2) where parties[index].cap <= room {
        room -= parties[index].cap
        isLeftOut[index] = true
        isSame = false
      }
      if isSame { return }
      divide()
    }
  }

  /// Those that give less than `limit`, the smallest first, the later client first.
  private func ranked(below limit: UInt64) -> [Int] {
    parts.indices.filter { parts[$0] > 0 && parts[$0] < limit }
      .sorted { parts[$0] != parts[$1] ? parts[$0] < parts[$1] : $0 > $1 }
  }

  // MARK: - Comparison

  private func name(_ client: Int) -> String { clients[client].word("session") }

  private mutating func compareParties() {
    expect("median", attempt.number("median_cost_us_per_mib"), median)
    expect("capacity", attempt.number("capacity"), nodeParties.first?.cap ?? 0)
    expect("part", attempt.number("part"), nodeParts.first ?? 0)
    for (index, node) in nodes.enumerated() {
      expect("node \(index) children_cap", node.number("children_cap"), childrenCaps[index])
      expect("node \(index) part", node.number("part"), nodeParts[index])
      compare(node, "node \(index)", nodeParties[index])
    }
    for (index, client) in clients.enumerated() {
      compare(client, name(index), parties[index])
      expect("\(name(index)) part", client.number("part"), parts[index])
      expect("\(name(index)) left out", client.flag("left_out") ? 1 : 0, isLeftOut[index] ? 1 : 0)
      for (row, cache) in zip(caches[index], client.list("caches")) {
        let name = "\(name(index))/\(cache.number("id"))"
        compare(cache, name, row)
        expect("\(name) cost_band", cache.number("cost_band"), row.cost)
      }
    }
  }

  private mutating func compare(
    _ printed: ExplainedObject,
    _ name: String,
    _ party: ExplainedParty
  ) {
    expect("\(name) cap", printed.number("cap"), party.cap)
    expect("\(name) weight", printed.number("weight"), party.weight)
    expect("\(name) cold", printed.number("cold"), party.cold)
    guard printed.isNull("bytes") else { return }
    expect("\(name) size", printed.number("size"), party.size)
    expect("\(name) cost", printed.number("cost"), party.cost)
  }

  /// The parts of caches, what is asked for them, and what is sent.
  private mutating func compareParts() {
    var rows: [(name: String, cache: ExplainedObject, part: UInt64, extra: UInt64)] = []
    for (index, client) in clients.enumerated() {
      let given = ExplainedSplit.parts(
        of: parts[index],
        by: attempt.word("rule"),
        over: caches[index]
      )
      var room = client.isNull("probe") ? UInt64.max : client.number("probe")
      for (cache, part) in zip(client.list("caches"), given) {
        let most = min(askable(cache), room)
        if room < .max { room -= most }
        let name = "\(name(index))/\(cache.number("id"))"
        expect("\(name) askable", cache.number("askable"), most)
        expect("\(name) part", cache.number("part"), part)
        let whole = BigRational(part) * BigRational(10_000) / BigRational(client.number("trust"))
        rows.append((name, cache, part, min(most, whole.ceiling) - part))
      }
    }
    let expected = rows.reduce(0) { $0 + $1.part }
    let extra = rows.reduce(0) { $0 + $1.extra }
    let most = 2 * attempt.number("target")
    let room = most - min(most, expected)
    for row in rows {
      var ask = row.part + row.extra
      if expected + extra > most {
        ask = row.part + (BigRational(row.extra) * BigRational(room) / BigRational(extra)).floor
      }
      expect("\(row.name) ask", row.cache.number("ask"), ask)
      let page = attempt.number("page_size")
      let pages = (min(ask, row.cache.number("reclaimable")) + page - 1) / page
      expect("\(row.name) asked", row.cache.number("asked"), row.part > 0 ? pages * page : 0)
    }
  }
}
