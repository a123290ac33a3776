// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// What became of one call that moves bytes.
package enum TransferResult: Sendable, Hashable {
  /// So many bytes were moved, at least one.
  case bytes(Int)
  /// Nothing can be moved now.
  case wouldBlock
  /// The peer is gone, or will send no more.
  case closed
  /// The errno of any other failure.
  case failed(Int32)
}

/// Calls on connected AF_UNIX stream sockets.
///
/// Numbers and not objects: the hot path looks them up in its own tables. None of them raises
/// SIGPIPE.
package enum UnixStream {
  /// Connects to the socket file at `path`.
  ///
  /// - Throws: ENOENT or ECONNREFUSED where nobody listens, EACCES, EAGAIN where the listener's
  ///   queue is full, ENAMETOOLONG for a path that fits no address.
  package static func connect(
    _ path: String,
    nonblocking: Bool
  ) throws(SystemError) -> OwnedDescriptor {
    try UnixAddress.check(path)
    let descriptor = try OwnedDescriptor(
      checking: ucmk_unix_socket(nonblocking ? 1 : 0),
      "socket"
    )
    try SystemError.check(unsafe ucmk_unix_connect(descriptor.raw, path), "connect", path)
    return descriptor
  }

  /// Two sockets that are connected with each other.
  package static func pair(
    nonblocking: Bool
  ) throws(SystemError) -> (OwnedDescriptor, OwnedDescriptor) {
    var raw: (Int32, Int32) = (-1, -1)
    let result = unsafe withUnsafeMutablePointer(to: &raw) { pair in
      unsafe pair.withMemoryRebound(to: Int32.self, capacity: 2) {
        unsafe ucmk_unix_pair(nonblocking ? 1 : 0, $0)
      }
    }
    try SystemError.check(result, "socketpair")
    return (OwnedDescriptor(raw.0), OwnedDescriptor(raw.1))
  }

  /// Sends as much of `bytes` as fits now.
  package static func send(_ fd: Int32, _ bytes: Span<UInt8>) -> TransferResult {
    if bytes.isEmpty { return .bytes(0) }
    return unsafe bytes.withUnsafeBytes { buffer in
      unsafe result(ofSending: ucmk_send(fd, buffer.baseAddress, buffer.count))
    }
  }

  /// Sends as much of the array from `start` on as fits now.
  package static func send(_ fd: Int32, _ bytes: [UInt8], from start: Int = 0) -> TransferResult {
    send(fd, bytes.span.extracting(start..<bytes.count))
  }

  /// Receives at most `bytes.count` bytes into the start of `bytes`.
  package static func receive(_ fd: Int32, into bytes: inout MutableSpan<UInt8>) -> TransferResult {
    precondition(!bytes.isEmpty, "there is room for what is received")
    return unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe result(ofReceiving: ucmk_receive(fd, buffer.baseAddress, buffer.count))
    }
  }

  /// Receives into the array from `start` to its end.
  package static func receive(
    _ fd: Int32,
    into bytes: inout [UInt8],
    at start: Int = 0
  ) -> TransferResult {
    precondition(start < bytes.count, "there is room for what is received")
    return unsafe bytes.withUnsafeMutableBytes { buffer in
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
      return unsafe result(ofReceiving: ucmk_receive(fd, rest.baseAddress, rest.count))
    }
  }

  /// Tells the peer that no more will come; what it sends can still be read.
  package static func finishSending(_ fd: Int32) throws(SystemError) {
    try SystemError.check(ucmk_shutdown_write(fd), "shutdown")
  }

  private static func result(ofSending count: Int) -> TransferResult {
    if count >= 0 { return .bytes(count) }
    return failure(-count)
  }

  private static func result(ofReceiving count: Int) -> TransferResult {
    if count > 0 { return .bytes(count) }
    return count == 0 ? .closed : failure(-count)
  }

  private static func failure(_ errno: Int) -> TransferResult {
    switch Int32(clamping: errno) {
    case EAGAIN: .wouldBlock
    case EPIPE, ECONNRESET: .closed
    case let other: .failed(other)
    }
  }
}

/// Rules for the paths of socket files.
package enum UnixAddress {
  /// The most bytes of a path, without its NUL: 107 on Linux.
  package static let longestPath = ucmk_unix_path_maximum()

  /// Says what is wrong with a path.
  ///
  /// - Throws: EINVAL where it is empty or holds a NUL, ENAMETOOLONG beyond 107 bytes.
  package static func check(_ path: String) throws(SystemError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw SystemError(call: "connect", path: path, errno: EINVAL)
    }
    guard path.utf8.count <= longestPath else {
      throw SystemError(call: "connect", path: path, errno: ENAMETOOLONG)
    }
  }
}
