// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CSystemd
package import UCMKLinux
package import UCMKModel

/// One thing that an `EventLoop` waits for.
///
/// The loop keeps it, and its handler, until it is removed or the loop goes away. Dropping the
/// reference that `add…` returned changes nothing; a removed source does nothing.
@safe package class EventSource {
  /// What libsystemd knows it by; nil once it is removed.
  fileprivate var pointer: OpaquePointer?

  fileprivate init() {}

  /// Whether it was removed, or its loop went away.
  package var isRemoved: Bool { unsafe pointer == nil }

  /// Takes the source out of its loop; its handler is not called again and is released.
  ///
  /// May be called from the handler, and the descriptor closed right after.
  package func remove() {
    guard let source = unsafe pointer else { return }
    unsafe pointer = nil
    releaseHandler()
    // The loop holds the only reference (a "floating" one), which this call hands over and drops.
    let result = unsafe sd_event_source_set_floating(source, 0)
    precondition(result >= 0, "a source belongs to the thread that made its loop")
  }

  /// Whether its handler is called.
  ///
  /// A source that is switched off costs nothing.
  package func setEnabled(_ enabled: Bool) throws(SystemError) {
    try set(enabled ? SD_EVENT_ON : SD_EVENT_OFF)
  }

  /// A name for debugging.
  package func describe(_ name: String) {
    guard let source = unsafe pointer else { return }
    _ = unsafe sd_event_source_set_description(source, name)
  }

  /// Drops what the handler holds, so that a handler that holds its own source is no cycle.
  fileprivate func releaseHandler() {}

  fileprivate final func set(_ state: Int) throws(SystemError) {
    guard let source = unsafe pointer else { return }
    try SystemError.check(
      unsafe sd_event_source_set_enabled(source, Int32(state)),
      "sd_event_source_set_enabled"
    )
  }

  /// Registers the source by `add`, which gets where to put libsystemd's pointer and what to hand
  /// to its callback.
  fileprivate final func register(
    _ call: String,
    priority: Int64,
    _ add: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutableRawPointer) -> Int32
  ) throws(SystemError) {
    var source: OpaquePointer?
    let retained = unsafe Unmanaged.passRetained(self)
    let result = unsafe add(&source, retained.toOpaque())
    guard result >= 0, let source = unsafe source else {
      unsafe retained.release()
      throw SystemError(call: call, errno: -result)
    }
    unsafe pointer = source
    _ = unsafe sd_event_source_set_destroy_callback(source) { context in
      guard let context = unsafe context else { return }
      let source = unsafe Unmanaged<EventSource>.fromOpaque(context).takeRetainedValue()
      unsafe source.pointer = nil
      source.releaseHandler()
    }
    _ = unsafe sd_event_source_set_priority(source, priority)
    _ = unsafe sd_event_source_set_floating(source, 1)
    _ = unsafe sd_event_source_unref(source)
  }

  fileprivate static func from(_ context: UnsafeMutableRawPointer?) -> EventSource? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<EventSource>.fromOpaque(context).takeUnretainedValue()
  }
}

/// A descriptor that a loop watches.
package final class IOSource: EventSource {
  private var handler: ((EpollEvents) -> Void)?

  /// Adds a descriptor to a loop.
  init(
    _ loop: borrowing LoopPointer,
    _ fd: Int32,
    _ events: EpollEvents,
    priority: Int64,
    _ handler: @escaping (EpollEvents) -> Void
  ) throws(SystemError) {
    self.handler = handler
    super.init()
    let event = unsafe loop.pointer
    try unsafe register("sd_event_add_io", priority: priority) { source, context in
      unsafe sd_event_add_io(
        event,
        source,
        fd,
        events.rawValue,
        { _, _, ready, context in
          let source = unsafe EventSource.from(context) as? IOSource
          source?.handler?(EpollEvents(rawValue: ready))
          return 0
        },
        context
      )
    }
  }

  /// Watches for other events from now on; `.err` and `.hup` always come.
  package func setEvents(_ events: EpollEvents) throws(SystemError) {
    guard let source = unsafe pointer else { return }
    try SystemError.check(
      unsafe sd_event_source_set_io_events(source, events.rawValue),
      "sd_event_source_set_io_events"
    )
  }

  fileprivate override func releaseHandler() { handler = nil }
}

/// A moment on the monotonic clock that a loop waits for, once each time it is armed.
package final class TimerSource: EventSource {
  private var handler: (() -> Void)?

  /// Adds a timer to a loop.
  init(
    _ loop: borrowing LoopPointer,
    at instant: MonotonicInstant?,
    accuracy: TimeSpan,
    priority: Int64,
    _ handler: @escaping () -> Void
  ) throws(SystemError) {
    self.handler = handler
    super.init()
    let event = unsafe loop.pointer
    // Zero would mean the library's default, a quarter of a second.
    let slack = max(accuracy.microseconds, 1)
    let due = instant.map(TimerSource.microseconds) ?? 0
    try unsafe register("sd_event_add_time", priority: priority) { source, context in
      unsafe sd_event_add_time(
        event,
        source,
        monotonicClock,
        due,
        slack,
        { _, _, context in
          let source = unsafe EventSource.from(context) as? TimerSource
          source?.handler?()
          return 0
        },
        context
      )
    }
    if instant == nil { try disarm() }
  }

  /// Waits for `instant`; one that has passed fires in the next turn of the loop.
  package func rearm(at instant: MonotonicInstant) throws(SystemError) {
    guard let source = unsafe pointer else { return }
    try SystemError.check(
      unsafe sd_event_source_set_time(source, TimerSource.microseconds(instant)),
      "sd_event_source_set_time"
    )
    try set(SD_EVENT_ONESHOT)
  }

  /// Waits no more until it is armed again.
  package func disarm() throws(SystemError) { try set(SD_EVENT_OFF) }

  fileprivate override func releaseHandler() { handler = nil }

  /// Rounded up: a timer never fires before its instant.
  private static func microseconds(_ instant: MonotonicInstant) -> UInt64 {
    let whole = instant.nanoseconds / 1000
    return instant.nanoseconds.isMultiple(of: 1000) ? whole : whole + 1
  }
}

/// A signal, or the end of a turn, that a loop waits for.
package final class CallSource: EventSource {
  private var handler: (() -> Void)?

  /// Adds a signal, which is blocked in this thread already, to a loop.
  init(
    _ loop: borrowing LoopPointer,
    signal: Int32,
    priority: Int64,
    _ handler: @escaping () -> Void
  ) throws(SystemError) {
    self.handler = handler
    super.init()
    let event = unsafe loop.pointer
    try unsafe register("sd_event_add_signal", priority: priority) { source, context in
      unsafe sd_event_add_signal(
        event,
        source,
        signal,
        { _, _, context in unsafe CallSource.call(context) },
        context
      )
    }
  }

  /// Adds what runs after every turn in which another source was served.
  init(
    _ loop: borrowing LoopPointer,
    postWithPriority priority: Int64,
    _ handler: @escaping () -> Void
  ) throws(SystemError) {
    self.handler = handler
    super.init()
    let event = unsafe loop.pointer
    try unsafe register("sd_event_add_post", priority: priority) { source, context in
      unsafe sd_event_add_post(
        event,
        source,
        { _, context in unsafe CallSource.call(context) },
        context
      )
    }
  }

  private static func call(_ context: UnsafeMutableRawPointer?) -> Int32 {
    let source = unsafe EventSource.from(context) as? CallSource
    source?.handler?()
    return 0
  }

  fileprivate override func releaseHandler() { handler = nil }
}

/// `CLOCK_MONOTONIC` (clock_gettime(2)).
let monotonicClock: Int32 = 1
