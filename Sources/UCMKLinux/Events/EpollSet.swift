// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// Many descriptors, watched at once.
///
/// The set has a descriptor of its own that is readable while one of its members is ready, so that
/// it nests in another set or in an event loop as one source. One object serves one thread.
@safe package final class EpollSet {
  /// The most events that one `wait` delivers.
  package static let batch = 256

  private let descriptor: OwnedDescriptor
  private let events: UnsafeMutableBufferPointer<epoll_event>
  private var isWaiting = false

  /// Makes an empty set.
  package init() throws(SystemError) {
    descriptor = try OwnedDescriptor(checking: ucmk_epoll_create(), "epoll_create1")
    unsafe events = .allocate(capacity: EpollSet.batch)
  }

  deinit { unsafe events.deallocate() }

  /// The set's own descriptor, for nesting; readable while a member is ready.
  package var raw: Int32 { descriptor.raw }

  /// Watches `fd` for `events`; each of its events carries `token`.
  ///
  /// - Throws: EEXIST where it is watched already, EPERM for a file that cannot be watched.
  package func add(_ fd: Int32, _ events: EpollEvents, token: UInt64) throws(SystemError) {
    try control(EPOLL_CTL_ADD, fd, events, token)
  }

  /// Watches `fd` for other events from now on.
  ///
  /// - Throws: ENOENT where it is not watched.
  package func modify(_ fd: Int32, _ events: EpollEvents, token: UInt64) throws(SystemError) {
    try control(EPOLL_CTL_MOD, fd, events, token)
  }

  /// Watches `fd` no more.
  ///
  /// To be called before it is closed: a duplicate elsewhere would keep it in the set.
  ///
  /// - Throws: ENOENT where it is not watched.
  package func remove(_ fd: Int32) throws(SystemError) {
    try control(EPOLL_CTL_DEL, fd, [], 0)
  }

  /// Waits until a member is ready or the time is over, and calls `body` for each ready one.
  ///
  /// `body` may add, modify and remove members, but an event of a member that it removes may still
  /// follow in the same batch; tokens that are never used again tell such an event from others.
  ///
  /// - Parameters:
  ///   - timeout: Milliseconds; 0 does not wait, less than 0 waits for ever.
  ///   - limit: The most events to deliver, 1…256.
  ///   - body: Gets the token and the events of one member.
  /// - Returns: How many events there were; 0 at the end of the time and after a signal.
  /// - Throws: What epoll_wait(2) says; nothing but a broken set makes it fail.
  @discardableResult
  package func wait(
    timeout: Int32,
    limit: Int = EpollSet.batch,
    _ body: (_ token: UInt64, _ events: EpollEvents) -> Void
  ) throws(SystemError) -> Int {
    precondition(!isWaiting, "a wait inside a wait would overwrite the events of the first")
    precondition(limit > 0 && limit <= EpollSet.batch, "a batch holds 1 to 256 events")
    isWaiting = true
    defer { isWaiting = false }
    let result = unsafe ucmk_epoll_wait(raw, events.baseAddress, Int32(limit), timeout)
    if result == -EINTR { return 0 }
    let count = Int(try SystemError.check(result, "epoll_wait"))
    for index in 0..<count {
      let event = unsafe events[index]
      body(unsafe event.data.u64, EpollEvents(rawValue: unsafe event.events))
    }
    return count
  }

  private func control(
    _ operation: Int32,
    _ fd: Int32,
    _ events: EpollEvents,
    _ token: UInt64
  ) throws(SystemError) {
    try SystemError.check(
      ucmk_epoll_control(raw, operation, fd, events.rawValue, token),
      "epoll_ctl"
    )
  }
}
