// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How caches grow again after a shortage.
///
/// Not all at once: each reading of the domain hands out some bytes, and those get them that keep
/// least for their weight. What a cache is given back is bounded by what it held before the rounds
/// of the shortage; once it may hold that much again its limit is lifted.
extension Broker {
  /// Lets the caches of a domain begin to grow.
  mutating func beginGrowth(_ index: Int) {
    domainTable.controls[index].growth = GrowthBudget(at: now)
    domainTable.controls[index].backOff.noteGrowth(at: now)
    setState(index, to: .grow)
  }

  /// Hands out what the caches of a domain may grow by since the last reading.
  mutating func grow(_ index: Int) {
    let domain = domainTable.controls[index].domain
    guard var budget = domainTable.controls[index].growth,
      let reading = domainTable.controls[index].reading
    else { return }
    guard now.since(budget.begun) < Defaults.growPatience else { return relaxLimits(of: domain) }
    let headroom = reading.available - domainTable.controls[index].marks.high
    let bytes = budget.draw(headroom: headroom, at: now)
    let handed = handOut(bytes, in: domain)
    budget.spend(handed)
    domainTable.controls[index].growth = budget
    // The last few bytes below the high watermark are not what led into a shortage.
    if handed >= DeficitTarget.deadBand(of: reading.capacity) {
      domainTable.controls[index].backOff.noteGrowth(at: now)
    }
  }

  /// Raises the limits of a domain by `bytes` together and returns by how much they were raised.
  private mutating func handOut(_ bytes: ByteCount, in domain: DomainID) -> ByteCount {
    let wanted = collectGrowth(in: domain)
    guard wanted > 0, bytes > .zero else { return .zero }
    // What is withheld is split by the same rule as what is asked for: from those that keep most.
    let withheld = UInt64(clamping: wanted - min(wanted, UInt128(bytes.value)))
    let range = 0..<growthClaims.count
    _ = growthSplit.split(withheld, over: &growthClaims, in: range)
    var handed = ByteCount.zero
    for place in range {
      let claim = growthClaims[place]
      let part = ByteCount(claim.cap - claim.part)
      // A small part waits until it is worth a message, unless it is all that was wanted.
      guard part > .zero, claim.part == 0 || part >= Defaults.growLeast else { continue }
      handed += raise(growthAccounts[place], by: part, in: domain)
    }
    return handed
  }

  /// Lists the clients with limits of a domain: what they would hold, what of it is withheld.
  ///
  /// - Returns: The sum of what is withheld.
  private mutating func collectGrowth(in domain: DomainID) -> UInt128 {
    growthClaims.clear()
    growthAccounts.clear()
    var sum: UInt128 = 0
    for index in registry.accounts.indices where registry.accounts[index].isAttached {
      var (size, cap) = (ByteCount.zero, ByteCount.zero)
      for place in registry.accounts[index].caches.indices {
        let ceiling = registry.accounts[index].caches[place].limit
        guard let ceiling, ceiling.domain == domain else {
          size += registry.accounts[index].caches[place].bytes
          continue
        }
        size += max(ceiling.wanted, ceiling.bytes)
        cap += ceiling.wanted - ceiling.bytes
      }
      guard cap > .zero || hasLimit(index, of: domain) else { continue }
      let weight = UInt64(max(1, registry.accounts[index].facts.grantedShare))
      growthClaims.append(Claim(size: max(size, cap).value, cap: cap.value, weight: weight))
      growthAccounts.append(index)
      sum += UInt128(cap.value)
    }
    return sum
  }

  /// Raises the limits of one client's caches by `bytes` together, those that keep least first, and
  /// lifts those that are no limits any more.
  private mutating func raise(_ index: Int, by bytes: ByteCount, in domain: DomainID) -> ByteCount {
    cacheGrowth.clear()
    var sum = ByteCount.zero
    for place in registry.accounts[index].caches.indices {
      let cache = registry.accounts[index].caches[place]
      var claim = Claim(size: 0, cap: 0, weight: 1)
      if let ceiling = cache.limit, ceiling.domain == domain {
        claim.size = max(ceiling.wanted, ceiling.bytes).value
        claim.cap = (ceiling.wanted - ceiling.bytes).value
        claim.weight = UInt64(cache.figures.share(granted: 100))
      }
      cacheGrowth.append(claim)
      sum += ByteCount(claim.cap)
    }
    let range = 0..<cacheGrowth.count
    _ = growthSplit.split((sum - bytes).value, over: &cacheGrowth, in: range)
    let first = limits.count
    var round = RoundID(0)
    for place in range {
      guard var ceiling = registry.accounts[index].caches[place].limit, ceiling.domain == domain
      else { continue }
      let claim = cacheGrowth[place]
      guard claim.cap > claim.part || claim.cap == 0 else { continue }
      ceiling.bytes += ByteCount(claim.cap - claim.part)
      let next = claim.part == 0 ? nil : ceiling
      registry.accounts[index].change(place) { $0.limit = next }
      let cache = registry.accounts[index].caches[place].id
      limits.append(CacheLimit(cache: cache, limit: next?.bytes))
      round = max(round, ceiling.round)
    }
    guard limits.count > first else { return .zero }
    effects.append(.relax(registry.accounts[index].id, round, .none, first..<limits.count))
    return min(bytes, sum)
  }

  private func hasLimit(_ index: Int, of domain: DomainID) -> Bool {
    for place in registry.accounts[index].caches.indices
    where registry.accounts[index].caches[place].limit?.domain == domain {
      return true
    }
    return false
  }
}
