// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
package import UCMKLinux

/// Makes lines of a recording's events and writes them, on a thread of its own: what `--record`
/// costs is then not on the path of a round.
///
/// Two buffers change hands: the loop fills one while the other is written. Order is that of the
/// events. Where the disk is slower than events come, they wait in the loop's buffer up to
/// `EventBuffer.waitingMaximum`; those beyond it are counted and not kept, and a line `gap` stands
/// where they are missing.
package final class RecordingThread: Sendable {
  /// What the two threads share.
  private final class Exchange: Sendable {
    struct State: Sendable {
      /// The buffer that nobody has: it is full, or may be had in exchange for a full one.
      ///
      /// Buffers are swapped and never copied: with two references to its storage a write would
      /// copy it.
      var buffer = EventBuffer()
      var isFull = false, isSpare = true
      /// What comes behind everything else, once nothing more will.
      var last: EventBuffer?
      var isOver = false, hasFailed = false
    }

    let state: Mutex<State>
    let wakeUp: EventFD

    init() throws(SystemError) {
      var state = State()
      state.buffer.reserve(EventBuffer.waitingMaximum)
      self.state = Mutex(state)
      wakeUp = try EventFD()
    }

    /// Writes until there is nothing left and nothing will come.
    func serve(_ sink: ([UInt8]) -> Bool) {
      var own = EventBuffer()
      while true {
        let isOver = state.withLock { state in
          guard state.isFull else { return state.isOver }
          swap(&state.buffer, &own)
          state.isFull = false
          return false
        }
        if own.events > 0 {
          write(own, sink)
          own.clear()
          state.withLock { state in
            swap(&state.buffer, &own)
            state.isSpare = true
          }
        } else if isOver {
          if let last = state.withLock({ $0.last }) { write(last, sink) }
          return
        } else {
          sleep()
        }
      }
    }

    /// Once the file has failed the rest is let go.
    private func write(_ buffer: borrowing EventBuffer, _ sink: ([UInt8]) -> Bool) {
      guard !state.withLock({ $0.hasFailed }) else { return }
      if !buffer.dump(sink) { state.withLock { $0.hasFailed = true } }
    }

    private func sleep() {
      var entries = [PollEntry(fd: wakeUp.raw, events: .in)]
      do throws(SystemError) {
        try pollDescriptors(&entries, timeout: -1)
        wakeUp.drain()
      } catch {
        // Without memory for the call it is tried again a moment later.
        usleep(1_000)
      }
    }
  }

  private let exchange: Exchange
  private let thread: SmallThread

  /// Starts the thread.
  ///
  /// - Parameter sink: Takes whole lines on that thread; false says that the file failed.
  /// - Throws: Where there is no descriptor or no thread to be had.
  package init(_ sink: @escaping @Sendable ([UInt8]) -> Bool) throws(SystemError) {
    let exchange = try Exchange()
    self.exchange = exchange
    thread = try SmallThread(name: "ucmk-record") { exchange.serve(sink) }
  }

  /// Whether the file failed: nothing more is worth being handed over.
  var hasFailed: Bool { exchange.state.withLock { $0.hasFailed } }

  /// Takes a full buffer in exchange for an empty one; leaves it where the last one is not written
  /// yet.
  ///
  /// - Returns: Whether it took it.
  func hand(_ buffer: inout EventBuffer) -> Bool {
    let isTaken = exchange.state.withLock { state in
      guard state.isSpare else { return false }
      swap(&state.buffer, &buffer)
      (state.isSpare, state.isFull) = (false, true)
      return true
    }
    if isTaken { exchange.wakeUp.signal() }
    return isTaken
  }

  /// Writes what was handed over and then `last`, and ends the thread; called once.
  func finish(with last: EventBuffer) {
    exchange.state.withLock { state in
      state.last = last
      state.isOver = true
    }
    exchange.wakeUp.signal()
    thread.join()
  }
}
