// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import UCMKClientTestKit
import UCMKModel
import UCMKTestSupport

@testable import UCMKClient

/// A clock that stands until the test moves it.
private final class Watch: Sendable {
  private let nanoseconds = Atomic<UInt64>(1_000_000_000_000)
  private let reads = Atomic<Int>(0)

  var now: MonotonicInstant {
    reads.add(1, ordering: .relaxed)
    return MonotonicInstant(nanoseconds: nanoseconds.load(ordering: .relaxed))
  }

  /// How often anybody asked for the time.
  var readCount: Int { reads.load(ordering: .relaxed) }

  func pass(_ span: TimeSpan) { nanoseconds.add(span.nanoseconds, ordering: .relaxed) }
}

@Suite("How fast refills are")
struct RefillPaceTests {
  @Test("nothing is told before the eighth refill, then time over bytes")
  func pace() {
    var pace = RefillPace()
    for _ in 0..<7 { pace.add(.milliseconds(3), bytes: 1 << 20) }
    #expect(pace.microsecondsPerMiB == nil)
    pace.add(.milliseconds(3), bytes: 1 << 20)
    #expect(pace.microsecondsPerMiB == 3_000)
    pace.add(.seconds(9), bytes: 0)
    #expect(pace.microsecondsPerMiB == 3_000)
    #expect(pace.count == 8)
  }

  @Test("counts bytes, not entries: many small ones do not hide a large one")
  func weighted() {
    var pace = RefillPace()
    for _ in 0..<15 { pace.add(.milliseconds(1), bytes: 1_024) }
    pace.add(.milliseconds(10), bytes: 4 << 20)
    // The large one alone takes 2,500 us per MiB, a small one 1,024,000.
    let cost = pace.microsecondsPerMiB ?? 0
    #expect((2_500...6_000).contains(cost), "\(cost)")
  }

  @Test("follows a change: after 48 refills at a new pace the old one is a twentieth")
  func fading() {
    var pace = RefillPace()
    for _ in 0..<200 { pace.add(.milliseconds(1), bytes: 1 << 20) }
    for _ in 0..<48 { pace.add(.milliseconds(10), bytes: 1 << 20) }
    let cost = pace.microsecondsPerMiB ?? 0
    #expect((9_500...9_700).contains(cost), "\(cost)")
  }

  @Test("shards are added up, and a number never leaves its range")
  func sums() {
    var (whole, slow) = (RefillPace(), RefillPace())
    for _ in 0..<8 { slow.add(.seconds(60), bytes: 1) }
    whole.add(slow)
    #expect(whole.microsecondsPerMiB == 1_000_000_000)
    var fast = RefillPace()
    for _ in 0..<8 { fast.add(.zero, bytes: 1 << 30) }
    #expect(fast.microsecondsPerMiB == 0)
  }
}

@Suite("What times refills")
struct RefillTimerTests {
  private let watch = Watch()

  private func refill(_ timer: inout RefillTimer, _ hash: Int, after span: TimeSpan) {
    timer.noteMiss(hash) { watch.now }
    watch.pass(span)
    timer.noteInsertion(hash, bytes: 1 << 20, making: nil) { watch.now }
  }

  @Test("only what was evicted, missed and put back is timed")
  func order() {
    var timer = RefillTimer()
    refill(&timer, 7 << 16, after: .milliseconds(5))
    #expect(timer.pace.count == 0)
    #expect(watch.readCount == 0)
    timer.noteEviction(7 << 16)
    timer.noteInsertion(7 << 16, bytes: 1 << 20, making: nil) { watch.now }
    #expect(timer.pace.count == 0)
    for _ in 0..<8 {
      timer.noteEviction(7 << 16)
      refill(&timer, 7 << 16, after: .milliseconds(5))
    }
    #expect(timer.pace.microsecondsPerMiB == 5_000)
    // It is there now: another miss and insertion are of another kind.
    refill(&timer, 7 << 16, after: .milliseconds(5))
    #expect(timer.pace.count == 8)
  }

  @Test("of several misses the first counts, unless it was given up")
  func misses() {
    var timer = RefillTimer()
    for _ in 0..<8 {
      timer.noteEviction(3 << 16)
      timer.noteMiss(3 << 16) { watch.now }
      watch.pass(.milliseconds(2))
      refill(&timer, 3 << 16, after: .milliseconds(1))
    }
    #expect(timer.pace.microsecondsPerMiB == 3_000)
    timer.noteEviction(3 << 16)
    timer.noteMiss(3 << 16) { watch.now }
    watch.pass(.seconds(61))
    refill(&timer, 3 << 16, after: .milliseconds(3))
    #expect(timer.pace.microsecondsPerMiB == 3_000)
    #expect(timer.pace.count == 9)
  }

  @Test("what comes back after more than a minute was not being made meanwhile")
  func late() {
    var timer = RefillTimer()
    timer.noteEviction(3 << 16)
    refill(&timer, 3 << 16, after: .seconds(61))
    #expect(timer.pace.count == 0)
  }

  @Test("two keys of one place: the one evicted later is remembered")
  func collision() {
    var timer = RefillTimer()
    let other = (3 + RefillTimer.places) << 16
    timer.noteEviction(3 << 16)
    timer.noteEviction(other)
    refill(&timer, 3 << 16, after: .milliseconds(1))
    #expect(timer.pace.count == 0)
    refill(&timer, other, after: .milliseconds(1))
    #expect(timer.pace.count == 1)
  }

  @Test("a value whose making was timed counts by that, evicted or not")
  func making() {
    var timer = RefillTimer()
    for hash in 0..<8 {
      timer.noteInsertion(hash << 16, bytes: 1 << 20, making: .milliseconds(4)) { watch.now }
    }
    #expect(timer.pace.microsecondsPerMiB == 4_000)
    #expect(watch.readCount == 0)
  }
}

@Suite("What a cache measures of itself")
struct CacheMeasuringTests {
  private let watch = Watch()

  private func store(cost: Int = 0) -> CacheStore<Int, Int> {
    CacheStore(
      totalCostLimit: cost,
      countLimit: 0,
      seed: 7,
      time: { [watch] in watch.now },
      onEvict: nil
    )
  }

  private func fill(_ store: CacheStore<Int, Int>, _ keys: Range<Int>, cost: Int = 1 << 20) {
    for key in keys { store.insert(key, for: key, cost: cost, rebuildMicroseconds: 1) }
  }

  @Test("what a shrink took and the program makes again is timed")
  func shrunk() {
    let store = store()
    fill(store, 0..<64)
    #expect(store.currentUsage.refillMicrosecondsPerMiB == nil)
    _ = store.evict(.mebibytes(32), until: { false }, progress: { _ in })
    var refilled = 0
    for key in 0..<64 where store.lookUp(key) == nil {
      watch.pass(.milliseconds(20))
      store.insert(key, for: key, cost: 1 << 20, rebuildMicroseconds: 1)
      refilled += 1
    }
    #expect(refilled == 32)
    #expect(store.currentUsage.refillMicrosecondsPerMiB == 20_000)
  }

  @Test("a first fill, a removal and a replacement are no refills")
  func others() {
    let store = store()
    for key in 0..<64 {
      _ = store.lookUp(key)
      watch.pass(.milliseconds(1))
      fill(store, key..<key + 1)
    }
    for key in 0..<64 {
      store.remove(key, reason: .explicit)
      _ = store.lookUp(key)
      watch.pass(.milliseconds(1))
      fill(store, key..<key + 1)
    }
    fill(store, 0..<64)
    #expect(store.currentUsage.refillMicrosecondsPerMiB == nil)
  }

  @Test("the time is read for neither a hit nor a miss of what was never there")
  func clockReads() {
    let store = store()
    fill(store, 0..<100)
    let before = watch.readCount
    for key in 0..<1_000 { _ = store.lookUp(key) }
    #expect(watch.readCount == before)
  }

  @Test("values made by the cache are timed by themselves, the first time as well")
  func made() async {
    let cache = UCMKCache(
      name: "made",
      policy: CachePolicy(),
      client: UCMKCacheTests.idle,
      store: CacheStore<Int, Int>(totalCostLimit: 0, countLimit: 0, seed: 7, onEvict: nil)
    )
    for key in 0..<7 { _ = await cache.value(forKey: key, cost: { _ in 1 << 20 }) { key } }
    #expect(cache.usage().refillMicrosecondsPerMiB == nil)
    _ = await cache.value(forKey: 7, cost: { _ in 1 << 20 }) { 7 }
    #expect(cache.usage().refillMicrosecondsPerMiB != nil)
  }

  @Test("everything is warm in the first minute, and cold a minute after its last use")
  func cold() {
    let store = store()
    fill(store, 0..<100)
    #expect(store.currentUsage.cold == .zero)
    for _ in 0..<6 {
      watch.pass(.seconds(10))
      for key in 0..<40 { _ = store.lookUp(key) }
      _ = store.currentUsage
    }
    // At most 16 a shard: all of them are looked at, the answer is exact.
    watch.pass(.seconds(10))
    #expect(store.currentUsage.cold == .mebibytes(60))
    for _ in 0..<8 {
      watch.pass(.seconds(10))
      _ = store.currentUsage
    }
    #expect(store.currentUsage.cold == .mebibytes(100))
    #expect(store.currentUsage.bytes == .mebibytes(100))
  }

  @Test("a program that asks seldom is told less than is cold, never more")
  func seldom() {
    let store = store()
    fill(store, 0..<100)
    watch.pass(.seconds(3_000))
    // Nobody marked where the clock stood an hour ago.
    #expect(store.currentUsage.cold == .zero)
    watch.pass(.seconds(59))
    for key in 0..<40 { _ = store.lookUp(key) }
    #expect(store.currentUsage.cold == .zero)
    watch.pass(.seconds(2))
    #expect(store.currentUsage.cold == .mebibytes(60))
  }

  @Test("an empty cache has nothing cold, a large one is estimated within a few percent")
  func sampled() {
    let store = store()
    #expect(store.currentUsage.cold == .zero)
    fill(store, 0..<20_000, cost: 1_000)
    _ = store.currentUsage
    watch.pass(.seconds(11))
    _ = store.currentUsage
    watch.pass(.seconds(30))
    for key in 0..<20_000 where key % 10 < 3 { _ = store.lookUp(key) }
    watch.pass(.seconds(31))
    let cold = store.currentUsage.cold?.value ?? 0
    // Seven tenths of 20 MB; three standard deviations of a sample of 256 are 9 %.
    #expect((12_200_000...15_800_000).contains(cold), "\(cold)")
  }

  @Test("an idle cache says the same again and again: nobody is woken for nothing")
  func still() {
    let store = store()
    fill(store, 0..<20_000, cost: 1_000)
    watch.pass(.seconds(10))
    _ = store.currentUsage
    watch.pass(.seconds(80))
    let first = store.currentUsage
    #expect(first.cold == first.bytes)
    watch.pass(.seconds(1_000))
    #expect(store.currentUsage == first)
  }

  @Test("the daemon is told both, and the refill cost as soon as it is known")
  func told() async throws {
    try await withFakeBroker { broker, client in
      let cache = UCMKCache<Int, Int>(name: "images", client: client)
      // Small enough that its size alone is not worth a report after the first.
      cache.setObject(0, forKey: 100, cost: 1 << 30)
      try await broker.usage(of: "images") { $0.bytes == .gibibytes(1) && $0.cold != nil }
      for key in 0..<8 { _ = await cache.value(forKey: key, cost: { _ in 1 }) { key } }
      let usage = try await broker.usage(of: "images") { $0.refillMicrosecondsPerMiB != nil }
      #expect(usage.cold != nil)
      withExtendedLifetime(cache) {}
    }
  }

  @Test("a program with a cache of its own tells both itself, in range")
  func own() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register(
        "own",
        usage: {
          CacheUsage(
            bytes: .mebibytes(9),
            reclaimable: .mebibytes(5),
            cold: .mebibytes(7),
            refillMicrosecondsPerMiB: .max
          )
        },
        shrink: { _ in .nothing }
      )
      let usage = try await broker.usage(of: "own") { $0.bytes == .mebibytes(9) }
      #expect(usage.cold == .mebibytes(5))
      #expect(usage.refillMicrosecondsPerMiB == 1_000_000_000)
      withExtendedLifetime(registration) {}
    }
  }
}
