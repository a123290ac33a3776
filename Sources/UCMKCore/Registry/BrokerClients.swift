// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Clients and caches: who is there, and what they say of themselves.
extension Broker {
  /// Takes in a client.
  mutating func join(_ client: ClientID, _ facts: ClientFacts) {
    guard registry.index(of: client) == nil else { return }
    ensureDomains(of: facts)
    var account = ClientAccount(id: client, facts: facts)
    account.behaviour.newUntil = now + Defaults.newcomer
    enter(registry.add(account))
    reserve()
  }

  /// Takes in a cache.
  mutating func register(
    _ client: ClientID,
    _ cache: CacheID,
    _ declaration: CacheDeclaration
  ) {
    guard let index = registry.index(of: client) else { return }
    watchWillingness(of: index) { broker in
      broker.registry.addCache(CacheAccount(id: cache, declaration: declaration), at: index)
    }
    reserve()
  }

  /// Takes a changed declaration.
  mutating func update(_ client: ClientID, _ cache: CacheID, _ declaration: CacheDeclaration) {
    changeCache(client, cache) { $0.declaration = declaration }
  }

  /// Takes a cache away.
  mutating func unregister(_ client: ClientID, _ cache: CacheID) {
    guard let index = registry.index(of: client),
      let place = registry.accounts[index].index(of: cache)
    else { return }
    watchWillingness(of: index) { $0.registry.removeCache(place, at: index) }
  }

  /// Takes a report of a cache's usage.
  mutating func report(_ client: ClientID, _ cache: CacheID, _ usage: CacheUsage) {
    changeCache(client, cache) { $0.usage = usage }
  }

  /// Takes what changed around a client.
  mutating func relocate(_ client: ClientID, _ facts: ClientFacts) {
    guard let index = registry.index(of: client) else { return }
    move(index, to: facts)
  }

  /// Takes note that a connection ended.
  mutating func detach(_ client: ClientID) {
    guard let index = registry.attachedIndex(of: client) else { return }
    withdraw(client)
    watchWillingness(of: index) { $0.registry.accounts[index].isAttached = false }
  }

  /// Gives a client that came back its caches.
  ///
  /// Limits that were lifted meanwhile, or still stand, are told again: the program may be another
  /// process that never heard of them.
  mutating func reattach(_ client: ClientID, _ facts: ClientFacts) {
    guard let index = registry.index(of: client), !registry.accounts[index].isAttached else {
      return
    }
    watchWillingness(of: index) { $0.registry.accounts[index].isAttached = true }
    move(index, to: facts)
    let hasLimits = registry.accounts[index].caches.contains { $0.limit != nil }
    guard hasLimits || registry.accounts[index].missedRelax else { return }
    registry.accounts[index].missedRelax = false
    let first = limits.count
    limits.append(contentsOf: limits(of: client))
    effects.append(.limit(client, first..<limits.count))
  }

  /// Forgets a client.
  mutating func leave(_ client: ClientID) {
    guard let index = registry.index(of: client) else { return }
    withdraw(client)
    watchWillingness(of: index) { $0.registry.accounts[index].isAttached = false }
    let facts = registry.accounts[index].facts
    registry.remove(at: index)
    exit(facts)
  }

  /// Sets what an administrator wants of a cache instead; nil leaves a value as it is.
  mutating func apply(_ override: CacheOverride, to client: ClientID, _ cache: CacheID) {
    guard let index = registry.index(of: client),
      let place = registry.accounts[index].index(of: cache)
    else { return }
    registry.accounts[index].change(place) { cache in
      cache.override.share = override.share ?? cache.override.share
      cache.override.floor = override.floor ?? cache.override.floor
      cache.override.minimumLevel = override.minimumLevel ?? cache.override.minimumLevel
      cache.override.until = override.until
    }
    // What was fair before says nothing of what is fair now.
    if override.share != nil { registry.accounts[index].behaviour.ledger = Ledger() }
    overrideEndsAt = sooner(overrideEndsAt, override.until)
  }

  /// Ends the overrides whose time is over.
  mutating func endOverrides() {
    guard let due = overrideEndsAt, due <= now else { return }
    overrideEndsAt = nil
    for index in registry.accounts.indices {
      for place in registry.accounts[index].caches.indices {
        let before = registry.accounts[index].caches[place].override.share
        registry.accounts[index].change(place) { $0.endOverride(at: now) }
        if before != registry.accounts[index].caches[place].override.share {
          registry.accounts[index].behaviour.ledger = Ledger()
        }
        let end = registry.accounts[index].caches[place].override.until
        overrideEndsAt = sooner(overrideEndsAt, end)
      }
    }
  }

  /// Changes one cache, if it is there.
  mutating func changeCache(
    _ client: ClientID,
    _ cache: CacheID,
    by body: (inout CacheAccount) -> Void
  ) {
    guard let index = registry.index(of: client),
      let place = registry.accounts[index].index(of: cache)
    else { return }
    watchWillingness(of: index) { $0.registry.accounts[index].change(place, by: body) }
  }

  private mutating func move(_ index: Int, to facts: ClientFacts) {
    let previous = registry.accounts[index].facts
    ensureDomains(of: facts)
    if isWilling(index) { changeWilling(index, by: -1) }
    registry.setFacts(facts, at: index)
    if facts.grantedShare != previous.grantedShare {
      registry.accounts[index].behaviour.ledger = Ledger()
    }
    // Into the new ones first: a domain in both lists must not be dropped in between.
    enter(index)
    exit(previous)
  }

  /// Does something to a client and keeps the counts of willing clients right.
  private mutating func watchWillingness(of index: Int, _ body: (inout Broker) -> Void) {
    let before = isWilling(index)
    body(&self)
    let after = isWilling(index)
    if before != after { changeWilling(index, by: after ? 1 : -1) }
  }

  /// Makes room for a round over everybody, so that none has to when memory is short.
  private mutating func reserve() {
    let clients = registry.accounts.count
    let caches = registry.cacheCount
    let cgroups = registry.cgroups.nodes.count
    planner.reserve(clients: clients, caches: caches, cgroups: cgroups)
    for slot in rounds.indices {
      rounds[slot].reserve(clients: clients, caches: caches, cgroups: cgroups)
    }
    archive.reserve()
    attemptArchive.reserve()
    settlement.reserve(clients)
    growthSplit.reserve(max(clients, 62))
    growthClaims.makeRoom(for: clients)
    growthAccounts.makeRoom(for: clients)
    cacheGrowth.makeRoom(for: 62)
    targets.makeRoom(for: caches)
    limits.makeRoom(for: caches)
    // Per client a measurement and a request, a cancellation or a relaxation; and what the domains
    // and the round itself say.
    effects.makeRoom(for: 2 * clients + 64)
  }
}
