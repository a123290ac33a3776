// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// Looks over the broker's shoulder: keeps books of its own from events and effects alone, and
/// compares after every event.
struct Auditor {
  /// A request, as the client got it.
  struct Request {
    let client: ClientID, round: RoundID, attempt: UInt8
    let due: MonotonicInstant
    let isDryRun: Bool
    /// What was asked of each cache and is neither reported nor overdue.
    var bytes: [(cache: CacheID, bytes: UInt64)]
  }

  /// A round, as it was when it began.
  struct Opening {
    let round: RoundID, at: MonotonicInstant
    /// What each process had given back until then.
    let fallen: [Int32: UInt64]
  }

  /// How long a round may take, from its first request to its end.
  var patience = TimeSpan.seconds(15)
  /// The first thing that was wrong.
  private(set) var complaint: String?
  /// From the first request of a round to its end, at most.
  private(set) var longest = TimeSpan.zero
  /// What was met: rounds closed, outcomes, settlements with somebody in them.
  private(set) var rounds = 0, settlements = 0
  private(set) var outcomes = Set<RoundOutcome>()
  /// Whom people were told of: allocators that keep memory, clients that do not answer.
  private(set) var keepers = Set<ClientID>(), leftOut = Set<ClientID>()
  private var events = 0
  /// Of the rounds that end with one event the last: its settlement is there to be looked at.
  private var settled: RoundID?
  /// What each client was credited over all settlements, those that left among them.
  private(set) var booked: [ClientID: Int64] = [:]

  private(set) var requests: [Request] = []
  /// Requests whose time is over with the event that is handled.
  private var lapsed: [Request] = []
  /// Whoever joined and did not leave, and whether it is there.
  private(set) var present: [ClientID: Bool] = [:]
  private var limits: [ClientID: [CacheID: ByteCount]] = [:]
  /// Clients that may think otherwise of their limits than the broker: a message was lost.
  private var deaf = Set<ClientID>()
  private var openings: [Opening] = []
  var totals = Totals()
  /// What counted as measured of each process over all rounds.
  private var measured: [Int32: UInt64] = [:]

  /// Where a client was told to keep a cache.
  func told(_ client: ClientID, _ cache: CacheID) -> ByteCount? { limits[client]?[cache] }

  func isDeaf(_ client: ClientID) -> Bool { deaf.contains(client) }

  mutating func complain(_ text: String) { complaint = complaint ?? text }

  // MARK: - Before an event

  /// Books what an event says, before the broker hears it.
  mutating func note(_ event: Event, by broker: Broker, at now: MonotonicInstant) {
    switch event {
    case .joined(let client, _): if present[client] == nil { present[client] = true }
    case .detached(let client):
      if present[client] == true { present[client] = false }
      requests.removeAll { $0.client == client }
    case .reattached(let client, let facts):
      guard present[client] == false else { return }
      present[client] = true
      // Another program never heard of any limit.
      let process = broker.registry.index(of: client)
        .map { broker.registry.accounts[$0].facts.process }
      if process != facts.process { limits[client] = nil }
    case .left(let client):
      present[client] = nil
      limits[client] = nil
      requests.removeAll { $0.client == client }
    case .unregistered(let client, let cache):
      limits[client]?[cache] = nil
      for place in requests.indices where requests[place].client == client {
        requests[place].bytes.removeAll { $0.cache == cache }
      }
    case .freed(let client, let round, let attempt, let report):
      guard let place = index(client, round, attempt) else { return }
      requests[place].bytes.removeAll { $0.cache == report.cache }
    case .answered(let client, let round, let attempt),
      .refused(let client, let round, let attempt, _):
      if let place = index(client, round, attempt) { requests.remove(at: place) }
    case .undelivered(let client, let round, let attempt):
      if let place = index(client, round, attempt) { requests.remove(at: place) }
      // What was not delivered was not heard either.
      deaf.insert(client)
    case .ticked:
      lapsed = requests.filter { $0.due <= now }
      requests.removeAll { $0.due <= now }
    default: return
    }
  }

  private func index(_ client: ClientID, _ round: RoundID, _ attempt: UInt8) -> Int? {
    requests.firstIndex { $0.client == client && $0.round == round && $0.attempt == attempt }
  }

  // MARK: - After an event

  /// Looks at the effects in their order and then at the broker.
  mutating func check(
    _ broker: Broker,
    after event: Event,
    _ effects: [Effect],
    at now: MonotonicInstant,
    _ programs: [VillageProgram]
  ) {
    settled = nil
    for case .roundClosed(let round) in effects where broker.round(round)?.isDryRun == false {
      settled = round
    }
    for effect in effects {
      look(at: effect, of: broker, at: now, programs)
      if case .keepsMemory(let client) = effect { keepers.insert(client) }
      if case .leftOut(let client) = effect { leftOut.insert(client) }
    }
    lookAtAccounts(of: broker, at: now)
    lookAtRounds(of: broker, at: now)
    lookAtTotals(of: broker)
    lapsed.removeAll()
    events += 1
    // What other streams of events are tried with after each: here now and then, it takes as long
    // as everything else together.
    if events % 16 == 0, complaint == nil,
      let text = CoreInvariants.broken(in: broker, after: effects, at: now)
    {
      complain(text)
    }
    if let complaint, !complaint.hasSuffix("]") { self.complaint = complaint + " [after \(event)]" }
  }

  private mutating func look(
    at effect: Effect,
    of broker: Broker,
    at now: MonotonicInstant,
    _ programs: [VillageProgram]
  ) {
    switch effect {
    case .ask(let order): take(order, of: broker, at: now)
    case .limit(let client, let range), .relax(let client, _, _, let range):
      guard present[client] == true else { return complain("limits for \(client.name), gone") }
      for limit in broker.limits[range] { raise(limit, of: client) }
    case .cancel(let client, _, _), .leftOut(let client), .keepsMemory(let client):
      if present[client] == nil { complain("\(effect) names nobody") }
    case .roundOpened(let round):
      let fallen = programs.map { ($0.process, $0.fallen) }
      openings.append(
        Opening(round: round, at: now, fallen: Dictionary(uniqueKeysWithValues: fallen))
      )
      lookAtSplit(round, of: broker)
    case .roundClosed(let round): end(round, of: broker, at: now, programs)
    default: return
    }
  }

  /// A request: to somebody who is there, one at a time, for what it still has.
  private mutating func take(
    _ order: ShrinkOrder,
    of broker: Broker,
    at now: MonotonicInstant
  ) {
    let name = order.client.name
    guard present[order.client] == true else { return complain("a request to \(name), gone") }
    if requests.contains(where: { $0.client == order.client && $0.round == order.round }) {
      complain("\(name) is asked twice at once in round \(order.round.number)")
    }
    guard (1...3).contains(order.attempt), order.deadline >= .milliseconds(50),
      order.deadline <= .seconds(60)
    else { return complain("\(order) is out of range") }
    guard let account = broker.registry.attachedIndex(of: order.client) else {
      return complain("no account of \(name)")
    }
    var bytes: [(CacheID, UInt64)] = []
    for target in broker.targets[order.targets] {
      bytes.append((target.cache, target.bytes.value))
      guard let place = broker.registry.accounts[account].index(of: target.cache) else {
        complain("\(name) has no cache \(target.cache.number)")
        continue
      }
      let cache = broker.registry.accounts[account].caches[place]
      if bytes.dropLast().contains(where: { $0.0 == target.cache }) {
        complain("\(name) is asked twice at once for cache \(target.cache.number)")
      }
      if !order.dryRun, cache.inFlight > cache.reclaimable {
        complain("\(name) is asked for more than it has")
      }
      guard let limit = target.limit else { continue }
      // Of two rounds whose time is over at one instant one is looked at first.
      let others = (requests + lapsed).filter { $0.client == order.client && !$0.isDryRun }
        .reduce(0) { $0 + ($1.bytes.first { $0.cache == target.cache }?.bytes ?? 0) }
      if limit > cache.bytes || limit < cache.bytes - target.bytes - ByteCount(others) {
        complain("\(name) is limited to \(limit), holds \(cache.bytes), is asked \(target.bytes)")
      }
      limits[order.client, default: [:]][target.cache] = limit
    }
    requests.append(
      Request(
        client: order.client,
        round: order.round,
        attempt: order.attempt,
        due: now + order.deadline,
        isDryRun: order.dryRun,
        bytes: bytes
      )
    )
  }

  /// A limit that is told outside a request is never tighter than the one before.
  private mutating func raise(_ limit: CacheLimit, of client: ClientID) {
    if let before = limits[client]?[limit.cache], let next = limit.limit, next < before,
      !deaf.contains(client)
    {
      complain("\(client.name) is relaxed from \(before) to \(next)")
    }
    limits[client, default: [:]][limit.cache] = limit.limit
  }

  // MARK: - Rounds

  private mutating func lookAtSplit(_ round: RoundID, of broker: Broker) {
    guard let view = broker.round(round) else { return complain("round \(round.number) is lost") }
    if let text = CoreInvariants.brokenSums(of: view) {
      complain("round \(round.number): \(text)")
    }
  }

  private mutating func end(
    _ round: RoundID,
    of broker: Broker,
    at now: MonotonicInstant,
    _ programs: [VillageProgram]
  ) {
    rounds += 1
    lookAtSplit(round, of: broker)
    requests.removeAll { $0.round == round }
    guard let place = openings.firstIndex(where: { $0.round == round }),
      let view = broker.round(round)
    else { return complain("round \(round.number) ends and never began") }
    let opening = openings.remove(at: place)
    longest = max(longest, now.since(opening.at))
    if now.since(opening.at) > patience { complain("round \(round.number) took too long") }
    outcomes.formUnion(view.clients.map(\.outcome))
    if view.isDryRun, view.measured > .zero { complain("a dry run is measured") }
    for program in programs {
      let measured = view.clients.filter { $0.process.number == program.process }
        .reduce(UInt64(0)) { $0 + $1.measured.value }
      let fallen = program.fallen - (opening.fallen[program.process] ?? 0)
      if measured > fallen {
        complain("round \(round.number) measures \(measured), \(fallen) were given back")
      }
      // Rounds run beside each other: what was given back counts in one of them.
      self.measured[program.process, default: 0] += measured
      if let sum = self.measured[program.process], sum > program.fallen {
        complain("all rounds measure \(sum) of \(program.process), \(program.fallen) fell")
      }
    }
    guard !view.isDryRun, round == settled else { return }
    if let text = SettlementAudit.broken(of: round, in: broker, at: now) {
      complain("settlement of round \(round.number): \(text)")
    }
    book(round, of: broker)
  }

  private mutating func book(_ round: RoundID, of broker: Broker) {
    guard let slot = broker.rounds.firstIndex(where: { $0.id == round }) else { return }
    if !broker.settlement.entries.isEmpty { settlements += 1 }
    for entry in broker.settlement.entries {
      booked[broker.rounds[slot].members[entry.index].client, default: 0] += entry.surplus
    }
    let sum = booked.values.reduce(0, +)
    if sum != 0 { complain("all ledgers ever add up to \(sum)") }
  }
}
