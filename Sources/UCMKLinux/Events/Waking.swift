// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux
package import UCMKModel

/// A counter whose descriptor is readable while it is not zero: how one thread wakes another.
package final class EventFD: Sendable {
  private let descriptor: OwnedDescriptor

  /// Makes a counter at zero.
  package init() throws(SystemError) {
    descriptor = try OwnedDescriptor(checking: ucmk_eventfd(), "eventfd")
  }

  /// The descriptor to watch for `.in`.
  package var raw: Int32 { descriptor.raw }

  /// Makes the descriptor readable.
  ///
  /// Any thread may call it.
  package func signal() {
    var one: UInt64 = 1
    // Fails only where the counter is at its end, and then it is readable.
    _ = unsafe ucmk_write(raw, &one, MemoryLayout<UInt64>.size)
  }

  /// Makes the descriptor unreadable.
  ///
  /// - Returns: How often it was signalled since the last call.
  @discardableResult
  package func drain() -> UInt64 {
    var count: UInt64 = 0
    let size = MemoryLayout<UInt64>.size
    return unsafe ucmk_read(raw, &count, size) == size ? count : 0
  }
}

/// A point in time whose descriptor becomes readable when it comes.
package final class TimerFD: Sendable {
  private let descriptor: OwnedDescriptor

  /// Makes a timer that is not set.
  package init() throws(SystemError) {
    descriptor = try OwnedDescriptor(checking: ucmk_timerfd(), "timerfd_create")
  }

  /// The descriptor to watch for `.in`.
  package var raw: Int32 { descriptor.raw }

  /// Sets the timer to `instant`, or to never.
  ///
  /// One that has passed already fires at once.
  package func set(at instant: MonotonicInstant?) throws(SystemError) {
    // Zero is the kernel's word for "never".
    let nanoseconds = instant.map { max($0.nanoseconds, 1) } ?? 0
    try SystemError.check(ucmk_timerfd_set(raw, nanoseconds), "timerfd_settime")
  }

  /// Makes the descriptor unreadable until the next setting.
  ///
  /// - Returns: Whether the timer had fired.
  @discardableResult
  package func drain() -> Bool {
    var count: UInt64 = 0
    let size = MemoryLayout<UInt64>.size
    return unsafe ucmk_read(raw, &count, size) == size && count > 0
  }
}

/// One descriptor to wait for with `pollDescriptors`.
package struct PollEntry: Sendable, Hashable {
  /// The descriptor; less than zero is passed over.
  package var fd: Int32
  /// What to wait for.
  package var events: EpollEvents
  /// What it is ready for, after the call.
  package var ready: EpollEvents = []

  /// Makes an entry that is ready for nothing.
  package init(fd: Int32, events: EpollEvents) {
    self.fd = fd
    self.events = events
  }
}

/// Waits until one of a few descriptors is ready, for threads that have no set of their own.
///
/// - Parameters:
///   - entries: At most 64; `ready` is written.
///   - timeout: Milliseconds; 0 does not wait, less than 0 waits for ever.
/// - Returns: How many are ready; 0 at the end of the time and after a signal.
/// - Throws: ENOMEM.
@discardableResult
package func pollDescriptors(
  _ entries: inout [PollEntry],
  timeout: Int32
) throws(SystemError) -> Int {
  precondition(entries.count <= 64, "for more descriptors there is EpollSet")
  let result = unsafe withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 64) { slots in
    for index in entries.indices {
      let entry = entries[index]
      let events = Int16(truncatingIfNeeded: entry.events.rawValue)
      unsafe slots.initializeElement(
        at: index,
        to: pollfd(fd: entry.fd, events: events, revents: 0)
      )
    }
    let result = unsafe ucmk_poll(slots.baseAddress, entries.count, timeout)
    for index in entries.indices {
      let ready = result > 0 ? unsafe slots[index].revents : 0
      entries[index].ready = EpollEvents(rawValue: UInt32(UInt16(bitPattern: ready)))
    }
    return result
  }
  if result == -EINTR { return 0 }
  return Int(try SystemError.check(result, "poll"))
}
