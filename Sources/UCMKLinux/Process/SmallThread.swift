// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux
import Synchronization

/// A thread with a small stack, all signals blocked.
///
/// A default thread reserves 8 MiB of stack, which a locked process pays in full. What runs on a
/// small one must not recurse deeply; Swift's own frames take a few hundred bytes each.
package final class SmallThread: Sendable {
  /// The stack of a thread that asks for nothing else: 128 KiB.
  package static let defaultStack = 128 << 10

  private let thread: UInt64
  private let isJoined = Atomic<Bool>(false)

  /// Starts a thread that runs `body` and ends with it.
  ///
  /// Dropping the object does not end the thread.
  ///
  /// - Parameters:
  ///   - name: At most 15 bytes, shown to people.
  ///   - stack: Bytes.
  ///   - body: What it runs; released in that thread.
  /// - Throws: EAGAIN or ENOMEM where no thread can be had.
  package init(
    name: String,
    stack: Int = SmallThread.defaultStack,
    _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    let box = unsafe Unmanaged.passRetained(ThreadBody(body))
    var started: UInt64 = 0
    let result = unsafe ucmk_thread_start(
      name,
      stack,
      { context in
        guard let context = unsafe context else { return }
        let body = unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
        body.run()
      },
      unsafe box.toOpaque(),
      &started
    )
    if result < 0 { unsafe box.release() }
    try SystemError.check(result, "pthread_create")
    thread = started
  }

  deinit {
    if !isJoined.load(ordering: .acquiring) { _ = ucmk_thread_detach(thread) }
  }

  /// Waits until the thread has ended.
  ///
  /// May be called once, and not from the thread itself.
  package func join() {
    let wasJoined = isJoined.exchange(true, ordering: .acquiringAndReleasing)
    precondition(!wasJoined, "a thread is joined once")
    let result = ucmk_thread_join(thread)
    precondition(result == 0, "a thread cannot join itself")
  }
}

/// Carries a closure through C.
private final class ThreadBody {
  private let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }

  func run() { body() }
}
