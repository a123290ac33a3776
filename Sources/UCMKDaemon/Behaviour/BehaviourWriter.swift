// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import UCMKLinux
package import UCMKModel

/// Writes the state file on a thread of its own: a disk that is busy takes seconds for what must be
/// on it, and one that hangs takes for ever.
///
/// The thread is there while there is something to write, at most once a minute, and takes nothing
/// in between. One write is under way; of the states that come meanwhile only the newest waits.
package final class BehaviourWriter: Sendable {
  /// What is to be written.
  package struct Snapshot: Sendable {
    /// What is remembered.
    package var entries: [BehaviourTable.Entry]
    /// When it was known, in microseconds on the wall clock.
    package var microseconds: UInt64

    /// Makes a snapshot.
    package init(entries: [BehaviourTable.Entry], microseconds: UInt64) {
      self.entries = entries
      self.microseconds = microseconds
    }
  }

  /// How the latest write ended.
  package enum Outcome: Sendable, Equatable {
    /// The file holds what was handed over.
    case written
    /// The file is what it was, and why.
    case failed(SystemError)
  }

  /// What the two threads share.
  private final class Exchange: Sendable {
    struct State: Sendable {
      var next: Snapshot?
      /// Whether there is a thread.
      var isWriting = false
      var outcome: Outcome?
    }

    let store: BehaviourStore
    let state = Mutex(State())
    /// Signalled when the thread has nothing left.
    let isDone: EventFD

    init(_ store: BehaviourStore) throws(SystemError) {
      self.store = store
      isDone = try EventFD()
    }

    /// Writes until nothing newer waits.
    func serve() {
      while let snapshot = takeNext() {
        let outcome = write(snapshot)
        state.withLock { $0.outcome = outcome }
      }
      isDone.signal()
    }

    private func takeNext() -> Snapshot? {
      state.withLock { state in
        let next = state.next.take()
        if next == nil { state.isWriting = false }
        return next
      }
    }

    private func write(_ snapshot: Snapshot) -> Outcome {
      do throws(SystemError) {
        try store.write(BehaviourText.write(snapshot.entries, at: snapshot.microseconds))
        return .written
      } catch {
        return .failed(error)
      }
    }
  }

  private let exchange: Exchange

  /// Makes a writer that has nothing to write.
  ///
  /// - Throws: Where there is no descriptor to be had.
  package init(_ store: BehaviourStore) throws(SystemError) { exchange = try Exchange(store) }

  /// Whether a write is under way.
  package var isWriting: Bool { exchange.state.withLock { $0.isWriting } }

  /// Has a state written, in place of one that waits.
  ///
  /// Never waits for the disk.
  ///
  /// - Throws: Where there is no thread to be had; then nothing is written.
  package func hand(_ snapshot: Snapshot) throws(SystemError) {
    let needsThread = exchange.state.withLock { state in
      state.next = snapshot
      defer { state.isWriting = true }
      return !state.isWriting
    }
    guard needsThread else { return }
    do throws(SystemError) {
      let thread = try SmallThread(name: "ucmk-state") { [exchange] in exchange.serve() }
      // It goes on without the object and ends by itself.
      withExtendedLifetime(thread) {}
    } catch {
      exchange.state.withLock { $0 = .init() }
      throw error
    }
  }

  /// How the latest write ended.
  ///
  /// - Returns: Nil where none ended since the last call.
  package func takeOutcome() -> Outcome? { exchange.state.withLock { $0.outcome.take() } }

  /// Waits until nothing is left to write.
  ///
  /// - Parameter limit: How long at most.
  /// - Returns: Whether all was written or failed; what is under way goes on where it was not.
  package func finish(within limit: TimeSpan) -> Bool {
    let end = MonotonicClock.now() + limit
    while isWriting {
      let now = MonotonicClock.now()
      guard now < end else { return false }
      wait(end.since(now).milliseconds)
    }
    return true
  }

  private func wait(_ milliseconds: UInt64) {
    var entries = [PollEntry(fd: exchange.isDone.raw, events: .in)]
    do throws(SystemError) {
      try pollDescriptors(&entries, timeout: Int32(clamping: milliseconds + 1))
      exchange.isDone.drain()
    } catch {
      // Without memory for the call the state is looked at again at once.
      return
    }
  }
}
