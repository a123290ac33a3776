// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import UCMKModel

/// A cache that shrinks by itself when memory gets short.
///
/// It has the names of `NSCache` and differs in what goes first: of 16 entries picked at random,
/// the one with the lowest frequency × rebuild time / cost. Costs are bytes. All methods are
/// safe from every thread, and a hit takes one short lock and no suspension. The cache times by
/// itself what it costs to bring evicted entries back, and tells it with its size.
public final class UCMKCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let store: CacheStore<Key, Value>
  private let registration: CacheRegistration
  /// The cost last passed on to the client, which is told of changes of 1 MiB and more.
  private let noted = Atomic<Int>(0)

  /// Makes a cache and registers it.
  ///
  /// - Parameters:
  ///   - name: What people see.
  ///   - totalCostLimit: Bytes at most; 0 for no limit.
  ///   - countLimit: Entries at most; 0 for no limit.
  ///   - policy: What the program wishes for it.
  ///   - client: Who asks it to shrink.
  ///   - onEvict: Called after an entry left, on the thread that made it leave, under no lock.
  public convenience init(
    name: CacheName,
    totalCostLimit: Int = 0,
    countLimit: Int = 0,
    policy: CachePolicy = CachePolicy(),
    client: UCMKClient = .shared,
    onEvict: (@Sendable (Key, Value, CacheEvictionReason) -> Void)? = nil
  ) {
    let store = CacheStore<Key, Value>(
      totalCostLimit: totalCostLimit,
      countLimit: countLimit,
      seed: .random(in: 1...UInt64.max),
      onEvict: onEvict
    )
    self.init(name: name, policy: policy, client: client, store: store)
  }

  init(name: CacheName, policy: CachePolicy, client: UCMKClient, store: CacheStore<Key, Value>) {
    self.store = store
    registration = client.register(name, policy: policy, cache: store)
  }

  /// Bytes at most; 0 for no limit.
  ///
  /// Lowering it evicts at once.
  public var totalCostLimit: Int {
    get { store.budget.totalCostLimit }
    set {
      store.budget.totalCostLimit = newValue
      store.enforceHardLimits()
      noteChange()
    }
  }

  /// Entries at most; 0 for no limit.
  ///
  /// Lowering it evicts at once.
  public var countLimit: Int {
    get { store.budget.countLimit }
    set {
      store.budget.countLimit = newValue
      store.enforceHardLimits()
      noteChange()
    }
  }

  /// The sum of all costs now.
  public var totalCost: Int { store.budget.totalCost }

  /// Entries now.
  public var count: Int { store.budget.totalCount }

  /// The ceiling that the daemon set, if any: up to it the cache may grow, above it only replace.
  public var limit: MemoryLimit { registration.limit }

  /// The value of `key`, or nil.
  public func object(forKey key: Key) -> Value? { store.lookUp(key) }

  /// The value of `key`, or nil.
  public subscript(key: Key) -> Value? { store.lookUp(key) }

  /// Puts a value in, evicting others where room lacks.
  ///
  /// - Parameters:
  ///   - object: The value; one that costs more than the whole limit is not kept.
  ///   - key: Its key; an earlier value leaves as ``CacheEvictionReason/replaced``.
  ///   - cost: Bytes, not negative.
  ///   - rebuildTime: What it took to make; entries of one cache are compared by it.
  public func setObject(
    _ object: Value,
    forKey key: Key,
    cost: Int = 0,
    rebuildTime: Duration = .milliseconds(1)
  ) {
    let microseconds = max(0, rebuildTime / .microseconds(1))
    store.insert(
      object,
      for: key,
      cost: cost,
      rebuildMicroseconds: UInt32(min(microseconds, Double(UInt32.max)))
    )
    noteChange()
  }

  /// Takes the value of `key` out.
  public func removeObject(forKey key: Key) {
    store.remove(key, reason: .explicit)
    noteChange()
  }

  /// Takes every value out.
  public func removeAllObjects() {
    store.removeAll()
    noteChange()
  }

  /// The value of `key`; where it is not there, one caller makes it and the others wait for it.
  ///
  /// How long `make` takes counts as the entry's rebuild time. Where it throws, its caller gets
  /// the error and the next of those who wait tries for itself.
  ///
  /// - Parameters:
  ///   - key: The key.
  ///   - cost: Bytes of a value, not negative.
  ///   - make: Makes the value; runs once for all who wait.
  /// - Returns: The value.
  /// - Throws: What `make` throws.
  public func value<Failure: Error>(
    forKey key: Key,
    cost: (Value) -> Int,
    orInsert make: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    while true {
      if let value = store.lookUp(key) { return value }
      guard await store.joinFlight(of: key) else { continue }
      defer { store.land(key) }
      // Another caller may have landed between the look-up and the start of this flight.
      if let value = store.peek(key) { return value }
      let start = MonotonicInstant.now
      let value = try await make()
      let elapsed = MonotonicInstant.now.since(start)
      store.insert(
        value,
        for: key,
        cost: cost(value),
        rebuildMicroseconds: UInt32(clamping: elapsed.microseconds),
        making: elapsed
      )
      noteChange()
      return value
    }
  }

  private func noteChange() {
    let total = store.budget.totalCost
    let last = noted.load(ordering: .relaxed)
    guard abs(total - last) >= 1 << 20 else { return }
    guard noted.compareExchange(expected: last, desired: total, ordering: .relaxed).exchanged
    else { return }
    registration.noteUsageChanged(store.currentUsage)
  }
}

extension UCMKCache: ShrinkableCache {
  /// The sum of all costs, all of it reclaimable, the counts of hits and misses, and what the
  /// cache measures of itself.
  ///
  /// `cold` is estimated by a sample of at most 256 entries. `refillMicrosecondsPerMiB` is known
  /// once eight refills were timed: values that ``value(forKey:cost:orInsert:)`` made, or evicted
  /// keys that were missed and put back within a minute.
  public func usage() -> CacheUsage { store.usage() }

  /// Evicts the least worthy entries until the bytes are freed or the request is over.
  public func shrink(_ request: ShrinkRequest) -> ShrinkResult { store.shrink(request) }

  /// Takes the new ceiling; evicts nothing.
  public func limitDidChange(_ limit: MemoryLimit) { store.limitDidChange(limit) }
}
