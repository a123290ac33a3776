// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import UCMKLinux
import UCMKModel

/// What is done on a worker besides the caches: handing free heap pages back, and telling the
/// program of pressure.
///
/// Neither may run on the socket thread: the one takes its time (59 ms for 443 MiB), the other
/// wakes the program's own executors.
package final class Housekeeper: Sendable {
  fileprivate struct State {
    var trim: UInt64?
    var trimmed: UInt64?
    /// What may be told, and what may not yet.
    var events: [PressureEvent] = [], held: [PressureEvent] = []
    var subscribers: [(number: UInt64, AsyncStream<PressureEvent>.Continuation)] = []
    var nextNumber: UInt64 = 0
    var isEnding = false
    var sleeper: CheckedContinuation<Void, Never>?
  }

  /// Events kept for a program that is slow to take them: the newest.
  package static let eventsKept = 8

  private let state: Mutex<State>
  private let wake: @Sendable () -> Void

  /// Makes a housekeeper; `wake` is called when the socket thread should look at it.
  package init(wake: @escaping @Sendable () -> Void) {
    self.wake = wake
    var state = State()
    state.events.reserveCapacity(2 * Housekeeper.eventsKept)
    state.held.reserveCapacity(Housekeeper.eventsKept)
    self.state = Mutex(state)
  }

  // MARK: - The program's side

  /// A stream of what comes from now on.
  package func subscribe() -> AsyncStream<PressureEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: PressureEvent.self,
      bufferingPolicy: .bufferingNewest(Housekeeper.eventsKept)
    )
    let number = state.withLock { state -> UInt64? in
      if state.isEnding { return nil }
      state.nextNumber += 1
      state.subscribers.append((state.nextNumber, continuation))
      return state.nextNumber
    }
    guard let number else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { $0.subscribers.removeAll { $0.number == number } }
    }
    return stream
  }

  // MARK: - The socket thread's side

  /// Keeps a change until `deliver()`: the program must find in the status what it is told.
  package func hold(_ event: PressureEvent) {
    state.withLock { state in
      if state.held.count == Housekeeper.eventsKept { state.held.removeFirst() }
      state.held.append(event)
    }
  }

  /// Tells the program of what was held.
  package func deliver() {
    let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard !state.held.isEmpty else { return nil }
      state.release()
      defer { state.sleeper = nil }
      return state.sleeper
    }
    sleeper?.resume()
  }

  /// Hands free heap pages back; `takeTrimmed` then knows the token.
  package func trim(token: UInt64) { leave { $0.trim = token } }

  /// The token of the last trim that is done, once.
  package func takeTrimmed() -> UInt64? {
    state.withLock { state in
      defer { state.trimmed = nil }
      return state.trimmed
    }
  }

  /// Ends the task and all streams.
  package func end() {
    leave { state in
      state.release()
      state.isEnding = true
    }
  }

  private func leave(_ change: (inout sending State) -> Void) {
    let sleeper = state.withLock { state in
      change(&state)
      defer { state.sleeper = nil }
      return state.sleeper
    }
    sleeper?.resume()
  }

  // MARK: - The worker's side

  /// Does what is left here until the end.
  package func serve() async {
    while true {
      let (events, subscribers, trim, isEnding) = state.withLock { state in
        defer {
          state.events.removeAll(keepingCapacity: true)
          state.trim = nil
        }
        return (state.events, state.subscribers, state.trim, state.isEnding)
      }
      for event in events { for (_, subscriber) in subscribers { subscriber.yield(event) } }
      if isEnding {
        for (_, subscriber) in subscribers { subscriber.finish() }
        return
      }
      if let trim {
        MallocTrim.trim()
        state.withLock { $0.trimmed = trim }
        wake()
      }
      if events.isEmpty, trim == nil { await sleep() }
    }
  }

  private func sleep() async {
    await withCheckedContinuation { continuation in
      let isReady = state.withLock { state in
        if state.isEnding || state.trim != nil || !state.events.isEmpty { return true }
        state.sleeper = continuation
        return false
      }
      if isReady { continuation.resume() }
    }
  }
}

extension Housekeeper.State {
  /// Lets what was held be told; the newest events are kept.
  fileprivate mutating func release() {
    events.append(contentsOf: held)
    held.removeAll(keepingCapacity: true)
    events.removeFirst(max(0, events.count - Housekeeper.eventsKept))
  }
}
