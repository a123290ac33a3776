// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One part of a cache, under its own lock, so that threads that use different keys seldom meet.
///
/// Entries lie in one array that the index points into: a random candidate is one subscript away,
/// and removing moves the last entry into the gap.
struct CacheShardState<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  struct Entry: Sendable {
    var key: Key
    var value: Value
    var cost: Int
    /// What it took to make the value, in µs; at least 1.
    var rebuildMicroseconds: UInt32
    /// Hits, halved as time passes; saturates.
    var hits: UInt16
    /// The shard's clock when the entry was last used.
    var lastUse: UInt64
  }

  private(set) var entries: [Entry] = []
  private var index: [Key: Int] = [:]
  /// Ticks once per lookup or insertion: the only clock that eviction needs.
  private var clock: UInt64 = 0
  private var random: UInt64
  private(set) var hits: UInt64 = 0
  private(set) var misses: UInt64 = 0
  /// Keys whose value is being made, with those who wait for it.
  private var flights: [Key: [CheckedContinuation<Void, Never>]] = [:]

  init(seed: UInt64) {
    // Zero is the one state that xorshift never leaves.
    random = seed == 0 ? 0x9E37_79B9_7F4A_7C15 : seed
  }

  /// The value of `key`; a hit makes the entry more worth keeping.
  mutating func lookUp(_ key: Key) -> Value? {
    clock &+= 1
    guard let position = index[key] else {
      misses &+= 1
      return nil
    }
    hits &+= 1
    entries[position].hits = decayedHits(of: position).addingSaturated(1)
    entries[position].lastUse = clock
    return entries[position].value
  }

  /// The value of `key`, without counting a hit or a miss.
  func peek(_ key: Key) -> Value? { index[key].map { entries[$0].value } }

  /// Whether the caller is the first to make the value of `key`.
  mutating func startFlight(of key: Key) -> Bool {
    guard flights[key] == nil else { return false }
    flights[key] = []
    return true
  }

  /// Lets `waiter` wait for the value of `key`, unless nobody makes it any more.
  mutating func board(_ key: Key, _ waiter: CheckedContinuation<Void, Never>) -> Bool {
    guard flights[key] != nil else { return false }
    flights[key]?.append(waiter)
    return true
  }

  /// Ends the making of `key`; returns who waits.
  mutating func endFlight(of key: Key) -> [CheckedContinuation<Void, Never>] {
    flights.removeValue(forKey: key) ?? []
  }

  /// Puts an entry in; its key must not be there.
  mutating func insert(key: Key, value: Value, cost: Int, rebuildMicroseconds: UInt32) {
    precondition(index[key] == nil, "a key is inserted once")
    clock &+= 1
    index[key] = entries.count
    entries.append(
      Entry(
        key: key,
        value: value,
        cost: cost,
        rebuildMicroseconds: max(rebuildMicroseconds, 1),
        hits: 1,
        lastUse: clock
      )
    )
  }

  /// Takes the entry of `key` out.
  mutating func remove(_ key: Key) -> Entry? {
    index[key].map { remove(at: $0) }
  }

  /// Takes out the least worthy of up to `candidates` entries picked at random.
  mutating func removeWorst(candidates: Int) -> Entry? {
    pickWorst(candidates: candidates).map { remove(at: $0.position) }
  }

  /// How worthy the least worthy of up to `candidates` entries is; nil in an empty shard.
  mutating func lowestWorth(candidates: Int) -> Double? {
    pickWorst(candidates: candidates)?.worth
  }

  /// Takes everything out.
  mutating func removeAll() -> [Entry] {
    let all = entries
    entries = []
    index = [:]
    return all
  }

  /// Gives the room of evicted entries back where less than a quarter of it is used.
  mutating func compact() {
    guard entries.capacity > 64, entries.count < entries.capacity / 4 else { return }
    var smaller: [Entry] = []
    smaller.reserveCapacity(entries.count)
    smaller.append(contentsOf: entries)
    entries = smaller
    var smallerIndex: [Key: Int] = [:]
    smallerIndex.reserveCapacity(entries.count)
    for (position, entry) in entries.enumerated() { smallerIndex[entry.key] = position }
    index = smallerIndex
  }

  private mutating func remove(at position: Int) -> Entry {
    let last = entries.count - 1
    entries.swapAt(position, last)
    let removed = entries.removeLast()
    index[removed.key] = nil
    if position < last { index[entries[position].key] = position }
    return removed
  }

  /// The lowest frequency × rebuild time / cost of a random few; the oldest use breaks ties.
  private mutating func pickWorst(candidates: Int) -> (position: Int, worth: Double)? {
    var lowest: (position: Int, worth: Double)?
    let takesAll = entries.count <= candidates
    for turn in 0..<min(candidates, entries.count) {
      let position = takesAll ? turn : Int(nextRandom() % UInt64(entries.count))
      let candidate = (position, worth: worth(of: position))
      guard let best = lowest else {
        lowest = candidate
        continue
      }
      if (best.worth, entries[best.position].lastUse)
        > (candidate.worth, entries[position].lastUse)
      {
        lowest = candidate
      }
    }
    return lowest
  }

  private func worth(of position: Int) -> Double {
    let entry = entries[position]
    return Double(decayedHits(of: position)) * Double(entry.rebuildMicroseconds)
      / Double(max(entry.cost, 1))
  }

  /// Hits, halved for every four turns over the shard in which the entry was not used, so that
  /// what was popular yesterday does not stay for ever.
  private func decayedHits(of position: Int) -> UInt16 {
    let halfLife = UInt64(max(entries.count, 16)) * 4
    let halvings = (clock &- entries[position].lastUse) / halfLife
    return halvings >= 16 ? 0 : entries[position].hits >> UInt16(halvings)
  }

  private mutating func nextRandom() -> UInt64 {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    return random
  }
}

extension UInt16 {
  fileprivate func addingSaturated(_ other: UInt16) -> UInt16 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

/// The lock around one shard.
final class CacheShard<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  let state: Mutex<CacheShardState<Key, Value>>

  init(seed: UInt64) { state = Mutex(CacheShardState(seed: seed)) }
}
