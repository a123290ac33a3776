// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import UCMKModel

/// What a ``UCMKCache`` holds, apart from its registration.
///
/// The client keeps this object alive, not the cache: a cache whose last owner lets go of it
/// leaves the client by itself.
final class CacheStore<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  typealias EvictionHandler = @Sendable (Key, Value, CacheEvictionReason) -> Void
  typealias Entry = CacheShardState<Key, Value>.Entry

  /// Entries freed between two looks at the clock.
  static var batch: Int { 64 }
  /// Entries compared for each one that goes.
  static var candidates: Int { 16 }
  static var shardCount: Int { 16 }
  /// Entries of a shard looked at to learn what is cold: of a cache 256, so that a part of it is
  /// known to within 3 % (one standard deviation) where entries are of one size.
  static var coldSamples: Int { 16 }

  let budget: CacheBudget
  private let shards: [CacheShard<Key, Value>]
  private let onEvict: EvictionHandler?
  private let turn = Atomic<Int>(0)
  private let time: @Sendable () -> MonotonicInstant

  /// Makes an empty store; `time` is the clock by which refills are timed.
  init(
    totalCostLimit: Int,
    countLimit: Int,
    seed: UInt64,
    time: @escaping @Sendable () -> MonotonicInstant = { .now },
    onEvict: EvictionHandler?
  ) {
    budget = CacheBudget(totalCostLimit: totalCostLimit, countLimit: countLimit)
    let now = time()
    shards = (0..<CacheStore.shardCount).map { number in
      CacheShard(seed: seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15, now: now)
    }
    self.time = time
    self.onEvict = onEvict
  }

  func shard(of key: Key) -> CacheShard<Key, Value> { shard(ofHash: key.hashValue) }

  private func shard(ofHash hash: Int) -> CacheShard<Key, Value> {
    shards[Int(UInt(bitPattern: hash) >> 7) % shards.count]
  }

  // MARK: - Reading and writing

  func lookUp(_ key: Key) -> Value? {
    let hash = key.hashValue
    return shard(ofHash: hash).state.withLock { $0.lookUp(key, hash: hash, time) }
  }

  /// Puts a value in, evicting others where room lacks.
  ///
  /// - Parameters:
  ///   - value: The value.
  ///   - key: Its key.
  ///   - cost: Bytes, not negative.
  ///   - rebuildMicroseconds: What it took to make, as the program says.
  ///   - making: The same, where the library timed it itself.
  /// - Returns: Whether the value is in; one that alone is above the limit is not.
  @discardableResult
  func insert(
    _ value: Value,
    for key: Key,
    cost: Int,
    rebuildMicroseconds: UInt32,
    making: TimeSpan? = nil
  ) -> Bool {
    precondition(cost >= 0, "a cost is not negative")
    let before = budget.totalCost
    let hash = key.hashValue
    let shard = shard(ofHash: hash)
    let replaced = shard.state.withLock { $0.remove(key) }
    if let replaced { retire(replaced, reason: .replaced) }
    guard budget.couldHold(cost) else {
      onEvict?(key, value, .limit)
      return false
    }
    while !budget.take(cost, before: before) {
      guard let victim = removeOneWorst() else {
        // Others hold the room at this moment, or the daemon's limit is below this one entry.
        onEvict?(key, value, .limit)
        return false
      }
      retire(victim, reason: .limit)
    }
    let displaced = shard.state.withLock { state in
      let earlier = state.remove(key)
      state.insert(
        key: key,
        value: value,
        cost: cost,
        rebuildMicroseconds: rebuildMicroseconds
      )
      state.timeRefill(hash: hash, bytes: cost, making: making, time)
      return earlier
    }
    if let displaced { retire(displaced, reason: .replaced) }
    return true
  }

  func remove(_ key: Key, reason: CacheEvictionReason) {
    let removed = shard(of: key).state.withLock { $0.remove(key) }
    if let removed { retire(removed, reason: reason) }
  }

  func removeAll() {
    for shard in shards {
      for entry in shard.state.withLock({ $0.removeAll() }) { retire(entry, reason: .explicit) }
    }
  }

  // MARK: - Giving back

  /// Evicts until the hard limits hold, as after one was lowered.
  func enforceHardLimits() {
    while budget.isAboveHardLimit, let victim = removeOneWorst() {
      retire(victim, reason: .limit)
    }
  }

  /// Evicts the least worthy entries until `bytes` are freed or `isOver` says to stop.
  ///
  /// - Parameters:
  ///   - bytes: The sum of costs to free.
  ///   - isOver: Asked after each batch of 64 entries.
  ///   - progress: Told after each batch what is freed so far.
  /// - Returns: What was freed.
  func evict(
    _ bytes: ByteCount,
    until isOver: () -> Bool,
    progress: (ByteCount) -> Void
  ) -> ByteCount {
    var freed = ByteCount.zero
    while freed < bytes {
      var batched = 0
      // A batch takes a few of each shard: all of it from one would cost that shard good entries.
      for turn in shards.indices where freed < bytes {
        let share = CacheStore.batch / CacheStore.shardCount
        let victims = takeWorst(share, of: poorerShard(turn), atLeast: bytes - freed)
        batched += victims.count
        for victim in victims {
          freed += ByteCount(UInt64(victim.cost))
          retire(victim, reason: .pressure)
        }
      }
      progress(freed)
      if batched == 0 || isOver() { break }
    }
    for shard in shards { shard.state.withLock { $0.compact() } }
    return freed
  }

  /// The one of two shards, the `turn`th and a random one, whose worst entry is worth less: what
  /// is worth little lies unevenly, and a shard that has lost its own would lose good entries.
  private func poorerShard(_ turn: Int) -> CacheShard<Key, Value> {
    let first = shards[turn]
    let step = 1 + Int.random(in: 0..<(shards.count - 1))
    let second = shards[(turn + step) & (shards.count - 1)]
    let candidates = CacheStore.candidates
    let firstWorth = first.state.withLock { $0.lowestWorth(candidates: candidates) }
    let secondWorth = second.state.withLock { $0.lowestWorth(candidates: candidates) }
    guard let secondWorth else { return first }
    guard let firstWorth else { return second }
    return secondWorth < firstWorth ? second : first
  }

  private func takeWorst(
    _ count: Int,
    of shard: CacheShard<Key, Value>,
    atLeast wanted: ByteCount
  ) -> [Entry] {
    shard.state.withLock { state in
      var victims: [Entry] = []
      var freed = ByteCount.zero
      while victims.count < count, freed < wanted,
        let victim = state.removeWorst(candidates: CacheStore.candidates)
      {
        freed += ByteCount(UInt64(victim.cost))
        victims.append(victim)
      }
      return victims
    }
  }

  /// Takes one of the next shard that has any.
  private func removeOneWorst() -> Entry? {
    let start = turn.add(1, ordering: .relaxed).newValue
    for step in 0..<shards.count {
      let shard = shards[(start &+ step) & (shards.count - 1)]
      let victim = shard.state.withLock { $0.removeWorst(candidates: CacheStore.candidates) }
      if let victim { return victim }
    }
    return nil
  }

  /// Tells the program; the value itself is let go of outside every lock.
  private func retire(_ entry: Entry, reason: CacheEvictionReason) {
    budget.giveBack(entry.cost)
    onEvict?(entry.key, entry.value, reason)
  }

  // MARK: - Looking

  var currentUsage: CacheUsage {
    var (hits, misses): (UInt64, UInt64) = (0, 0)
    var (cold, all) = (0.0, 0.0)
    var pace = RefillPace()
    let now = time()
    for shard in shards {
      let seen = shard.state.withLock { state in
        let estimate = state.estimateCold(samples: CacheStore.coldSamples, at: now)
        return (state.hits, state.misses, estimate.cold, estimate.all, state.refillPace)
      }
      hits &+= seen.0
      misses &+= seen.1
      cold += seen.2
      all += seen.3
      pace.add(seen.4)
    }
    let total = max(0, budget.totalCost)
    let bytes = ByteCount(UInt64(total))
    return CacheUsage(
      bytes: bytes,
      reclaimable: bytes,
      cold: all > 0 ? ByteCount(UInt64(Double(total) * (cold / all))) : .zero,
      refillMicrosecondsPerMiB: pace.microsecondsPerMiB,
      entries: UInt64(max(0, budget.totalCount)),
      hits: hits,
      misses: misses
    )
  }

  /// The sum of the costs of all entries, entry by entry: for tests.
  var recountedCost: Int {
    shards.reduce(0) { sum, shard in
      sum + shard.state.withLock { $0.entries.reduce(0) { $0 + $1.cost } }
    }
  }
}
