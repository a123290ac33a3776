// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import UCMKModel

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
  private var refills = RefillTimer()
  private var marks: UseMarks
  /// Keys whose value is being made, with those who wait for it.
  private var flights: [Key: [CheckedContinuation<Void, Never>]] = [:]

  init(seed: UInt64, now: MonotonicInstant) {
    marks = UseMarks(at: now)
    // Zero is the one state that xorshift never leaves.
    random = seed == 0 ? 0x9E37_79B9_7F4A_7C15 : seed
  }

  /// The value of `key`; a hit makes the entry more worth keeping.
  ///
  /// - Parameters:
  ///   - key: The key.
  ///   - hash: Its hash.
  ///   - time: Read where a miss is to be timed.
  /// - Returns: The value, or nil.
  mutating func lookUp(_ key: Key, hash: Int, _ time: () -> MonotonicInstant) -> Value? {
    clock &+= 1
    guard let position = index[key] else {
      misses &+= 1
      refills.noteMiss(hash, time)
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

  /// Takes note of how long the entry that was just put in took to come back.
  mutating func timeRefill(
    hash: Int,
    bytes: Int,
    making: TimeSpan?,
    _ time: () -> MonotonicInstant
  ) {
    refills.noteInsertion(hash, bytes: bytes, making: making, time)
  }

  /// Takes the entry of `key` out.
  mutating func remove(_ key: Key) -> Entry? {
    index[key].map { remove(at: $0) }
  }

  /// Takes out the least worthy of up to `candidates` entries picked at random.
  mutating func removeWorst(candidates: Int) -> Entry? {
    guard let worst = pickWorst(candidates: candidates) else { return nil }
    let removed = remove(at: worst.position)
    refills.noteEviction(removed.key.hashValue)
    return removed
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

  /// What it holds that nothing used for a minute, by a sample of its entries.
  ///
  /// The sample is spread evenly and is all of the shard where that has no more entries.
  ///
  /// - Parameters:
  ///   - samples: Entries to look at, at most.
  ///   - now: The present moment.
  /// - Returns: The cost of what is cold, and of everything, as the sample has it.
  mutating func estimateCold(samples: Int, at now: MonotonicInstant) -> (cold: Double, all: Double)
  {
    let since = marks.note(clock, at: now)
    let count = min(samples, entries.count)
    guard count > 0 else { return (0, 0) }
    var (cold, all) = (0, 0)
    for turn in 0..<count {
      let position = turn * entries.count / count
      all += entries[position].cost
      if let since, entries[position].lastUse <= since { cold += entries[position].cost }
    }
    let scale = Double(entries.count) / Double(count)
    return (Double(cold) * scale, Double(all) * scale)
  }

  /// How fast what was evicted came back.
  var refillPace: RefillPace { refills.pace }

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

  init(seed: UInt64, now: MonotonicInstant) {
    state = Mutex(CacheShardState(seed: seed, now: now))
  }
}
