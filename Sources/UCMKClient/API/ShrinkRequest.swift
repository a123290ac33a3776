// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import UCMKModel

/// One request to free memory of one cache.
///
/// A shrinker frees cheap and cold entries until it reaches ``bytes`` or ``isOver`` turns true,
/// and says what it freed.
public struct ShrinkRequest: Sendable {
  /// The daemon's round; 0 where the request comes from the program's own pressure file.
  public let round: UInt64
  /// 1…5: which try within the round this is.
  public let attempt: Int
  /// The cache that is asked.
  public let cache: CacheName
  /// Bytes to free; more is welcome, less is an answer too.
  public let bytes: ByteCount
  /// How short memory is.
  public let level: PressureLevel
  /// What is short: the host, a cgroup, or a person asked.
  public let scope: Scope
  /// When to stop, on `CLOCK_MONOTONIC`: three quarters of the time that the daemon gave, so that
  /// the result and the trim are in the answer, which leaves at four fifths.
  public let deadline: MonotonicInstant

  /// What the socket thread reads while the shrinker still runs.
  package let progress: ShrinkProgress
  let generation: UInt64

  /// Makes a request, as a test of a shrinker needs one.
  public init(
    bytes: ByteCount,
    cache: CacheName = "test",
    level: PressureLevel = .medium,
    scope: Scope = .manual,
    deadline: MonotonicInstant = MonotonicInstant(nanoseconds: .max)
  ) {
    let progress = ShrinkProgress()
    self.init(
      asked: ShrinkOrder(
        round: 0,
        attempt: 1,
        bytes: bytes,
        level: level,
        scope: scope,
        deadline: deadline
      ),
      cache: cache,
      progress: progress,
      generation: progress.begin()
    )
  }

  init(
    asked: ShrinkOrder,
    cache: CacheName,
    progress: ShrinkProgress,
    generation: UInt64
  ) {
    self.round = asked.round
    self.attempt = asked.attempt
    self.cache = cache
    self.bytes = asked.bytes
    self.level = asked.level
    self.scope = asked.scope
    self.deadline = asked.deadline
    self.progress = progress
    self.generation = generation
  }

  /// Whether to stop now: the deadline passed, or the daemon took the request back.
  public var isOver: Bool { isCancelled || MonotonicInstant.now >= deadline }

  /// Whether the daemon took the request back.
  public var isCancelled: Bool { progress.isCancelled(generation) }

  /// How long until the deadline; zero after it.
  public var timeRemaining: TimeSpan { deadline.since(.now) }

  /// Tells how much is freed so far, so that an answer that cannot wait says it.
  ///
  /// - Parameter bytes: All bytes freed for this request since it began.
  public func noteProgress(freed bytes: ByteCount) {
    progress.note(freed: bytes, generation: generation)
  }
}

/// The plain values of a request, before it is bound to a cache.
struct ShrinkOrder: Sendable {
  var round: UInt64
  var attempt: Int
  var bytes: ByteCount
  var level: PressureLevel
  var scope: Scope
  var deadline: MonotonicInstant

  init(
    round: UInt64,
    attempt: Int,
    bytes: ByteCount,
    level: PressureLevel,
    scope: Scope,
    deadline: MonotonicInstant
  ) {
    self.round = round
    self.attempt = attempt
    self.bytes = bytes
    self.level = level
    self.scope = scope
    self.deadline = deadline
  }
}

/// How far the running request of one cache is; made once per cache and used again for each.
package final class ShrinkProgress: Sendable {
  private let current = Atomic<UInt64>(0)
  private let cancelled = Atomic<UInt64>(0)
  private let freed = Atomic<UInt64>(0)

  /// Makes the progress of no request yet.
  package init() {}

  /// Starts the next request and returns its generation.
  package func begin() -> UInt64 {
    freed.store(0, ordering: .relaxed)
    return current.add(1, ordering: .releasing).newValue
  }

  /// Takes the running request back.
  package func cancelCurrent() {
    cancelled.store(current.load(ordering: .acquiring), ordering: .releasing)
  }

  /// Takes every request back, those to come as well.
  package func cancelAll() { cancelled.store(.max, ordering: .releasing) }

  /// Whether the request of `generation` was taken back.
  package func isCancelled(_ generation: UInt64) -> Bool {
    cancelled.load(ordering: .acquiring) >= generation
  }

  /// Notes what is freed so far; a request that is no longer the running one changes nothing.
  package func note(freed bytes: ByteCount, generation: UInt64) {
    guard current.load(ordering: .acquiring) == generation else { return }
    freed.store(bytes.value, ordering: .relaxed)
  }

  /// What the running request said it freed so far.
  package var freedSoFar: ByteCount { ByteCount(freed.load(ordering: .relaxed)) }
}
