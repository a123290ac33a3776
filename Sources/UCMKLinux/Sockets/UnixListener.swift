// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// Why a socket cannot be listened on.
package enum ListenerError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Somebody answers at that path.
  case inUse(String)
  /// The path cannot name a socket of ours; `reason` says why.
  case badPath(String, reason: String)
  /// A system call failed.
  case system(SystemError)

  /// One line for people.
  package var description: String {
    switch self {
    case .inUse(let path): "\(path): another process listens there"
    case .badPath(let path, let reason): "\(path): \(reason)"
    case .system(let error): error.description
    }
  }
}

/// What became of one attempt to accept a connection.
package enum AcceptResult: Sendable {
  /// A new connection; it does not block and is close-on-exec.
  case connection(OwnedDescriptor)
  /// Nobody is waiting.
  case wouldBlock
  /// There is no descriptor or memory for it now (EMFILE, ENFILE, ENOMEM, ENOBUFS): it stays in
  /// the queue, and the listener stays readable.
  case exhausted(Int32)
  /// The errno of any other failure.
  case failed(Int32)
}

/// A listening AF_UNIX stream socket.
package final class UnixListener {
  /// The path it was bound to; nil for one that was handed in.
  package let path: String?

  private let descriptor: OwnedDescriptor
  /// What the socket file was when it was made.
  ///
  /// Another file at the path is not ours to remove.
  private let identity: FileIdentity?

  /// Binds to `path` and listens.
  ///
  /// The file appears at its path when it listens already: whoever sees it can connect. A socket
  /// file at which nobody listens is left over from a process that died, and is replaced. Two
  /// processes that find the same one at the same time are kept apart by a lock on its folder.
  ///
  /// - Parameters:
  ///   - path: 1…107 bytes.
  ///   - mode: The permissions of the socket file, whatever the umask.
  ///   - backlog: How many connections may wait.
  /// - Throws: `inUse`, `badPath`, or the error of the call that failed.
  package init(
    binding path: String,
    mode: UInt32,
    backlog: Int32 = 4096
  ) throws(ListenerError) {
    try UnixListener.checkPath(path)
    let lock = try FolderLock(ofFile: path)
    defer { withExtendedLifetime(lock) {} }
    let socket = try ListenerError.wrap { () throws(SystemError) in
      try OwnedDescriptor(checking: ucmk_unix_socket(1), "socket")
    }
    try UnixListener.checkFree(path)
    let place = UnixListener.birthplace(of: path)
    // Left over from a process of the same number, or the stale file itself.
    _ = unsafe ucmk_unlink(place)
    identity = try ListenerError.wrap { () throws(SystemError) in
      try SystemError.check(unsafe ucmk_unix_bind(socket.raw, place, mode), "bind", path)
      do throws(SystemError) {
        try SystemError.check(ucmk_unix_listen(socket.raw, backlog), "listen", path)
        let identity = try FileIdentity(path: place)
        try SystemError.check(unsafe ucmk_rename(place, path), "rename", path)
        return identity
      } catch {
        _ = unsafe ucmk_unlink(place)
        throw error
      }
    }
    descriptor = socket
    self.path = path
  }

  /// Takes over a socket that a service manager bound and listens on.
  ///
  /// - Throws: `badPath` where it is not a listening AF_UNIX stream socket.
  package init(inherited raw: Int32) throws(ListenerError) {
    guard ucmk_unix_is_listener(raw) == 1 else {
      throw .badPath("descriptor \(raw)", reason: "is not a listening AF_UNIX stream socket")
    }
    let socket = OwnedDescriptor(raw)
    try ListenerError.wrap { () throws(SystemError) in try socket.setNonblocking(true) }
    descriptor = socket
    identity = nil
    path = nil
  }

  deinit { removeFile() }

  /// The descriptor to watch for `.in`.
  package var raw: Int32 { descriptor.raw }

  /// Accepts one connection, if one waits.
  package func accept() -> AcceptResult {
    let result = ucmk_unix_accept(descriptor.raw)
    guard result < 0 else { return .connection(OwnedDescriptor(result)) }
    switch -result {
    case EAGAIN: return .wouldBlock
    case EMFILE, ENFILE, ENOMEM, ENOBUFS: return .exhausted(-result)
    case let other: return .failed(other)
    }
  }

  /// Removes the socket file, where it still is the one that was made here; the last reference
  /// going away does so too.
  package func removeFile() {
    guard let path, let identity else { return }
    var found = ucmk_identity()
    guard unsafe ucmk_identify_path(path, &found) == 0, identity == FileIdentity(found) else {
      return
    }
    _ = unsafe ucmk_unlink(path)
  }

  private static func checkPath(_ path: String) throws(ListenerError) {
    guard path.utf8.first == UInt8(ascii: "/") else {
      throw .badPath(path, reason: "a socket path is absolute")
    }
    guard !path.utf8.contains(0), path.utf8.last != UInt8(ascii: "/") else {
      throw .badPath(path, reason: "is no path of a file")
    }
    guard path.utf8.count <= UnixAddress.longestPath else {
      throw .badPath(path, reason: "longer than \(UnixAddress.longestPath) bytes")
    }
  }

  /// Checks that nothing lies at `path`, or a socket that refuses connections.
  private static func checkFree(_ path: String) throws(ListenerError) {
    var found = ucmk_identity()
    // Nothing lies there, or what is wrong is told by the bind.
    guard unsafe ucmk_identify_path(path, &found) == 0 else { return }
    guard ucmk_kind(found.mode) == UCMK_KIND_SOCKET else {
      throw .badPath(path, reason: "exists and is not a socket")
    }
    // A full queue (EAGAIN) and a refused right (EACCES) also mean that somebody is there.
    guard refusesConnections(path) else { throw .inUse(path) }
  }

  /// Where a socket is bound before it listens: beside its path, hidden, `.NAME.PID`.
  ///
  /// Between bind(2) and listen(2) its file refuses connections, as that of a dead process does.
  /// The kernel goes on telling this name as the socket's own, to getsockname(2) and ss(8).
  /// Where the longer name would not fit into an address it is the path itself, gap and all.
  private static func birthplace(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    let name = path[path.utf8.index(after: slash)...]
    let place = "\(path[...slash]).\(name).\(ucmk_process())"
    return place.utf8.count <= UnixAddress.longestPath ? place : path
  }

  private static func refusesConnections(_ path: String) -> Bool {
    do throws(SystemError) {
      let connection = try UnixStream.connect(path, nonblocking: true)
      withExtendedLifetime(connection) {}
      return false
    } catch {
      // ENOENT: its owner ended this moment and took it away.
      return error.errno == ECONNREFUSED || error.errno == ENOENT
    }
  }
}

extension ListenerError {
  /// Runs calls and makes their error one of a listener.
  fileprivate static func wrap<Value>(
    _ body: () throws(SystemError) -> Value
  ) throws(ListenerError) -> Value {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
  }
}

/// Which file lies at a path.
private struct FileIdentity: Equatable {
  let device: UInt64, inode: UInt64
  let mode: UInt32

  init(_ found: ucmk_identity) {
    device = found.device
    inode = found.inode
    mode = found.mode
  }

  init(path: String) throws(SystemError) {
    var found = ucmk_identity()
    try SystemError.check(unsafe ucmk_identify_path(path, &found), "lstat", path)
    self.init(found)
  }

  static func == (left: FileIdentity, right: FileIdentity) -> Bool {
    left.device == right.device && left.inode == right.inode
  }
}

/// Keeps two starting daemons from replacing each other's socket file.
private final class FolderLock {
  private let descriptor: OwnedDescriptor?

  /// Locks the folder of a file, waiting at most a second: whoever holds it longer is not a
  /// starting daemon, and must not keep one from starting.
  init(ofFile path: String) throws(ListenerError) {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.utf8.startIndex
    let folder = slash == path.utf8.startIndex ? "/" : String(path[..<slash])
    for _ in 0..<100 {
      let result = unsafe ucmk_lock_folder(folder)
      if result >= 0 {
        descriptor = OwnedDescriptor(result)
        return
      }
      // EAGAIN is EWOULDBLOCK. A folder that may be entered but not read cannot be locked, and is
      // written by one user alone.
      guard result == -EAGAIN else {
        if result == -ENOENT || result == -ENOTDIR {
          throw .badPath(path, reason: "its folder does not exist")
        }
        break
      }
      _ = ucmk_poll(nil, 0, 10)
    }
    descriptor = nil
  }
}
