// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import UCMKLinux
import UCMKModel

/// What a client's threads share.
final class ClientCore: Sendable {
  /// The threads and what wakes them; made with the first need.
  struct Machinery: Sendable {
    let bell: EventFD
    let pool: WorkerPool
    let housekeeper: Housekeeper
  }

  fileprivate struct State {
    var cells: [CacheCell] = []
    var generation: UInt64 = 0
    var machinery: Machinery?
    var isStopped = false
    var status = ClientStatus()
    var waiters: [CheckedContinuation<Void, Never>] = []
    var watchers: [StatusWatcher] = []
  }

  /// Somebody who waits for a status: our own tests.
  fileprivate struct StatusWatcher {
    let condition: @Sendable (ClientStatus) -> Bool
    let continuation: CheckedContinuation<Void, Never>
  }

  let configuration: UCMKClient.Configuration
  let environment: ClientEnvironment
  private let state = Mutex(State())

  init(configuration: UCMKClient.Configuration, environment: ClientEnvironment) {
    self.configuration = configuration
    self.environment = environment
    if configuration.transport == .disabled {
      state.withLock { $0.status.connection = .disabled }
    }
  }

  // MARK: - The program's side

  func register(
    _ name: CacheName,
    _ policy: CachePolicy,
    _ cache: some ShrinkableCache
  ) -> CacheCell {
    let (cell, machinery, count) = state.withLock { state in
      state.cells.removeAll { $0.isCancelled }
      let cell = CacheCell(
        name: name,
        wireName: state.freeName(name),
        policy: policy,
        cache: cache,
        wake: { [weak self] in self?.wake() }
      )
      if !state.isStopped { state.cells.append(cell) }
      state.generation += 1
      return (cell, start(&state), state.cells.count)
    }
    guard let machinery else { return cell }
    do throws(SystemError) {
      try machinery.pool.grow(to: count)
    } catch {
      // The threads that are there serve this cache as well.
      wake()
    }
    machinery.pool.start { await cell.serve() }
    wake()
    return cell
  }

  func pressureEvents() -> AsyncStream<PressureEvent> {
    guard let machinery = state.withLock({ start(&$0) }) else {
      return AsyncStream { $0.finish() }
    }
    return machinery.housekeeper.subscribe()
  }

  var status: ClientStatus {
    state.withLock { state in
      var status = state.status
      status.caches = state.cells.count { !$0.isCancelled }
      return status
    }
  }

  /// Returns once the socket thread has published a status that meets `condition`.
  func wait(until condition: @escaping @Sendable (ClientStatus) -> Bool) async {
    await withCheckedContinuation { continuation in
      state.withLock { state in
        state.watchers.append(StatusWatcher(condition: condition, continuation: continuation))
      }
      wake()
    }
  }

  func runUntilStopped() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.isStopped { return true }
        _ = start(&state)
        state.waiters.append(continuation)
        return false
      }
      if isOver { continuation.resume() }
    }
  }

  func stop() {
    let (cells, machinery, waiters) = state.withLock { state in
      defer {
        state.isStopped = true
        state.status.connection = .disabled
        state.status.pressureWatch = .none
        state.cells = []
        state.waiters = []
        state.generation += 1
      }
      return (state.cells, state.machinery, state.waiters)
    }
    for cell in cells { cell.cancel() }
    machinery?.housekeeper.end()
    machinery?.pool.stop()
    machinery?.bell.signal()
    for waiter in waiters { waiter.resume() }
  }

  func wake() { state.withLock { $0.machinery }?.bell.signal() }

  // MARK: - The socket thread's side

  /// The caches, where any came or left since `generation`; nil after the end.
  func cells(since generation: UInt64) -> (cells: [CacheCell]?, generation: UInt64)? {
    state.withLock { state in
      if state.isStopped { return nil }
      let hasLeft = state.cells.contains { $0.isCancelled }
      if hasLeft { state.generation += 1 }
      guard state.generation != generation else { return (nil, generation) }
      state.cells.removeAll { $0.isCancelled }
      return (state.cells, state.generation)
    }
  }

  func publish(_ change: (inout ClientStatus) -> Void) {
    state.withLock { state in
      if !state.isStopped { change(&state.status) }
      let status = state.status
      state.watchers.removeAll { watcher in
        guard watcher.condition(status) else { return false }
        watcher.continuation.resume()
        return true
      }
    }
  }

  // MARK: - Starting

  /// Starts the threads where they do not run yet; nil where they are not wanted or not to be had,
  /// which the next call tries again.
  private func start(_ state: inout State) -> Machinery? {
    guard !state.isStopped, configuration.transport != .disabled else { return nil }
    if let machinery = state.machinery { return machinery }
    do throws(SystemError) {
      let bell = try EventFD()
      let machinery = Machinery(
        bell: bell,
        pool: try WorkerPool(),
        housekeeper: Housekeeper(wake: { bell.signal() })
      )
      try machinery.pool.grow(to: 1)
      let thread = try SmallThread(name: "ucmk-client", stack: ServiceLoop.stack) { [self] in
        ServiceLoop(self, machinery).run()
      }
      // It ends by itself when the core is stopped; nobody waits for it.
      withExtendedLifetime(thread) {}
      machinery.pool.start { await machinery.housekeeper.serve() }
      state.machinery = machinery
      return machinery
    } catch {
      return nil
    }
  }
}

extension ClientCore.State {
  /// `name`, or with the first number behind it that no other cache has.
  fileprivate func freeName(_ name: CacheName) -> String {
    var ordinal = 1
    var free = name.text
    while cells.contains(where: { $0.wireName == free }) {
      ordinal += 1
      free = name.numbered(ordinal)
    }
    return free
  }
}
