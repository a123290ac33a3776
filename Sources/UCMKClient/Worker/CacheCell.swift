// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import UCMKModel

/// One registered cache: what the program's side and the socket thread share of it.
///
/// The socket thread leaves work here and takes outcomes away, under a lock that neither side
/// holds while the program's code runs. One task per cell does the work, so that no two calls
/// into one cache overlap; it sleeps on a continuation that was made beforehand, so that handing
/// work over takes no memory.
package final class CacheCell: Sendable {
  /// How a shrink is to be done.
  enum Manner: Sendable {
    /// Free what is asked.
    case shrink
    /// Say what would be freed; the shrinker is not called.
    case dryRun
    /// Free the fixed part of what is reclaimable that is given up where there is no daemon.
    case localPart
  }

  /// What came of one piece of work.
  package enum Outcome: Sendable {
    /// The cache answered.
    case done(freed: ByteCount, more: Bool)
    /// The cache refused, or its shrinker threw.
    case refused(ShrinkRefusal)
  }

  /// Part of the reclaimable bytes freed for one event of the program's own pressure file.
  ///
  /// Events come at most once in 2 s, the window of the trigger. After 16 s of unbroken pressure
  /// 1 - (7/8)^8, about two thirds, is given up: before systemd-oomd acts (20 to 30 s), while a
  /// single false event costs an eighth and not the whole cache.
  package static let localDivisor: UInt64 = 8

  fileprivate enum Work {
    case shrink(ShrinkOrder, Manner, token: UInt64, generation: UInt64)
    case limit(MemoryLimit)
    case usage
    case end
  }

  fileprivate struct State {
    var policy: CachePolicy
    var policyChanged = false
    var usage = CacheUsage.zero
    var reported: CacheUsage?
    var limit = MemoryLimit.none
    var limitChanged = false
    var wantsUsage = false
    var order: (ShrinkOrder, Manner, token: UInt64, generation: UInt64)?
    var outcome: (token: UInt64, Outcome)?
    var isCancelled = false
    var sleeper: CheckedContinuation<Void, Never>?

    var hasWork: Bool { isCancelled || limitChanged || wantsUsage || order != nil }
  }

  /// The name that the program gave.
  package let cacheName: CacheName
  /// The name on the wire, unique within the client.
  package let wireName: String
  /// How far the running request is.
  package let progress = ShrinkProgress()
  private let cache: any ShrinkableCache
  private let state: Mutex<State>
  /// Wakes the socket thread; it looks at the cell then.
  private let wake: @Sendable () -> Void

  /// Makes the cell of one registration; `wake` is called when the socket thread should look at it.
  package init(
    name: CacheName,
    wireName: String,
    policy: CachePolicy,
    cache: any ShrinkableCache,
    wake: @escaping @Sendable () -> Void
  ) {
    cacheName = name
    self.wireName = wireName
    self.cache = cache
    self.wake = wake
    state = Mutex(State(policy: policy))
  }

  // MARK: - The program's side

  /// Whether the registration was taken back.
  package var isCancelled: Bool { state.withLock { $0.isCancelled } }

  /// The ceiling in force.
  package var limit: MemoryLimit { state.withLock { $0.limit } }

  /// Takes the registration back.
  ///
  /// A call that runs into the cache ends by itself.
  package func cancel() {
    let sleeper = state.withLock { state in
      state.isCancelled = true
      return state.wakeUp()
    }
    progress.cancelAll()
    sleeper?.resume()
    wake()
  }

  /// Changes what the program wishes.
  package func update(_ policy: CachePolicy) {
    state.withLock { state in
      state.policy = policy
      state.policyChanged = true
    }
    wake()
  }

  /// Takes the program's word for the usage; wakes the socket thread where it is worth a report.
  package func noteUsage(_ usage: CacheUsage) {
    let isWorth = state.withLock { state in
      state.usage = usage
      return ReportRule.isSignificant(from: state.reported ?? .zero, to: usage)
    }
    if isWorth { wake() }
  }

  // MARK: - The socket thread's side

  /// The usage last heard of.
  package var usage: CacheUsage { state.withLock { $0.usage } }
  /// What the program wishes.
  package var policy: CachePolicy { state.withLock { $0.policy } }

  /// Whether the policy changed since the last call.
  package func takePolicyChange() -> CachePolicy? {
    state.withLock { state in
      defer { state.policyChanged = false }
      return state.policyChanged ? state.policy : nil
    }
  }

  /// Notes what the daemon was told, so that small changes wake nobody.
  package func noteReported(_ usage: CacheUsage) { state.withLock { $0.reported = usage } }

  /// Sets the ceiling; the cache learns of it from its own task.
  package func setLimit(_ limit: MemoryLimit) {
    let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard state.limit != limit else { return nil }
      state.limit = limit
      state.limitChanged = true
      return state.wakeUp()
    }
    sleeper?.resume()
  }

  /// Asks the cache for its usage, which is then in `usage`.
  package func pollUsage() {
    let sleeper = state.withLock { state in
      state.wantsUsage = true
      return state.wakeUp()
    }
    sleeper?.resume()
  }

  /// Starts a shrink.
  ///
  /// The one before must be over.
  ///
  /// - Parameters:
  ///   - order: What is asked.
  ///   - manner: How it is to be done.
  ///   - token: Names the outcome.
  func begin(_ order: ShrinkOrder, _ manner: Manner, token: UInt64) {
    let generation = progress.begin()
    let sleeper = state.withLock { state in
      precondition(state.order == nil, "one shrink of a cache at a time")
      state.order = (order, manner, token, generation)
      return state.wakeUp()
    }
    sleeper?.resume()
  }

  /// Tells the running shrink to stop.
  package func cancelRunning() { progress.cancelCurrent() }

  /// What came of the shrink with this token, once.
  package func takeOutcome(of token: UInt64) -> Outcome? {
    state.withLock { state in
      guard let outcome = state.outcome, outcome.token == token else { return nil }
      state.outcome = nil
      return outcome.1
    }
  }

  // MARK: - The worker's side

  /// Does what is left here until the registration is taken back.
  package func serve() async {
    while true {
      switch await nextWork() {
      case .end: return
      case .limit(let limit): await cache.limitDidChange(limit)
      case .usage:
        noteUsage(await cache.usage())
      case .shrink(let order, let manner, let token, let generation):
        let outcome = await perform(order, manner, generation: generation)
        complete(token, outcome)
      }
    }
  }

  /// Leaves what came of the shrink with this token for the socket thread.
  package func complete(_ token: UInt64, _ outcome: Outcome) {
    state.withLock { state in
      state.outcome = (token, outcome)
      state.order = nil
    }
    wake()
  }

  private func nextWork() async -> Work {
    while true {
      if let work = state.withLock({ $0.next() }) { return work }
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if state.hasWork { return true }
          state.sleeper = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    }
  }

  private func perform(
    _ order: ShrinkOrder,
    _ manner: Manner,
    generation: UInt64
  ) async -> Outcome {
    var order = order
    if manner != .shrink {
      let usage = await cache.usage()
      state.withLock { $0.usage = usage }
      if manner == .dryRun {
        return .done(
          freed: min(order.bytes, usage.reclaimable),
          more: usage.reclaimable > order.bytes
        )
      }
      order.bytes = ByteCount(usage.reclaimable.value / CacheCell.localDivisor)
      guard order.bytes > .zero else { return .done(freed: .zero, more: false) }
    }
    let request = ShrinkRequest(
      asked: order,
      cache: cacheName,
      progress: progress,
      generation: generation
    )
    do {
      let result = try await cache.shrink(request)
      progress.note(freed: result.freed, generation: generation)
      let remaining = if let usage = result.remaining { usage } else { await cache.usage() }
      state.withLock { $0.usage = remaining }
      return .done(freed: result.freed, more: result.more)
    } catch let refusal as ShrinkRefusal {
      return .refused(refusal)
    } catch {
      return .refused(ShrinkRefusal())
    }
  }
}

extension CacheCell.State {
  /// The continuation of a sleeping task, which the caller resumes outside the lock.
  fileprivate mutating func wakeUp() -> CheckedContinuation<Void, Never>? {
    defer { sleeper = nil }
    return sleeper
  }

  /// What is most urgent: a ceiling is known before the shrink that goes with it.
  fileprivate mutating func next() -> CacheCell.Work? {
    if isCancelled { return .end }
    if limitChanged {
      limitChanged = false
      return .limit(limit)
    }
    if let order {
      self.order = nil
      return .shrink(order.0, order.1, token: order.token, generation: order.generation)
    }
    if wantsUsage {
      wantsUsage = false
      return .usage
    }
    return nil
  }
}

/// A cache that is two closures.
package struct ClosureCache: ShrinkableCache {
  let usageClosure: @Sendable () async -> CacheUsage
  let shrinkClosure: @Sendable (ShrinkRequest) async throws -> ShrinkResult

  /// Makes a cache of two closures.
  package init(
    usage: @escaping @Sendable () async -> CacheUsage,
    shrink: @escaping @Sendable (ShrinkRequest) async throws -> ShrinkResult
  ) {
    usageClosure = usage
    shrinkClosure = shrink
  }

  /// Asks the one closure.
  package func usage() async -> CacheUsage { await usageClosure() }

  /// Asks the other.
  package func shrink(_ request: ShrinkRequest) async throws -> ShrinkResult {
    try await shrinkClosure(request)
  }
}
