// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How rounds begin, and whom they ask.
extension Broker {
  /// Starts a round that an administrator wants, or says why not.
  mutating func start(_ request: RoundRequest, for token: RequestToken) {
    if let wait = busyTime(of: request.scope) {
      effects.append(.declined(token, .busy(retryAfter: wait)))
      return
    }
    let order = order(for: request)
    let round = open(order, for: token)
    precondition(round != nil, "a place was free")
  }

  /// The round that a request amounts to.
  func order(for request: RoundRequest) -> RoundOrder {
    RoundOrder(
      scope: request.scope,
      level: max(.low, request.level),
      reason: .manual,
      target: request.bytes ?? deficit(of: request.scope),
      isDryRun: request.dryRun
    )
  }

  /// On what terms the first attempt of a round divides.
  func terms(of order: RoundOrder) -> QuotaTerms {
    QuotaTerms(
      target: order.target,
      level: order.level,
      members: order.membership,
      now: now,
      rule: configuration.quota,
      isBounded: order.isAutomatic,
      isSettled: !order.isDryRun
    )
  }

  /// Opens a round, asks its first attempt and returns its number.
  ///
  /// - Parameters:
  ///   - order: What it is to do.
  ///   - token: Who waits to hear of it.
  /// - Returns: The round, which may be over already; nil where all places are taken, or where
  ///   nobody could give anything to an automatic one.
  mutating func open(_ order: RoundOrder, for token: RequestToken?) -> RoundID? {
    guard busyTime(of: order.scope) == nil,
      let slot = rounds.firstIndex(where: { !$0.isOpen })
    else { return nil }
    let terms = terms(of: order)
    let (capacity, part) = plan(terms)
    if order.isAutomatic, part == .zero { return nil }

    let id = RoundID((lastRound?.number ?? 0) + 1)
    lastRound = id
    let split = (capacity, part, planner.medianCost, planner.rule)
    rounds[slot].begin(id, order, split: split, at: now)
    count(order)
    effects.append(.roundOpened(id))
    if let token { effects.append(.accepted(token, id)) }
    let membership = order.membership
    for index in registry.accounts.indices
    where registry.accounts[index].isAttached && !registry.accounts[index].caches.isEmpty
      && membership.contains(registry.accounts[index].facts)
    {
      rounds[slot].enroll(registry.accounts[index])
    }
    noteAttempt(slot, on: terms)
    if part > .zero { ask(slot) } else { close(slot) }
    return id
  }

  /// Splits over everybody who takes requests.
  ///
  /// In a function of its own: a copy of the accounts that lived on would have the next change of
  /// one copy them all.
  mutating func plan(_ terms: QuotaTerms) -> (capacity: ByteCount, part: ByteCount) {
    let accounts = registry.accounts
    return planner.plan(terms, over: registry) { account, _ in
      accounts[account].facts.takesRequests
    }
  }

  /// Whether this round is open.
  func runs(_ round: RoundID) -> Bool { slot(of: round) != nil }

  /// Where an open round is, or nil.
  func slot(of round: RoundID) -> Int? {
    rounds.firstIndex { $0.isOpen && $0.id == round }
  }

  /// What the scope's domain lacks to its high watermark; everybody lacks what the host does.
  func deficit(of scope: Scope) -> ByteCount {
    let domain: DomainID
    switch scope {
    case .manual: domain = .host
    case .domain(let named): domain = named
    }
    guard let index = domainTable.index(of: domain), let aim = aim(index) else { return .zero }
    return aim.deficit
  }

  /// How long a round of this scope has to wait, nil where it could begin now.
  func busyTime(of scope: Scope) -> TimeSpan? {
    var shortest: TimeSpan?
    var isFull = true
    for round in rounds {
      guard let end = round.phase.end else {
        isFull = false
        continue
      }
      var left = end.since(now)
      if case .asking = round.phase { left = left + Defaults.settle }
      if round.order.scope == scope { return left }
      shortest = min(shortest ?? left, left)
    }
    return isFull ? shortest : nil
  }

  private mutating func count(_ order: RoundOrder) {
    sums.rounds += 1
    switch order.reason {
    case .trigger: sums.byTrigger += 1
    case .watermark: sums.byWatermark += 1
    case .manual: sums.byHand += 1
    }
  }

  // MARK: - Attempts

  /// Sends the requests of the plan just made as the next attempt of a round.
  mutating func ask(_ slot: Int) {
    precondition(!planner.clients.isEmpty, "an attempt asks somebody")
    rounds[slot].attempt += 1
    let level = rounds[slot].level
    let patience = level == .critical ? Defaults.deadlineCritical : Defaults.deadline
    rounds[slot].phase = .asking(until: now + patience)
    rounds[slot].waiting = 0
    measureBefore(slot)
    if rounds[slot].attempt == 1 { noteNodes(in: slot) }
    for place in planner.clients.indices where planner.claims[place].part > 0 {
      let account = planner.clients[place].account
      guard let member = rounds[slot].memberIndex(of: registry.accounts[account].id) else {
        preconditionFailure("whoever is planned for is a member")
      }
      let first = targets.count
      for cache in planner.clients[place].caches where planner.cacheClaims[cache].part > 0 {
        aim(at: cache, of: account, member: member, in: slot)
      }
      if rounds[slot].attempt == 1 {
        note(place, of: member, in: slot)
      }
      rounds[slot].members[member].askedIn.insert(rounds[slot].attempt)
      rounds[slot].members[member].unanswered.insert(rounds[slot].attempt)
      rounds[slot].members[member].firstAsked = rounds[slot].members[member].firstAsked ?? now
      rounds[slot].waiting += 1
      registry.accounts[account].lastRound = rounds[slot].id
      effects.append(
        .ask(
          ShrinkOrder(
            client: registry.accounts[account].id,
            round: rounds[slot].id,
            attempt: rounds[slot].attempt,
            level: level,
            scope: rounds[slot].order.scope,
            deadline: patience,
            trim: !rounds[slot].order.isDryRun,
            dryRun: rounds[slot].order.isDryRun,
            targets: first..<targets.count
          )
        )
      )
    }
  }

  /// Has the processes read that are about to be asked and were not asked yet.
  private mutating func measureBefore(_ slot: Int) {
    let id = rounds[slot].id
    for place in planner.clients.indices where planner.claims[place].part > 0 {
      registry.touch(registry.accounts[planner.clients[place].account].facts.process, by: id)
    }
    // In the order of the processes, so that the round's list is sorted as it is made.
    for account in registry.processes where account.touchedBy == id {
      if rounds[slot].addProcess(account.process) { effects.append(.measure(account.process)) }
    }
    guard rounds[slot].attempt == 1 else { return }
    for member in rounds[slot].members {
      guard let process = rounds[slot].processIndex(of: member.process) else { continue }
      for cache in member.caches {
        let bytes = rounds[slot].caches[cache].inputs.bytes
        rounds[slot].processes[process].bytes += UInt128(bytes.value)
      }
    }
  }

  /// Adds the target for one planned cache.
  private mutating func aim(at planned: Int, of account: Int, member: Int, in slot: Int) {
    let plan = planner.caches[planned]
    let claim = planner.cacheClaims[planned]
    // Its fields one by one: the account as a whole is copied with its strings.
    let id = registry.accounts[account].caches[plan.index].id
    guard let row = rounds[slot].cacheIndex(of: id, in: member) else {
      preconditionFailure("whatever is planned for has a row")
    }
    let part = ByteCount(claim.part)
    let reclaimable = registry.accounts[account].caches[plan.index].reclaimable
    let bytes = min(plan.ask, reclaimable).roundedUp(toPage: pageSize)
    let isDryRun = rounds[slot].order.isDryRun
    if rounds[slot].caches[row].askedIn.isEmpty {
      note(plan, claim, of: row, in: slot)
      if rounds[slot].attempt == 1 { rounds[slot].caches[row].part = part }
    }
    rounds[slot].caches[row].askedIn.insert(rounds[slot].attempt)
    rounds[slot].caches[row].asked += bytes
    rounds[slot].caches[row].lastTarget = bytes
    rounds[slot].members[member].asked += bytes
    rounds[slot].asked += bytes
    guard !isDryRun else {
      targets.append(ShrinkTarget(cache: id, bytes: bytes, limit: nil))
      return
    }
    // What another round has asked for will go too.
    let held = registry.accounts[account].caches[plan.index].bytes
    let limit = held - registry.accounts[account].caches[plan.index].inFlight - bytes
    targets.append(ShrinkTarget(cache: id, bytes: bytes, limit: limit))
    rounds[slot].caches[row].pending += part
    let ceiling = CacheCeiling(
      bytes: limit,
      wanted: max(registry.accounts[account].caches[plan.index].limit?.wanted ?? held, held),
      round: rounds[slot].id,
      domain: rounds[slot].order.limitDomain
    )
    registry.accounts[account].change(plan.index) { cache in
      cache.inFlight += part
      cache.limit = ceiling
    }
  }

  /// Writes down the cgroups of the first split, and what would be fair to ask of whom, also of
  /// those that are spared.
  private mutating func noteNodes(in slot: Int) {
    for index in planner.tree.nodes.indices {
      rounds[slot].nodes.append(planner.node(index, of: registry))
    }
    // Members and clients are both in the order of the registry.
    var member = 0
    for client in planner.clients {
      let id = registry.accounts[client.account].id
      while rounds[slot].members[member].client != id { member += 1 }
      rounds[slot].members[member].deferred = client.deferred
      rounds[slot].members[member].fair = client.fair
    }
  }

  /// Writes down what the first split gives a member.
  private mutating func note(_ place: Int, of member: Int, in slot: Int) {
    let claim = planner.claims[place]
    rounds[slot].members[member].node = planner.tree.owners[place]
    rounds[slot].members[member].level = LevelFraction(planner.clients[place].level)
    rounds[slot].members[member].cold = ByteCount(claim.cold)
    rounds[slot].members[member].cost = claim.cost
    rounds[slot].members[member].part = ByteCount(claim.part)
    rounds[slot].members[member].size = ByteCount(claim.size)
    rounds[slot].members[member].cap = ByteCount(claim.cap)
    rounds[slot].members[member].weight = claim.weight
  }

  /// Writes down from what the part of a cache was computed.
  private mutating func note(
    _ plan: PlannedCache,
    _ claim: Claim,
    of row: Int,
    in slot: Int
  ) {
    rounds[slot].caches[row].inputs.costBand = plan.band
    rounds[slot].caches[row].inputs.floor = plan.floor
    rounds[slot].caches[row].inputs.cap = ByteCount(claim.cap)
    rounds[slot].caches[row].inputs.weight = claim.weight
    rounds[slot].caches[row].inputs.cold = ByteCount(claim.cold)
    rounds[slot].caches[row].inputs.refillMicrosecondsPerMiB = plan.refill
    rounds[slot].caches[row].inputs.isVouched = plan.isVouched
    rounds[slot].caches[row].inputs.askable = plan.askable
    rounds[slot].caches[row].inputs.trust = plan.trust
    rounds[slot].caches[row].inputs.ledger = plan.ledger
  }
}

extension RoundOrder {
  /// The domain whose recovery lifts the limits of this round; nil for a manual one.
  var limitDomain: DomainID? {
    guard isAutomatic, case .domain(let domain) = scope else { return nil }
    return domain
  }
}
