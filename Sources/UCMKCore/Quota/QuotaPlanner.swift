// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Whom a split is about, and on what terms.
struct QuotaTerms: Sendable {
  /// How much is wanted.
  var target: ByteCount
  /// Decides who takes part and whether floors count.
  var level: PressureLevel
  /// Whom it is about.
  var members: Membership
  /// When: a refusal and an override end at an instant.
  var now: MonotonicInstant
}

/// Which clients belong to a round.
struct Membership: Sendable, Equatable {
  /// The scope.
  let scope: Scope
  /// Whether a cgroup is taken at its word by path too, as an administrator names it; otherwise
  /// only clients for whom the shell found the domain belong to it.
  let byPath: Bool

  /// Whether a client with these facts is meant.
  @inline(__always) func contains(_ facts: ClientFacts) -> Bool {
    guard case .domain(let domain) = scope, domain != .host else { return true }
    if facts.domains.contains(domain) { return true }
    return byPath && domain.contains(cgroup: facts.cgroup)
  }
}

/// One client that takes part in a split.
struct PlannedClient: Sendable {
  /// Its place in the registry.
  let account: Int
  /// Its caches, in `QuotaPlanner.caches`.
  let caches: Range<Int>
}

/// One cache that takes part in a split, and from what its part is computed.
struct PlannedCache: Sendable {
  /// Its place in the client's account.
  let index: Int
  /// The share in force and the cost declared.
  let share: UInt32, cost: UInt32
  /// The floor honoured at this level.
  let floor: ByteCount
  /// The cost after the band.
  var band = Permyriad.one
}

/// Splits a target over clients, and each client's part over its caches.
///
///     floor   min(declared, 25 % of bytes), or the administrator's; 0 at critical
///     cap     min(reclaimable, bytes - floor) - in flight
///     weight  share × clamp(cost / median cost, ½, 2)
///
/// A client counts with the sum of its caches' bytes and caps and with the mean of their weights,
/// weighted by bytes, so that cutting one cache into two changes nothing. Both splits are
/// `LevelDown`, so the parts add up to min(target, capacity) to the byte.
///
/// All buffers are kept between splits.
struct QuotaPlanner: Sendable {
  /// Who takes part, by id, and what each is given: `claims` has the same places.
  private(set) var clients: [PlannedClient] = []
  private(set) var claims: [Claim] = []
  /// Their caches, client by client: `cacheClaims` has the same places.
  private(set) var caches: [PlannedCache] = []
  private(set) var cacheClaims: [Claim] = []
  /// The median cost of the caches that take part.
  private(set) var medianCost: UInt32 = 0

  private var costs: [CostBand.Cost] = []
  private var solver = LevelDown()

  /// Makes room for splits over so many clients and caches.
  mutating func reserve(clients count: Int, caches cacheCount: Int) {
    clients.makeRoom(for: count)
    claims.makeRoom(for: count)
    caches.makeRoom(for: cacheCount)
    cacheClaims.makeRoom(for: cacheCount)
    costs.makeRoom(for: cacheCount)
    solver.reserve(max(count, cacheCount))
  }

  /// Splits `terms.target`.
  ///
  /// - Parameters:
  ///   - terms: How much, from whom.
  ///   - registry: The accounts.
  ///   - mayTake: Whether this cache of this account may be asked, beyond the terms.
  /// - Returns: What those that take part could give, and the sum of the parts.
  mutating func plan(
    _ terms: QuotaTerms,
    over registry: borrowing ClientRegistry,
    where mayTake: (_ account: Int, _ cache: Int) -> Bool = { _, _ in true }
  ) -> (capacity: ByteCount, part: ByteCount) {
    clients.clear()
    claims.clear()
    caches.clear()
    cacheClaims.clear()
    costs.clear()
    for index in registry.accounts.indices {
      gather(index, of: registry, terms, mayTake)
    }
    medianCost = CostBand.median(of: &costs)
    var capacity = ByteCount.zero
    for client in clients { capacity += weigh(client) }
    let part = solver.split(terms.target.value, over: &claims, in: 0..<claims.count)
    for (index, client) in clients.enumerated() {
      let given = solver.split(claims[index].part, over: &cacheClaims, in: client.caches)
      precondition(given == claims[index].part, "the parts of caches add up to the client's")
    }
    return (capacity, ByteCount(part))
  }

  /// Takes in what a client could give.
  ///
  /// Reaches into the registry for each value: a copy of an account costs more than the rest.
  private mutating func gather(
    _ index: Int,
    of registry: borrowing ClientRegistry,
    _ terms: QuotaTerms,
    _ mayTake: (Int, Int) -> Bool
  ) {
    guard registry.accounts[index].isAttached,
      terms.members.contains(registry.accounts[index].facts)
    else { return }
    if let until = registry.accounts[index].refusedUntil, until > terms.now { return }
    let first = caches.count
    let granted = registry.accounts[index].facts.grantedShare
    for place in registry.accounts[index].caches.indices {
      guard registry.accounts[index].caches[place].takesPart(at: terms.level),
        mayTake(index, place)
      else { continue }
      let floor = floor(of: place, in: index, of: registry, at: terms.level)
      let cap = registry.accounts[index].caches[place].cap(above: floor)
      guard cap > .zero else { continue }
      let cost = registry.accounts[index].caches[place].declaration.costMicrosecondsPerMiB
      let size = registry.accounts[index].caches[place].bytes.value
      let share = registry.accounts[index].caches[place].share(granted: granted)
      costs.append(CostBand.Cost(value: cost, index: caches.count))
      caches.append(PlannedCache(index: place, share: share, cost: cost, floor: floor))
      cacheClaims.append(Claim(size: size, cap: cap.value, weight: 1))
    }
    guard caches.count > first else { return }
    clients.append(PlannedClient(account: index, caches: first..<caches.count))
  }

  /// What must remain of a cache: nothing at critical.
  private func floor(
    of place: Int,
    in index: Int,
    of registry: borrowing ClientRegistry,
    at level: PressureLevel
  ) -> ByteCount {
    guard level != .critical else { return .zero }
    guard registry.accounts[index].facts.grantedFloor > .zero else {
      return registry.accounts[index].caches[place].floor(granted: .zero)
    }
    let account = registry.accounts[index]
    let granted = account.grantedFloor(of: account.caches[place], within: account.bytes)
    return account.caches[place].floor(granted: granted)
  }

  /// Gives the caches of a client their weights and the client its claim; returns its cap.
  private mutating func weigh(_ client: PlannedClient) -> ByteCount {
    var size: UInt128 = 0
    var cap: UInt128 = 0
    var weighted: UInt128 = 0
    for index in client.caches {
      let band = CostBand.band(of: caches[index].cost, median: medianCost)
      let weight = UInt64(caches[index].share) * UInt64(band.parts)
      caches[index].band = band
      cacheClaims[index].weight = weight
      size += UInt128(cacheClaims[index].size)
      cap += UInt128(cacheClaims[index].cap)
      weighted += UInt128(cacheClaims[index].size) * UInt128(weight)
    }
    let claim = Claim(
      size: UInt64(clamping: size),
      cap: UInt64(clamping: cap),
      weight: max(1, mean(of: weighted, over: size))
    )
    claims.append(claim)
    return ByteCount(claim.cap)
  }

  /// The quotient, by one machine division where the divisor fits.
  ///
  /// - Parameters:
  ///   - sum: A sum of weights, each times a size.
  ///   - size: The sum of the sizes.
  /// - Returns: The mean weight, rounded down: below 2^32, like each weight.
  private func mean(of sum: UInt128, over size: UInt128) -> UInt64 {
    guard size > 0 else { return 1 }
    guard let divisor = UInt64(exactly: size) else { return UInt64(sum / size) }
    let halves = (high: UInt64(sum >> 64), low: UInt64(truncatingIfNeeded: sum))
    return divisor.dividingFullWidth(halves).quotient
  }
}
