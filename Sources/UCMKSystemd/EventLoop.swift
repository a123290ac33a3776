// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CSystemd
package import UCMKLinux
package import UCMKModel

/// The loop of libsystemd: descriptors, timers and signals, one at a time, in one thread.
///
/// It serves one source a turn and asks the kernel again, so hundreds of descriptors that are ready
/// together belong into an `EpollSet` that is one source of it. Handlers do not throw: what goes
/// wrong is theirs to tell.
package final class EventLoop {
  private let loop: LoopPointer

  /// Makes a loop for this thread.
  package init() throws(SystemError) {
    loop = try LoopPointer()
  }

  /// Watches a descriptor.
  ///
  /// `.err` and `.hup` are reported whether asked for or not, and again in each turn until the
  /// handler ends the cause or removes the source.
  ///
  /// - Parameters:
  ///   - fd: Stays the caller's; must be open until the source is removed.
  ///   - events: What to wait for.
  ///   - priority: Smaller is served first.
  ///   - handler: Gets what the descriptor is ready for.
  /// - Returns: The source.
  /// - Throws: EPERM for a file that cannot be watched, EEXIST for one that is.
  @discardableResult
  package func addIO(
    _ fd: Int32,
    events: EpollEvents,
    priority: Int64 = 0,
    _ handler: @escaping (EpollEvents) -> Void
  ) throws(SystemError) -> IOSource {
    try IOSource(loop, fd, events, priority: priority, handler)
  }

  /// Calls `handler` once at `instant`, and again whenever the timer is armed again.
  ///
  /// - Parameters:
  ///   - instant: When; nil makes a timer that is not armed yet.
  ///   - accuracy: How much later it may be, so that the library can put wake-ups together; at
  ///     least a microsecond.
  ///   - priority: Smaller is served first.
  ///   - handler: What to call.
  /// - Returns: The timer.
  /// - Throws: ENOMEM.
  @discardableResult
  package func addTimer(
    at instant: MonotonicInstant?,
    accuracy: TimeSpan,
    priority: Int64 = 0,
    _ handler: @escaping () -> Void
  ) throws(SystemError) -> TimerSource {
    try TimerSource(loop, at: instant, accuracy: accuracy, priority: priority, handler)
  }

  /// Calls `handler` whenever the signal comes, and blocks the signal in this thread.
  ///
  /// Threads that exist already must have blocked it.
  @discardableResult
  package func addSignal(
    _ signal: SignalNumber,
    priority: Int64 = 0,
    _ handler: @escaping () -> Void
  ) throws(SystemError) -> EventSource {
    try signal.block()
    return try CallSource(loop, signal: signal.rawValue, priority: priority, handler)
  }

  /// Calls `handler` after each turn in which another source was served.
  @discardableResult
  package func addPost(
    priority: Int64 = 0,
    _ handler: @escaping () -> Void
  ) throws(SystemError) -> EventSource {
    try CallSource(loop, postWithPriority: priority, handler)
  }

  /// Serves sources until `exit` is called.
  ///
  /// - Returns: The code given to `exit`.
  /// - Throws: What epoll_wait(2) says.
  package func run() throws(SystemError) -> Int32 {
    try SystemError.check(unsafe sd_event_loop(loop.pointer), "sd_event_loop")
  }

  /// Serves at most one source.
  ///
  /// - Parameter timeout: How long to wait for one; nil is for ever.
  /// - Returns: Whether one was served.
  /// - Throws: What epoll_wait(2) says; ESTALE once the loop has ended.
  package func turn(timeout: TimeSpan?) throws(SystemError) -> Bool {
    let result = unsafe sd_event_run(loop.pointer, timeout?.microseconds ?? .max)
    return try SystemError.check(result, "sd_event_run") > 0
  }

  /// Ends `run` after the source that is being served.
  ///
  /// - Parameter code: 0…255.
  /// - Throws: ESTALE once the loop has ended.
  package func exit(_ code: Int32) throws(SystemError) {
    precondition((0...255).contains(code), "an exit code is one byte")
    try SystemError.check(unsafe sd_event_exit(loop.pointer, code), "sd_event_exit")
  }
}

/// The one reference to libsystemd's loop.
@safe final class LoopPointer {
  /// What libsystemd knows it by.
  let pointer: OpaquePointer

  init() throws(SystemError) {
    var made: OpaquePointer?
    let result = unsafe sd_event_new(&made)
    guard result >= 0, let made = unsafe made else {
      throw SystemError(call: "sd_event_new", errno: -result)
    }
    unsafe pointer = made
  }

  // Frees what the loop still holds: its sources, and through them the handlers.
  deinit { _ = unsafe sd_event_unref(pointer) }
}
