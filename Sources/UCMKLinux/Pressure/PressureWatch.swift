// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// Why `$MEMORY_PRESSURE_WATCH` cannot be followed.
package enum PressureWatchError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The path is not absolute, or has empty, `.` or `..` components.
  case badPath(String)
  /// `$MEMORY_PRESSURE_WRITE` is not Base64.
  case badBase64(String)
  /// A regular file that is neither on procfs nor on cgroup2, a folder, or a block device.
  case notAPressureFile(String)
  /// A system call failed.
  case system(SystemError)

  /// One line for people.
  package var description: String {
    switch self {
    case .badPath(let path):
      "MEMORY_PRESSURE_WATCH=\(path): wanted an absolute path without `.` and `..`"
    case .badBase64(let text): "MEMORY_PRESSURE_WRITE=\(text): wanted Base64"
    case .notAPressureFile(let path):
      "MEMORY_PRESSURE_WATCH=\(path): no PSI file, FIFO or socket"
    case .system(let error): error.description
    }
  }
}

/// What the environment says of the process's own pressure (systemd, `docs/PRESSURE.md`).
package enum PressureWatchEnvironment: Sendable, Hashable {
  /// Nothing: the variable is not set.
  case unset
  /// Somebody switched it off: empty, or `/dev/null`.
  case off
  /// Watch `path`, after writing `initial` to it.
  case watch(path: String, initial: [UInt8])

  /// What the variables of this process say.
  package init() throws(PressureWatchError) {
    try self.init(
      watch: Environment.value("MEMORY_PRESSURE_WATCH"),
      write: Environment.value("MEMORY_PRESSURE_WRITE")
    )
  }

  /// What these values of `$MEMORY_PRESSURE_WATCH` and `$MEMORY_PRESSURE_WRITE` say.
  package init(watch: String?, write: String?) throws(PressureWatchError) {
    guard let watch else {
      self = .unset
      return
    }
    guard !watch.isEmpty, watch != "/dev/null" else {
      self = .off
      return
    }
    // A path of a cgroup has the rules that are wanted here.
    guard watch != "/", CgroupPath.isValid(watch) else { throw .badPath(watch) }
    guard let initial = Base64.decode(write ?? "") else { throw .badBase64(write ?? "") }
    self = .watch(path: watch, initial: initial)
  }

  /// Opens what is to be watched; nil where nothing is.
  package func open() throws(PressureWatchError) -> PressureWatch? {
    guard case .watch(let path, let initial) = self else { return nil }
    return try PressureWatch(path, initial: initial)
  }
}

/// The pressure source of `$MEMORY_PRESSURE_WATCH`: a PSI file, a FIFO or a socket.
package final class PressureWatch {
  /// What kind of file it is.
  package enum Kind: Sendable, Hashable {
    /// A PSI file with a trigger.
    case psi
    /// A FIFO or a character device: every byte that comes is an event.
    case fifo
    /// A stream socket: every byte that comes is an event.
    case socket
  }

  /// What draining found.
  package enum Drained: Sendable, Hashable {
    /// There was an event.
    case event
    /// There was none: it was drained already.
    case nothing
    /// No event will come any more: the writer closed, or the cgroup is gone.
    ///
    /// The descriptor stays ready for ever and must be watched no more.
    case ended
  }

  /// What it was opened from.
  package let path: String
  /// What kind of file it is.
  package let kind: Kind

  private let descriptor: OwnedDescriptor
  private var scratch = [UInt8](repeating: 0, count: 4096)

  /// The descriptor to watch for `events`.
  package var raw: Int32 { descriptor.raw }

  /// What to watch for.
  package var events: EpollEvents { kind == .psi ? .pri : .in }

  /// Opens `path` and writes `initial` to it.
  init(_ path: String, initial: [UInt8]) throws(PressureWatchError) {
    let opened = try PressureWatch.openFile(path)
    self.path = path
    kind = opened.kind
    descriptor = opened.descriptor
    try write(initial)
  }

  /// Reads and throws away what came, after the descriptor was ready for `ready`.
  ///
  /// Any number of bytes that wait together are one event. A PSI file is never read.
  package func drain(_ ready: EpollEvents) -> Drained {
    if kind == .psi {
      if ready.contains(.err) { return .ended }
      return ready.contains(.pri) ? .event : .nothing
    }
    var drained = Drained.nothing
    // A writer that never stops must not keep the daemon here; what is left wakes it again.
    for _ in 0..<16 {
      let count = unsafe scratch.withUnsafeMutableBytes { bytes in
        unsafe ucmk_read(descriptor.raw, bytes.baseAddress, bytes.count)
      }
      if count > 0 {
        drained = .event
      } else if count == -Int(EAGAIN) {
        break
      } else {
        return drained == .event ? .event : .ended
      }
    }
    return drained
  }

  private static func openFile(
    _ path: String
  ) throws(PressureWatchError) -> (kind: Kind, descriptor: OwnedDescriptor) {
    do throws(SystemError) {
      let found = try SystemError.check(unsafe ucmk_path_kind(path), "stat", path)
      if found == UCMK_KIND_SOCKET {
        return (.socket, try UnixStream.connect(path, nonblocking: true))
      }
      // A FIFO read-write too: with a writer of its own it never reports an end between two others.
      let descriptor = try OwnedDescriptor(
        checking: unsafe ucmk_open(path, Int32(UCMK_OPEN_READ_WRITE)),
        "open",
        path
      )
      if found == UCMK_KIND_FIFO || found == UCMK_KIND_DEVICE { return (.fifo, descriptor) }
      if found == UCMK_KIND_REGULAR, ucmk_is_kernel_file(descriptor.raw) == 1 {
        return (.psi, descriptor)
      }
    } catch {
      throw .system(error)
    }
    throw .notAPressureFile(path)
  }

  private func write(_ initial: [UInt8]) throws(PressureWatchError) {
    if initial.isEmpty { return }
    let result =
      kind == .socket
      ? unsafe ucmk_send(descriptor.raw, initial, initial.count)
      : unsafe ucmk_write(descriptor.raw, initial, initial.count)
    guard result == initial.count else {
      // A descriptor that takes a part of so few bytes is as good as full.
      let errno = result < 0 ? Int32(-result) : EAGAIN
      throw .system(SystemError(call: "write", path: path, errno: errno))
    }
    // What was written to a FIFO would come back as an event. Whoever wrote to it before us is not
    // lost: as many bytes stay as others wrote.
    guard kind == .fifo else { return }
    var echo = [UInt8](repeating: 0, count: initial.count)
    _ = unsafe ucmk_read(descriptor.raw, &echo, echo.count)
  }
}
