// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CSystemd
package import UCMKLinux
package import UCMKModel

/// What the process and its service manager tell each other (sd_notify(3), sd_listen_fds(3)).
package enum ServiceManager {
  /// Whether the host was booted by systemd.
  package static func booted() -> Bool { sd_booted() > 0 }

  /// Sends `state`, lines such as `READY=1` and `STATUS=…`.
  ///
  /// - Returns: Whether there is a service manager to send it to (`$NOTIFY_SOCKET`).
  @discardableResult
  package static func notify(_ state: String) throws(SystemError) -> Bool {
    try SystemError.check(unsafe sd_notify(0, state), "sd_notify") > 0
  }

  /// Says that the daemon serves, with one line for people.
  @discardableResult
  package static func notifyReady(status: String) throws(SystemError) -> Bool {
    try notify("READY=1\nSTATUS=\(oneLine(status))")
  }

  /// Says that the daemon reads its configuration again, from `instant` on.
  ///
  /// `notifyReady` ends it.
  @discardableResult
  package static func notifyReloading(at instant: MonotonicInstant) throws(SystemError) -> Bool {
    try notify("RELOADING=1\nMONOTONIC_USEC=\(instant.nanoseconds / 1000)")
  }

  /// Says that the daemon stops.
  @discardableResult
  package static func notifyStopping() throws(SystemError) -> Bool { try notify("STOPPING=1") }

  /// Says one line to people.
  @discardableResult
  package static func notifyStatus(_ status: String) throws(SystemError) -> Bool {
    try notify("STATUS=\(oneLine(status))")
  }

  /// Says that the daemon is alive.
  ///
  /// To be called from a timer of the loop, at half of `watchdogInterval`, so that a loop that no
  /// longer turns is noticed.
  @discardableResult
  package static func notifyWatchdog() throws(SystemError) -> Bool { try notify("WATCHDOG=1") }

  /// Within what time the service manager wants to hear from the daemon; nil where it does not
  /// (`$WATCHDOG_USEC`, `$WATCHDOG_PID`).
  ///
  /// - Throws: EINVAL or ERANGE where the variables are no numbers.
  package static func watchdogInterval() throws(SystemError) -> TimeSpan? {
    var microseconds: UInt64 = 0
    let result = unsafe sd_watchdog_enabled(0, &microseconds)
    guard try SystemError.check(result, "sd_watchdog_enabled") > 0 else { return nil }
    return .microseconds(microseconds)
  }

  /// One descriptor that the service manager handed in.
  package struct ListenDescriptor: Sendable, Hashable {
    /// The number; the caller owns it from now on.
    package let fd: Int32
    /// `FileDescriptorName=` of the socket unit, the name in the fd store, or `unknown`.
    package let name: String

    /// Makes a descriptor.
    package init(fd: Int32, name: String) {
      self.fd = fd
      self.name = name
    }
  }

  /// The descriptors that the service manager handed in, made close-on-exec.
  ///
  /// The variables are removed, so that a second call finds none and no child takes them for its
  /// own.
  package static func listenDescriptors() throws(SystemError) -> [ListenDescriptor] {
    var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    let result = unsafe sd_listen_fds_with_names(1, &names)
    let count = Int(try SystemError.check(result, "sd_listen_fds_with_names"))
    defer { unsafe ucmk_free_strings(names) }
    var found: [ListenDescriptor] = []
    for index in 0..<count {
      let name = unsafe names?[index]
      let text = unsafe name.map { unsafe String(cString: $0) } ?? "unknown"
      found.append(ListenDescriptor(fd: firstDescriptor + Int32(index), name: text))
    }
    return found
  }

  /// Whether `fd` is a listening AF_UNIX stream socket, bound to `path` where that is given.
  package static func isListeningSocket(_ fd: Int32, path: String? = nil) -> Bool {
    guard let path else { return sd_is_socket_unix(fd, streamSocket, 1, nil, 0) > 0 }
    return unsafe sd_is_socket_unix(fd, streamSocket, 1, path, 0) > 0
  }

  /// The first descriptor handed in (`SD_LISTEN_FDS_START`).
  private static let firstDescriptor: Int32 = 3
  /// `SOCK_STREAM`.
  private static let streamSocket: Int32 = 1

  /// A status is one line: what follows a line feed would be another message to the manager.
  private static func oneLine(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 == 10 ? 32 : $0 }, as: UTF8.self)
  }
}
