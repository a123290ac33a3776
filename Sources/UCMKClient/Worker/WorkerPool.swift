// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import UCMKLinux

/// The few threads on which the program's caches are called.
///
/// A task executor of its own and not the global pool, so that a program whose pool is busy or
/// blocked still gives memory back, and so that threads exist before memory is short. A cache
/// that blocks its thread delays others only when it and its like hold all of them.
package final class WorkerPool: TaskExecutor {
  /// Threads at most; the first is made with the first cache.
  package static let maximumThreads = 4
  /// The program's code runs here, so the stack is no small one; untouched pages cost nothing.
  private static let stack = 1 << 20

  fileprivate struct State: ~Copyable {
    var jobs: [UnownedJob] = []
    var head = 0
    var threads: [SmallThread] = []
    var tasks = 0
    var isStopping = false
  }

  private let state: Mutex<State>
  private let bell: EventFD

  /// Makes a pool without threads.
  package init() throws(SystemError) {
    bell = try EventFD()
    var state = State()
    // One job per task can wait at a time: 62 caches and what their closures start.
    state.jobs.reserveCapacity(256)
    self.state = Mutex(state)
  }

  /// Makes threads until there are `count` of them, at most `maximumThreads`.
  package func grow(to count: Int) throws(SystemError) {
    while state.withLock({ $0.threads.count }) < min(count, WorkerPool.maximumThreads) {
      let thread = try SmallThread(name: "ucmk-worker", stack: WorkerPool.stack) { [self] in
        run()
      }
      state.withLock { $0.threads.append(thread) }
    }
  }

  /// Runs `body` in a task that stays on these threads.
  package func start(_ body: @escaping @Sendable () async -> Void) {
    state.withLock { $0.tasks += 1 }
    Task.detached(executorPreference: self) { [self] in
      await body()
      let isLast = state.withLock { state in
        state.tasks -= 1
        return state.isStopping && state.tasks == 0
      }
      if isLast { bell.signal() }
    }
  }

  /// Lets the threads end once every task has.
  package func stop() {
    state.withLock { $0.isStopping = true }
    bell.signal()
  }

  /// Takes a job of one of the tasks.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.jobs.append(job) }
    bell.signal()
  }

  private func run() {
    var entries = [PollEntry(fd: bell.raw, events: .in)]
    while true {
      let (job, others, isOver) = state.withLock { state in
        let job = state.pop()
        return (job, state.head < state.jobs.count, state.isStopping && state.tasks == 0)
      }
      if let job {
        // The bell was perhaps answered by this thread alone.
        if others { bell.signal() }
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        continue
      }
      if isOver {
        bell.signal()
        return
      }
      do throws(SystemError) {
        try pollDescriptors(&entries, timeout: -1)
      } catch {
        preconditionFailure("a descriptor of our own can be waited for: \(error)")
      }
      bell.drain()
    }
  }
}

extension WorkerPool.State {
  fileprivate mutating func pop() -> UnownedJob? {
    guard head < jobs.count else { return nil }
    let job = jobs[head]
    head += 1
    if head == jobs.count {
      jobs.removeAll(keepingCapacity: true)
      head = 0
    }
    return job
  }
}
