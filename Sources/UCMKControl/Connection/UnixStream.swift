// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

import Glibc

/// A connected Unix stream socket on which every wait has an end.
///
/// The socket does not block; each call waits in `poll(2)` until its deadline. One thread uses it.
package final class UnixStream {
  /// What can go wrong below the protocol.
  package enum Failure: Error, Hashable {
    /// A call failed with this error number.
    case system(Int32)
    /// The deadline passed.
    case timedOut
    /// The other end has closed.
    case ended
  }

  private let descriptor: Int32

  /// Connects to the socket file `path`.
  ///
  /// - Parameters:
  ///   - path: At most 107 bytes, what `sun_path` holds (unix(7)).
  ///   - deadline: When to give up; a full backlog makes the kernel wait.
  /// - Throws: Why there is no connection.
  package init(path: String, deadline: MonotonicInstant) throws(Failure) {
    guard var address = UnixStream.address(of: path) else { throw .system(ENAMETOOLONG) }
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_UNIX, kind | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw .system(errno) }
    self.descriptor = descriptor
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    while true {
      let outcome = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
          unsafe connect(descriptor, generic, length)
        }
      }
      if outcome == 0 { return }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // A Unix socket whose backlog is full cannot be waited for with poll(2).
        guard Clock.monotonic() < deadline else { throw .timedOut }
        usleep(2_000)
      case let number: throw .system(number)
      }
    }
  }

  deinit { close(descriptor) }

  private static func address(of path: String) -> sockaddr_un? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let fits = unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
      guard bytes.count < room.count else { return false }
      unsafe room.copyBytes(from: bytes)
      return true
    }
    return fits ? address : nil
  }

  /// Writes all of `bytes`.
  package func write(_ bytes: [UInt8], deadline: MonotonicInstant) throws(Failure) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes[written...].withUnsafeBytes { room in
        unsafe send(descriptor, room.baseAddress, room.count, Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        written += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN: try wait(for: POLLOUT, deadline: deadline)
      case EPIPE, ECONNRESET: throw .ended
      case let number: throw .system(number)
      }
    }
  }

  /// Reads what has arrived, at least one byte and at most 64 KiB.
  ///
  /// Gives up at `deadline`, or never where that is nil.
  package func read(deadline: MonotonicInstant?) throws(Failure) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { room in
        unsafe recv(descriptor, room.baseAddress, room.count, 0)
      }
      if count > 0 { return Array(buffer[..<count]) }
      if count == 0 { throw .ended }
      switch errno {
      case EINTR: continue
      case EAGAIN: try wait(for: POLLIN, deadline: deadline)
      case ECONNRESET: throw .ended
      case let number: throw .system(number)
      }
    }
  }

  private func wait(for events: Int32, deadline: MonotonicInstant?) throws(Failure) {
    while true {
      var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      var patience: Int32 = -1
      if let deadline {
        let left = deadline.since(Clock.monotonic())
        guard left > .zero else { throw .timedOut }
        // Rounded up, so that the last turn does not spin.
        patience = Int32(clamping: left.milliseconds + 1)
      }
      let ready = unsafe poll(&request, 1, patience)
      if ready > 0 { return }
      if ready < 0, errno != EINTR { throw .system(errno) }
    }
  }
}
