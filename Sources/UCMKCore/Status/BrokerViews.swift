// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// Answers for people; none of these changes anything.
extension Broker {
  /// The state shown for the whole daemon: the most active state of any domain, and `round` while
  /// any round runs.
  package var state: DomainState {
    if rounds.contains(where: { $0.isOpen }) { return .round }
    var state = DomainState.idle
    for control in domainTable.controls where control.state.activity > state.activity {
      state = control.state
    }
    return state
  }

  /// Whether automatic rounds are paused.
  package var isPaused: Bool { pause != .off }

  /// The highest level in force of any domain.
  package var level: PressureLevel {
    var level = PressureLevel.none
    for control in domainTable.controls { level = max(level, control.level) }
    return level
  }

  /// Sums.
  package var totals: Totals {
    var totals = sums
    for account in registry.accounts where account.isAttached {
      totals.clients += 1
      totals.caches += account.caches.count
      for cache in account.caches {
        totals.registered += cache.bytes
        totals.reclaimable += cache.reclaimable
      }
    }
    return totals
  }

  /// The domains, host first, then by path.
  package var domains: [DomainView] {
    domainTable.controls.map { control in
      DomainView(
        domain: control.domain,
        state: control.state,
        level: control.level,
        reading: control.reading,
        low: control.marks.low,
        high: control.marks.high,
        grow: control.marks.grow,
        isExhausted: control.exhaustion.isReached
      )
    }
  }

  /// Clients with an id above `cursor`, by id, at most `count`; detached ones are not shown.
  package func clients(
    after cursor: ClientID?,
    count: Int,
    where matches: (ClientFacts) -> Bool
  ) -> [ClientView] {
    var views: [ClientView] = []
    let first = cursor.map { registry.place(of: ClientID($0.ordinal &+ 1)) } ?? 0
    guard cursor?.ordinal != .max else { return [] }
    for account in registry.accounts[first...] where account.isAttached {
      guard views.count < count else { break }
      if matches(account.facts) { views.append(ClientView(account, at: now)) }
    }
    return views
  }

  /// One client, while its connection stands.
  package func client(_ id: ClientID) -> ClientView? {
    registry.attachedIndex(of: id).map { ClientView(registry.accounts[$0], at: now) }
  }

  /// The last rounds of one client that are remembered with their clients, oldest first, at most
  /// `Defaults.historyKept`.
  package func history(of id: ClientID) -> [HistoryEntry] {
    archive.history(of: id, count: Defaults.historyKept)
  }

  /// The last rounds, newest first, without their clients.
  package func rounds(count: Int) -> [RoundView] {
    var views = rounds.filter { $0.isOpen }
      .map { $0.header(measured: .zero, isOpen: true, at: now) }
    views.append(contentsOf: archive.newest(count))
    views.sort { $0.round > $1.round }
    return Array(views.prefix(max(0, count)))
  }

  /// One round with its clients, as far as it is remembered.
  package func round(_ id: RoundID) -> RoundView? {
    slot(of: id).map { rounds[$0].view(at: now) } ?? archive.round(id)
  }

  /// The limits in force of a client's caches, by id.
  package func limits(of id: ClientID) -> [CacheLimit] {
    guard let index = registry.index(of: id) else { return [] }
    return registry.accounts[index].caches.map {
      CacheLimit(cache: $0.id, limit: $0.limit?.bytes)
    }
  }

  /// Who would be asked for what at this moment; nothing is sent.
  package func plan(_ request: RoundRequest) -> PlanView {
    let order = order(for: request)
    let terms = terms(of: order)
    var scratch = self
    let (capacity, part) = scratch.plan(terms)
    let planner = scratch.planner
    let nodes = planner.tree.nodes.indices.map { planner.node($0, of: registry) }
    let processes = measuredProcesses()
    return PlanView(
      target: order.target,
      capacity: capacity,
      rule: planner.rule,
      part: part,
      level: order.level,
      scope: order.scope,
      medianCost: planner.medianCost,
      clients: planner.clients.indices.map { quota($0, of: planner, nodes, processes) },
      excluded: excluded(from: terms)
    )
  }

  /// The planning that a round begins with, and nothing else: for measurements.
  package mutating func split(_ request: RoundRequest) -> (capacity: ByteCount, part: ByteCount) {
    plan(terms(of: order(for: request)))
  }

  /// One planned client.
  private func quota(
    _ index: Int,
    of planner: QuotaPlanner,
    _ nodes: [NodeQuota],
    _ processes: [RoundProcess]
  ) -> ClientQuota {
    let planned = planner.clients[index]
    let claim = planner.claims[index]
    let account = registry.accounts[planned.account]
    let process = registry.processIndex(of: account.facts.process).map { processes[$0] }
    let caches = planned.caches.map { place in
      quota(planner.caches[place], planner.cacheClaims[place], of: account, process)
    }
    var asked = ByteCount.zero
    for cache in caches { asked += cache.asked }
    return ClientQuota(
      client: account.id,
      name: account.facts.name,
      process: account.facts.process,
      cgroup: account.facts.cgroup,
      part: ByteCount(claim.part),
      path: nodes.path(to: planner.tree.owners[index]),
      size: ByteCount(claim.size),
      cap: ByteCount(claim.cap),
      weight: claim.weight,
      cold: ByteCount(claim.cold),
      cost: claim.cost,
      cacheLevel: LevelFraction(planned.level),
      deferred: planned.deferred,
      asked: asked,
      claimed: .zero,
      measured: .zero,
      took: .zero,
      outcome: .silent,
      caches: caches
    )
  }

  /// One planned cache.
  private func quota(
    _ plan: PlannedCache,
    _ claim: Claim,
    of account: ClientAccount,
    _ process: RoundProcess?
  ) -> CacheQuota {
    let cache = account.caches[plan.index]
    var row = RoundCache(cache, of: account)
    row.inputs.measured = process?.measuredSize(of: cache.bytes)
    row.inputs.costBand = plan.band
    row.inputs.floor = plan.floor
    row.inputs.cap = ByteCount(claim.cap)
    row.inputs.weight = claim.weight
    row.inputs.cold = ByteCount(claim.cold)
    row.inputs.refillMicrosecondsPerMiB = plan.refill
    row.inputs.isVouched = plan.isVouched
    row.inputs.askable = plan.askable
    row.inputs.trust = plan.trust
    row.inputs.ledger = plan.ledger
    let part = ByteCount(claim.part)
    return CacheQuota(
      id: cache.id,
      name: cache.name,
      part: part,
      asked: min(plan.ask, cache.reclaimable).roundedUp(toPage: pageSize),
      claimed: .zero,
      inputs: row.inputs
    )
  }

  /// What was last read of each process, and the bytes over which that is split; in the order of
  /// the registry.
  private func measuredProcesses() -> [RoundProcess] {
    var processes = registry.processes.map { account in
      var process = RoundProcess(process: account.process)
      process.before = .some(account.reading)
      return process
    }
    for account in registry.accounts where account.isAttached {
      guard let index = registry.processIndex(of: account.facts.process) else { continue }
      for cache in account.caches { processes[index].bytes += UInt128(cache.bytes.value) }
    }
    return processes
  }
}

extension ClientView {
  /// Makes a copy of an account.
  init(_ account: ClientAccount, at now: MonotonicInstant) {
    let total = account.bytes
    client = account.id
    facts = account.facts
    trust = account.behaviour.trust.parts
    ledger = account.behaviour.ledger.balance(at: now)
    isLeftOut = account.behaviour.breaker.isOpen(at: now)
    keepsMemory = account.behaviour.memoryKept.isKept
    lastRound = account.lastRound
    caches = account.caches.map { cache in
      CacheView(
        id: cache.id,
        declaration: cache.declaration,
        share: cache.figures.share(granted: account.facts.grantedShare),
        floor: cache.figures.floor(granted: account.grantedFloor(of: cache.bytes, within: total)),
        minimumLevel: cache.figures.minimumLevel,
        limit: cache.limit?.bytes
      )
    }
  }
}

extension DomainState {
  /// How much goes on in this state, for showing the busiest of several.
  var activity: Int {
    switch self {
    case .idle: 0
    case .watching: 1
    case .grow: 2
    case .hold: 3
    case .round: 4
    }
  }
}
