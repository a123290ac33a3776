// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// One client that takes part in a split.
struct PlannedClient: Sendable {
  /// Its place in the registry.
  let account: Int
  /// Its caches, in `QuotaPlanner.caches`.
  let caches: Range<Int>
  /// What the first split would give it if nobody had declared a cost: for the ledger.
  var fair = ByteCount.zero
  /// Whether it is not asked because its quota was small, or the herd large enough.
  var isLeftOut = false
  /// The level at which its part was split over its caches, where there is one.
  var level: QuotaLevel?
  /// What it gave beyond its fair parts so far.
  var ledger: Int64 = 0

  /// What it owes because it was left out: for the ledger.
  var deferred: ByteCount { isLeftOut ? fair : .zero }
}

/// One cache that takes part in a split, and from what its part is computed.
struct PlannedCache: Sendable {
  /// Its place in the client's account.
  let index: Int
  /// The share in force, the cost that counts, and what was measured of it.
  let share: UInt32, cost: UInt32, refill: UInt32?
  /// The floor honoured at this level.
  let floor: ByteCount
  /// Whether the cost is measured, by a client that is seen to do what it says.
  let isVouched: Bool
  /// The most it can be asked for; its cap is the trust's part of it.
  let askable: ByteCount
  /// The client's trust and ledger.
  let trust: Permyriad, ledger: Int64
  /// The cost after the band.
  var band = Permyriad.one
  /// What it is asked for, before that is rounded up to pages: its part over the trust.
  var ask = ByteCount.zero
}

/// Splits a target over the cgroup tree, then over clients, and each client's part over its caches.
///
///     floor   min(declared, 25 % of bytes), or the administrator's; 0 at critical
///     cap     trust × (min(reclaimable, bytes - floor) - in flight)
///     cost    as the client measured it, else as it declares it
///     weight  share × clamp(cost / median cost, ½, 2), ⅛ to 8 where `CostVoucher` agrees
///
/// A client counts with the sum of its caches' bytes and caps and with the mean of their weights,
/// weighted by bytes, so that cutting one cache into two changes nothing; so does a cgroup with
/// those in it (`PlanTree`). The ledger makes whoever gave more than its part look smaller, and
/// whoever owes look larger. The parts add up to min(target, capacity) to the byte; a part is what
/// is expected, and what is asked for is the part over the trust.
///
/// All buffers are kept between splits.
struct QuotaPlanner: Sendable {
  /// Who takes part, by id, and what each is given: `claims` has the same places.
  private(set) var clients: [PlannedClient] = []
  private(set) var claims: [Claim] = []
  /// Their caches, client by client: `cacheClaims` has the same places.
  private(set) var caches: [PlannedCache] = []
  private(set) var cacheClaims: [Claim] = []
  /// The cgroups in which they are.
  private(set) var tree = PlanTree()
  /// The median cost of the caches that take part, and how it was split.
  private(set) var medianCost: UInt32 = 0, rule = QuotaRule.levelDown

  private var costs: [CostBand.Cost] = []
  private var solver = QuotaSolver()
  private var ranked: [RankedPart] = []
  /// Whether costs that nobody vouches for shift the split.
  private var hasDeclaredCosts = false

  /// Makes room for splits over so many clients and caches in so many cgroups.
  mutating func reserve(clients count: Int, caches cacheCount: Int, cgroups: Int) {
    clients.makeRoom(for: count)
    claims.makeRoom(for: count)
    caches.makeRoom(for: cacheCount)
    cacheClaims.makeRoom(for: cacheCount)
    costs.makeRoom(for: cacheCount)
    ranked.makeRoom(for: count)
    tree.reserve(clients: count, cgroups: cgroups)
    solver.reserve(max(count + cgroups, cacheCount))
  }

  /// Splits `terms.target`.
  ///
  /// - Parameters:
  ///   - terms: How much, from whom.
  ///   - registry: The accounts.
  ///   - mayTake: Whether this cache of this account may be asked, beyond the terms.
  /// - Returns: What those that are asked could give, and the sum of the parts.
  mutating func plan(
    _ terms: QuotaTerms,
    over registry: borrowing ClientRegistry,
    where mayTake: (_ account: Int, _ cache: Int) -> Bool = { _, _ in true }
  ) -> (capacity: ByteCount, part: ByteCount) {
    rule = terms.rule
    var isSparing = terms.sparesNewcomers
    gather(registry, terms, &isSparing, mayTake)
    if isSparing, tree.sum(claims, clients) < terms.target {
      isSparing = false
      gather(registry, terms, &isSparing, mayTake)
    }
    let needsFair = terms.isSettled && hasDeclaredCosts
    if needsFair { divideFairly(terms, over: registry) }
    var (capacity, part) = divide(terms.target)
    if !needsFair { noteFairParts() }
    if terms.isBounded { (capacity, part) = leaveOut(terms, capacity, part) }
    // By index: a loop over the clients would hold them, and the first level written copy them all.
    for index in clients.indices {
      let given = solver.split(
        claims[index].part,
        by: rule,
        over: &cacheClaims,
        in: clients[index].caches
      )
      precondition(given == claims[index].part, "the parts of caches add up to the client's")
      clients[index].level = solver.level
    }
    ask(for: terms.target)
    return (capacity, part)
  }

  /// Splits over everybody who is not left out.
  private mutating func divide(
    _ target: ByteCount
  ) -> (capacity: ByteCount, part: ByteCount) {
    let capacity = tree.sum(claims, clients)
    return (capacity, tree.split(target, by: rule, with: &solver, to: &claims))
  }

  /// Splits as if nobody had declared a cost, and notes what each would give.
  private mutating func divideFairly(
    _ terms: QuotaTerms,
    over registry: borrowing ClientRegistry
  ) {
    weigh(terms, over: registry, countingDeclared: false)
    _ = divide(terms.target)
    noteFairParts()
    weigh(terms, over: registry, countingDeclared: true)
  }

  private mutating func noteFairParts() {
    for index in clients.indices { clients[index].fair = ByteCount(claims[index].part) }
  }

  /// Takes in everybody who takes part.
  ///
  /// - Parameters:
  ///   - registry: The accounts.
  ///   - terms: Whom it is about.
  ///   - isSparing: Whether newcomers are left alone; afterwards, whether there are any.
  ///   - mayTake: Whether this cache of this account may be asked.
  private mutating func gather(
    _ registry: borrowing ClientRegistry,
    _ terms: QuotaTerms,
    _ isSparing: inout Bool,
    _ mayTake: (Int, Int) -> Bool
  ) {
    clients.clear()
    claims.clear()
    caches.clear()
    cacheClaims.clear()
    costs.clear()
    var hasSpared = false
    let accounts = registry.accounts.span
    for index in accounts.indices {
      if isSparing, accounts[index].behaviour.isNew(at: terms.now) {
        hasSpared = true
      } else {
        gather(index, of: registry, terms, mayTake)
      }
    }
    isSparing = hasSpared
    medianCost = CostBand.median(of: &costs)
    hasDeclaredCosts = false
    weigh(terms, over: registry, countingDeclared: true)
  }

  /// Takes in what a client could give.
  ///
  /// Looks at the accounts through spans: an element of an array is copied, with its strings, which
  /// costs more than the rest.
  private mutating func gather(
    _ index: Int,
    of registry: borrowing ClientRegistry,
    _ terms: QuotaTerms,
    _ mayTake: (Int, Int) -> Bool
  ) {
    let accounts = registry.accounts.span
    guard accounts[index].isAttached, terms.members.contains(accounts[index].facts) else { return }
    if let until = accounts[index].refusedUntil, until > terms.now { return }
    guard !accounts[index].behaviour.breaker.isOpen(at: terms.now) else { return }
    var room = accounts[index].askableTogether
    let trust = accounts[index].behaviour.expected
    let ledger = accounts[index].behaviour.ledger.balance(at: terms.now)
    let vouches = accounts[index].behaviour.vouchesForCost
    let granted = accounts[index].facts.grantedShare
    let first = caches.count
    let owned = accounts[index].caches.span
    for place in owned.indices {
      let cache = owned[place].figures
      guard cache.takesPart(at: terms.level), mayTake(index, place) else { continue }
      let floor = floor(of: cache, in: index, of: registry, at: terms.level)
      let askable = min(cache.cap(above: floor), room)
      let cap = trust.of(askable)
      guard cap > .zero else { continue }
      if room < ByteCount(.max) { room -= askable }
      let cold = cache.usage.cold ?? .zero
      costs.append(CostBand.Cost(value: cache.cost, index: caches.count))
      caches.append(
        PlannedCache(
          index: place,
          share: cache.share(granted: granted),
          cost: cache.cost,
          refill: cache.refill,
          floor: floor,
          isVouched: vouches && cache.refill != nil,
          askable: askable,
          trust: trust,
          ledger: ledger
        )
      )
      cacheClaims.append(
        Claim(
          size: cache.bytes.value,
          cap: cap.value,
          weight: 1,
          cold: min(trust.of(cold), cap).value
        )
      )
    }
    guard caches.count > first else { return }
    clients.append(PlannedClient(account: index, caches: first..<caches.count, ledger: ledger))
  }

  /// What must remain of a cache: nothing at critical.
  private func floor(
    of cache: CacheFigures,
    in index: Int,
    of registry: borrowing ClientRegistry,
    at level: PressureLevel
  ) -> ByteCount {
    guard level != .critical else { return .zero }
    let accounts = registry.accounts.span
    guard accounts[index].facts.grantedFloor > .zero else { return cache.floor(granted: .zero) }
    let account = registry.accounts[index]
    return cache.floor(granted: account.grantedFloor(of: cache.bytes, within: account.bytes))
  }

  /// Gives everybody weights, and the cgroups their place.
  private mutating func weigh(
    _ terms: QuotaTerms,
    over registry: borrowing ClientRegistry,
    countingDeclared: Bool
  ) {
    let scale = CostScale(median: medianCost, rule: rule, countsDeclared: countingDeclared)
    let isShifted = scale.weigh(&caches, &cacheClaims, of: clients)
    hasDeclaredCosts = hasDeclaredCosts || isShifted
    claims.clear()
    for client in clients {
      var claim = ClaimSum.of(cacheClaims, in: client.caches)
      claim.part = 0
      claim.size = Ledger.effectiveSize(claim.size, cap: claim.cap, balance: client.ledger)
      claim.deferred = client.ledger < 0 ? client.ledger.magnitude : 0
      claims.append(claim)
    }
    tree.arrange(clients, terms, of: registry)
  }

  // MARK: - How much to ask for

  /// Asks for more than a part where less is expected to come, but of all together for no more than
  /// the target `Defaults.overAskMaximum` times.
  private mutating func ask(for target: ByteCount) {
    var parts: UInt128 = 0
    var extra: UInt128 = 0
    for place in caches.indices {
      let part = ByteCount(cacheClaims[place].part)
      caches[place].ask = part
      parts += UInt128(part.value)
      guard caches[place].trust < .one else { continue }
      caches[place].ask = min(caches[place].askable, caches[place].trust.whole(ofPart: part))
      extra += UInt128((caches[place].ask - part).value)
    }
    let most = UInt128(target.value) * UInt128(Defaults.overAskMaximum)
    guard extra > 0, parts + extra > most else { return }
    // What is left above the parts, each its proportion of it, rounded down.
    let room = UInt64(clamping: most - min(most, parts))
    for place in caches.indices {
      let part = ByteCount(cacheClaims[place].part)
      let own = UInt128((caches[place].ask - part).value)
      caches[place].ask = part + ByteCount(UInt64(own * UInt128(room) / extra))
    }
  }

  // MARK: - Whom not to wake

  /// Leaves out whoever would be asked for next to nothing, and at low all but the largest, and
  /// splits again over the others; what those owe is kept for the ledger.
  ///
  /// Small quotas go half by half, the smallest first, and only as long as the others have room for
  /// what is wanted.
  private mutating func leaveOut(
    _ terms: QuotaTerms,
    _ capacity: ByteCount,
    _ part: ByteCount
  ) -> (capacity: ByteCount, part: ByteCount) {
    var (capacity, part) = (capacity, part)
    if terms.level <= .low, rankParts(below: .max) > Defaults.herdMaximum {
      ranked.select(ranked.count - Defaults.herdMaximum, in: 0..<ranked.count)
      for place in 0..<ranked.count - Defaults.herdMaximum {
        clients[ranked[place].index].isLeftOut = true
      }
      (capacity, part) = divide(terms.target)
    }
    // Each turn leaves out half of the small ones: sixteen are enough for 65,536 clients.
    for _ in 0..<16 {
      let count = rankParts(below: Defaults.quotaMinimum.value)
      guard count > 0 else { break }
      let half = (count + 1) / 2
      ranked.select(half, in: 0..<count)
      var room = capacity - part
      var isSame = true
      for place in 0..<half where claims[ranked[place].index].cap <= room.value {
        room -= ByteCount(claims[ranked[place].index].cap)
        clients[ranked[place].index].isLeftOut = true
        isSame = false
      }
      if isSame { break }
      (capacity, part) = divide(terms.target)
    }
    return (capacity, part)
  }

  /// Lists the clients whose part is above zero and below `limit`, and returns how many there are.
  private mutating func rankParts(below limit: UInt64) -> Int {
    ranked.clear()
    for (index, claim) in claims.enumerated() where claim.part > 0 && claim.part < limit {
      ranked.append(RankedPart(part: claim.part, index: index))
    }
    return ranked.count
  }
}

/// A part among others, the smallest first, the later client first.
private struct RankedPart: Ranked, Sendable {
  let part: UInt64
  let index: Int

  func precedes(_ other: RankedPart) -> Bool {
    part != other.part ? part < other.part : index > other.index
  }
}
