// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// What must be true of the broker after every event, whatever it was.
struct CoreInvariants {
  /// The first broken one, or nil.
  static func broken(in broker: Broker, after effects: [Effect], at now: MonotonicInstant)
    -> String?
  {
    brokenOrder(in: broker, after: effects) ?? brokenFlight(in: broker)
      ?? brokenDomain(in: broker) ?? brokenRounds(in: broker) ?? brokenTimer(in: broker, at: now)
      ?? brokenLimit(in: broker) ?? brokenBehaviour(in: broker, at: now)
  }

  /// What is remembered of clients stays within its range.
  private static func brokenBehaviour(in broker: Broker, at now: MonotonicInstant) -> String? {
    for account in broker.registry.accounts {
      let behaviour = account.behaviour
      let name = account.id.name
      if !(500...10_000).contains(behaviour.trust.parts.parts) { return "trust of \(name)" }
      if !(500...10_000).contains(behaviour.expected.parts) { return "expectation of \(name)" }
      if behaviour.ledger.balance(at: now).magnitude > 1 << 54 { return "ledger of \(name)" }
      if behaviour.breaker.timeouts > 3 { return "timeouts of \(name)" }
      if let span = behaviour.breaker.span, span < .seconds(30) || span > .seconds(600) {
        return "breaker of \(name)"
      }
    }
    return nil
  }

  /// Whatever limits a cache, somebody is there to lift it.
  private static func brokenLimit(in broker: Broker) -> String? {
    for account in broker.registry.accounts {
      for case let ceiling? in account.caches.map(\.limit) {
        if broker.runs(ceiling.round) { continue }
        guard let domain = ceiling.domain else {
          if broker.manualRelaxAt == nil { return "nobody lifts a manual limit" }
          continue
        }
        guard let control = broker.domainTable[domain] else {
          return "a limit of \(domain.name), which is not watched"
        }
        if ![.hold, .round, .grow].contains(control.state) {
          return "a limit of \(domain.name), which is in \(control.state.name)"
        }
      }
    }
    return nil
  }

  private static func brokenOrder(in broker: Broker, after effects: [Effect]) -> String? {
    for effect in effects {
      switch effect {
      case .ask(let order):
        guard broker.targets.indices.contains(order.targets.lowerBound),
          order.targets.upperBound <= broker.targets.count
        else { return "targets of an order are not in the list" }
        guard (1...62).contains(order.targets.count) else { return "an order of no target" }
        guard (1...5).contains(order.attempt) else { return "an attempt beyond 5" }
        for target in broker.targets[order.targets] {
          if target.bytes == .zero { return "a target of nothing" }
          if target.bytes.value % 4_096 != 0, target.bytes.value != .max {
            return "a target of a part of a page"
          }
          if order.dryRun != (target.limit == nil) { return "a limit where none belongs" }
        }
        guard broker.client(order.client) != nil else { return "an order to nobody" }
      case .relax(let client, _, _, let range), .limit(let client, let range):
        guard range.upperBound <= broker.limits.count, !range.isEmpty else {
          return "limits that are not in the list"
        }
        guard broker.client(client) != nil else { return "limits to nobody" }
      default: break
      }
    }
    return nil
  }

  /// What is in flight is what open rounds wait for.
  private static func brokenFlight(in broker: Broker) -> String? {
    var inFlight: UInt128 = 0
    for account in broker.registry.accounts {
      for cache in account.caches { inFlight += UInt128(cache.inFlight.value) }
    }
    var pending: UInt128 = 0
    for round in broker.rounds where round.isOpen {
      for cache in round.caches { pending += UInt128(cache.pending.value) }
    }
    // An account that went took its caches with it, so there may be less than is waited for.
    return inFlight <= pending ? nil : "in flight \(inFlight) above \(pending)"
  }

  /// Counts kept along the way are those that counting again gives.
  private static func brokenDomain(in broker: Broker) -> String? {
    for control in broker.domainTable.controls {
      let scope = Membership(scope: .domain(control.domain), byPath: false)
      let members = broker.registry.accounts.filter { scope.contains($0.facts) }
      let willing = members.filter {
        $0.isAttached && $0.facts.takesRequests && $0.hasReclaimable
      }
      if control.willing != willing.count {
        return "\(control.domain.name): \(control.willing) willing, not \(willing.count)"
      }
      if control.domain != .host, control.members != members.count {
        return "\(control.domain.name): \(control.members) members, not \(members.count)"
      }
      let marks = control.marks
      if marks.low > marks.high || marks.high > marks.grow { return "marks out of order" }
    }
    let caches = broker.registry.accounts.reduce(0) { $0 + $1.caches.count }
    if broker.registry.cacheCount != caches { return "caches are miscounted" }
    return nil
  }

  private static func brokenRounds(in broker: Broker) -> String? {
    let open = broker.rounds.filter { $0.isOpen }
    for (index, round) in open.enumerated() {
      if open[..<index].contains(where: { $0.order.scope == round.order.scope }) {
        return "two rounds of one scope"
      }
      let attempt = round.attempt
      let waiting = round.members.filter { $0.unanswered.contains(attempt) && !$0.isOut }
      if case .asking = round.phase, waiting.count != round.waiting {
        return "waits for \(round.waiting), not for \(waiting.count)"
      }
    }
    for view in broker.rounds(count: 2) {
      guard let round = broker.round(view.round), round.remembersClients else { continue }
      if let text = brokenSums(of: round) { return "round \(round.round.number): \(text)" }
    }
    return nil
  }

  static func brokenSums(of round: RoundView) -> String? {
    func sum(_ value: (ClientQuota) -> ByteCount) -> ByteCount {
      round.clients.reduce(ByteCount.zero) { $0 + value($1) }
    }
    if round.part != min(round.target, round.capacity) { return "part is not min of both" }
    if sum({ $0.part }) != round.part { return "parts do not add up" }
    if sum({ $0.asked }) != round.asked { return "asked does not add up" }
    if sum({ $0.claimed }) != round.claimed { return "claimed does not add up" }
    if !round.isOpen, sum({ $0.measured }) != round.measured { return "measured does not add up" }
    for client in round.clients {
      let caches = client.caches.reduce(ByteCount.zero) { $0 + $1.part }
      if caches != client.part { return "parts of caches do not add up" }
      if client.part > client.cap { return "a part above its cap" }
      // A fraction of a byte may be rounded up.
      if client.measured > client.claimed + ByteCount(client.claimed.value / 20 + 1) {
        return "measured above what is believed"
      }
      if client.caches.contains(where: { $0.part > $0.inputs.cap }) {
        return "a cache's part above its cap"
      }
    }
    return nil
  }

  /// An open round is always waited for.
  private static func brokenTimer(in broker: Broker, at now: MonotonicInstant) -> String? {
    guard broker.rounds.contains(where: { $0.isOpen }) else { return nil }
    return broker.nextWake == nil ? "nobody wakes an open round" : nil
  }
}

@Suite("The broker under any stream of events")
struct CoreStreamTests {
  private static let length = 1_200

  @Test("keeps its invariants", arguments: Array(UInt64(100)..<114))
  func invariants(seed: UInt64) {
    var stream = EventStream(seed: seed)
    var broker = configured()
    for step in 0..<Self.length {
      let event = stream.next()
      let effects = broker.handle(event, at: stream.now)
      stream.note(effects, of: broker)
      if let text = CoreInvariants.broken(in: broker, after: effects, at: stream.now) {
        Issue.record("seed \(seed) step \(step) \(event): \(text)")
        return
      }
    }
  }

  @Test("comes to rest: every round ends and nothing spins", arguments: Array(UInt64(200)..<212))
  func rest(seed: UInt64) {
    var stream = EventStream(seed: seed)
    var broker = configured()
    for _ in 0..<Self.length {
      stream.note(broker.handle(stream.next(), at: stream.now), of: broker)
    }
    for _ in 0..<200 {
      guard let wake = broker.nextWake else { break }
      stream.advance(to: wake)
      _ = broker.handle(.ticked, at: stream.now)
      if let next = broker.nextWake, next <= stream.now {
        Issue.record("seed \(seed): a tick at \(stream.now) wants another one at \(next)")
        return
      }
    }
    #expect(!broker.rounds.contains { $0.isOpen }, "seed \(seed)")
    let inFlight = broker.registry.accounts.reduce(ByteCount.zero) { $0 + $1.inFlight }
    #expect(inFlight == .zero, "seed \(seed)")
  }

  @Test("meets every effect and every outcome in these streams")
  func reach() {
    var effects = Set<String>()
    var outcomes = Set<RoundOutcome>()
    var rounds = Totals()
    for seed in UInt64(100)..<108 {
      var stream = EventStream(seed: seed)
      var broker = configured()
      for _ in 0..<Self.length {
        let followed = broker.handle(stream.next(), at: stream.now)
        stream.note(followed, of: broker)
        for effect in followed {
          effects.insert(String("\(effect)".prefix { $0 != "(" }))
          guard case .roundClosed(let round) = effect else { continue }
          outcomes.formUnion(broker.round(round)?.clients.map(\.outcome) ?? [])
        }
      }
      rounds.byTrigger += broker.totals.byTrigger
      rounds.byWatermark += broker.totals.byWatermark
      rounds.byHand += broker.totals.byHand
    }
    // All but the rare ones: a claim three rounds running of which little is seen, and the end of
    // the ladder, which takes seconds without anything else.
    let rare: Set = ["keepsMemory", "exhausted", "relieved"]
    #expect(effects.subtracting(rare).count == 16, "\(effects.sorted())")
    #expect(outcomes == Set(RoundOutcome.allCases))
    #expect(rounds.byTrigger > 10, "\(rounds)")
    #expect(rounds.byWatermark > 50, "\(rounds)")
    #expect(rounds.byHand > 100, "\(rounds)")
  }

  @Test("does the same when it is told the same", arguments: [7, 77, 777] as [UInt64])
  func determinism(seed: UInt64) {
    #expect(trace(of: seed) == trace(of: seed), "seed \(seed)")
  }

  @Test(
    "keeps its invariants in a crowd where every third size is absurd",
    arguments: Array(UInt64(300)..<304)
  )
  func hostileCrowd(seed: UInt64) {
    var stream = EventStream(seed: seed, crowd: 150, hostility: 33)
    var broker = configured()
    var most = 0
    for step in 0..<2_500 {
      let event = stream.next()
      let effects = broker.handle(event, at: stream.now)
      stream.note(effects, of: broker)
      most = max(most, broker.totals.clients)
      if let text = CoreInvariants.broken(in: broker, after: effects, at: stream.now) {
        Issue.record("seed \(seed) step \(step) \(event): \(text)")
        return
      }
    }
    #expect(most > 60, "seed \(seed)")
  }

  @Test("shows the same totals that counting its clients gives", arguments: [400, 401] as [UInt64])
  func totals(seed: UInt64) {
    var stream = EventStream(seed: seed, crowd: 40)
    var broker = configured()
    for _ in 0..<Self.length {
      stream.note(broker.handle(stream.next(), at: stream.now), of: broker)
      let views = broker.clients(after: nil, count: .max) { _ in true }
      let totals = broker.totals
      let sizes = views.flatMap { $0.caches.map(\.declaration.usage.bytes) }
      #expect(totals.clients == views.count, "seed \(seed)")
      #expect(totals.caches == sizes.count, "seed \(seed)")
      #expect(totals.registered == sizes.reduce(.zero, +), "seed \(seed)")
      #expect(totals.rounds == totals.byHand + totals.byTrigger + totals.byWatermark)
      let ids = views.map(\.client)
      #expect(ids == ids.sorted(), "seed \(seed)")
    }
  }

  @Test("a plan never changes what follows", arguments: [500, 501] as [UInt64])
  func plansArePure(seed: UInt64) {
    var stream = EventStream(seed: seed)
    var (broker, watched) = (configured(), configured())
    for step in 0..<Self.length {
      let event = stream.next()
      let effects = broker.handle(event, at: stream.now)
      #expect(watched.handle(event, at: stream.now) == effects, "seed \(seed) step \(step)")
      #expect(watched.targets == broker.targets, "seed \(seed) step \(step)")
      stream.note(effects, of: broker)
      let request = RoundRequest(bytes: .gibibytes(1), level: .low, scope: .manual, dryRun: false)
      let plan = watched.plan(request)
      #expect(plan.part == min(plan.target, plan.capacity), "seed \(seed) step \(step)")
    }
  }

  private func trace(of seed: UInt64) -> [String] {
    var stream = EventStream(seed: seed, crowd: seed)
    var broker = configured()
    var lines: [String] = []
    for _ in 0..<Self.length {
      let effects = broker.handle(stream.next(), at: stream.now)
      stream.note(effects, of: broker)
      lines.append("\(effects) \(broker.targets) \(broker.limits)")
    }
    return lines
  }

  private func configured() -> Broker {
    var broker = Broker()
    var configuration = Configuration()
    configuration.watermarks = WatermarkSettings(
      low: .bytes(.mebibytes(50)),
      high: .bytes(.mebibytes(80)),
      grow: .bytes(.mebibytes(120)),
      isExplicit: true
    )
    let start = MonotonicInstant(nanoseconds: 0)
    _ = broker.handle(.configured(configuration), at: start)
    let facts = HostFacts(
      memoryTotal: .gibibytes(1),
      pageSize: 4_096,
      kernelHighMarks: .mebibytes(10)
    )
    _ = broker.handle(.hostKnown(facts), at: start)
    return broker
  }
}
