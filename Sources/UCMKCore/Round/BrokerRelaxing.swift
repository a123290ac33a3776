// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How limits are lifted again.
extension Broker {
  /// Lifts all limits that rounds of a domain set, and tells the clients.
  mutating func relaxLimits(of domain: DomainID) {
    for index in registry.accounts.indices {
      relax(index) { $0.domain == domain }
    }
  }

  /// Lifts the limits of manual rounds that are over, of clients that are not short; looks again
  /// soon after the others.
  mutating func relaxManualLimits() {
    guard let due = manualRelaxAt, due <= now else { return }
    manualRelaxAt = nil
    var isAnyLeft = false
    for index in registry.accounts.indices where hasManualLimit(index) {
      if isShort(registry.accounts[index].facts) {
        isAnyLeft = true
        continue
      }
      let open = rounds
      relax(index) { ceiling in
        ceiling.domain == nil && !open.contains { $0.isOpen && $0.id == ceiling.round }
      }
      if hasManualLimit(index) { isAnyLeft = true }
    }
    if isAnyLeft { manualRelaxAt = now + Defaults.pollNear }
  }

  /// Whether any client has a limit that a round of this domain set.
  func hasLimits(of domain: DomainID) -> Bool {
    for account in registry.accounts {
      for cache in account.caches where cache.limit?.domain == domain { return true }
    }
    return false
  }

  private func hasManualLimit(_ index: Int) -> Bool {
    for cache in registry.accounts[index].caches {
      if let limit = cache.limit, limit.domain == nil { return true }
    }
    return false
  }

  /// Whether the host or a domain of a client is short, or keeps its limits after a round.
  private func isShort(_ facts: ClientFacts) -> Bool {
    if isShort(.host) { return true }
    for domain in facts.domains where isShort(domain) { return true }
    return false
  }

  private func isShort(_ domain: DomainID) -> Bool {
    guard let control = domainTable[domain] else { return false }
    return control.isShort || control.state == .hold
  }

  /// Lifts the limits of a client's caches that `ends` picks, and tells it in one message.
  private mutating func relax(_ index: Int, where ends: (CacheCeiling) -> Bool) {
    let first = limits.count
    var round = RoundID(0)
    for place in registry.accounts[index].caches.indices {
      guard let ceiling = registry.accounts[index].caches[place].limit, ends(ceiling) else {
        continue
      }
      round = max(round, ceiling.round)
      limits.append(
        CacheLimit(cache: registry.accounts[index].caches[place].id, limit: nil)
      )
      registry.accounts[index].change(place) { $0.limit = nil }
    }
    guard limits.count > first else { return }
    guard registry.accounts[index].isAttached else {
      limits.removeLast(limits.count - first)
      registry.accounts[index].missedRelax = true
      return
    }
    effects.append(.relax(registry.accounts[index].id, round, .none, first..<limits.count))
  }
}
