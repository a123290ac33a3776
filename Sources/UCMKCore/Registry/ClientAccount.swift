// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// What is known of one client.
struct ClientAccount: Sendable, Equatable {
  /// The client.
  let id: ClientID
  /// What the kernel and the settings say of it.
  var facts: ClientFacts
  /// Its caches, by id.
  private(set) var caches: [CacheAccount] = []
  /// The place of its cgroup in the registry's tree.
  var cgroup = CgroupTree.root
  /// Whether its connection stands; a detached client may come back for `Defaults.resume`.
  var isAttached = true
  /// Whether limits of its caches were lifted while nobody was there to be told.
  var missedRelax = false
  /// Until when it wants to be left alone.
  var refusedUntil: MonotonicInstant?
  /// The last round in which it was asked.
  var lastRound: RoundID?
  /// What it did in earlier rounds.
  var behaviour = ClientBehaviour()

  /// Makes the account of a client that just said hello.
  init(id: ClientID, facts: ClientFacts) {
    self.id = id
    self.facts = facts
  }

  /// Whether anything of it could go.
  var hasReclaimable: Bool {
    // By index, here and below: an element that is taken out is copied with its strings.
    for index in caches.indices where caches[index].reclaimable > .zero { return true }
    return false
  }

  /// Asked for and not yet answered.
  var inFlight: ByteCount {
    var sum = ByteCount.zero
    for index in caches.indices { sum += caches[index].inFlight }
    return sum
  }

  /// All bytes of its caches.
  var bytes: ByteCount {
    var sum = ByteCount.zero
    for index in caches.indices { sum += caches[index].bytes }
    return sum
  }

  /// The part of the administrator's floor for the whole client that falls to a cache of `bytes`,
  /// in proportion to them.
  func grantedFloor(of bytes: ByteCount, within total: ByteCount) -> ByteCount {
    guard facts.grantedFloor > .zero, total > .zero else { return .zero }
    let part =
      UInt128(facts.grantedFloor.value) * UInt128(bytes.value) / UInt128(total.value)
    return ByteCount(UInt64(clamping: part))
  }

  /// Where a cache is, or nil.
  func index(of cache: CacheID) -> Int? {
    let place = place(of: cache)
    return place < caches.count && caches[place].id == cache ? place : nil
  }

  /// Adds a cache; a known id is left as it is.
  mutating func add(_ cache: CacheAccount) {
    let place = place(of: cache.id)
    guard place == caches.count || caches[place].id != cache.id else { return }
    caches.insert(cache, at: place)
  }

  /// Takes a cache away.
  mutating func remove(at index: Int) { caches.remove(at: index) }

  /// Changes the cache at `index`.
  mutating func change(_ index: Int, by body: (inout CacheAccount) -> Void) {
    body(&caches[index])
  }

  /// The first place whose id is not below `cache`.
  private func place(of cache: CacheID) -> Int {
    // Ids rise within a session, so the end is where most searches end.
    if let last = caches.last, last.id < cache { return caches.count }
    var low = 0
    var high = caches.count
    while low < high {
      let middle = low + (high - low) / 2
      if caches[middle].id < cache { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
