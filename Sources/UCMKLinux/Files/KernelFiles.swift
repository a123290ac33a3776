// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux
package import UCMKModel

/// A file below the roots of `KernelFiles`.
package enum KernelPath: Sendable {
  /// A file of `/proc`, such as `meminfo`.
  case proc(StaticString)
  /// A file of one process, such as `status`.
  case process(ProcessID, StaticString)
  /// A file of the cgroup with this v2 path (beginning with `/`), such as `memory.current`.
  case cgroup(Substring, StaticString)

  /// A file of the cgroup with this v2 path.
  package static func cgroup(_ path: String, _ name: StaticString) -> KernelPath {
    .cgroup(path[...], name)
  }
}

/// Reads the small text files of the kernel into one buffer that is made beforehand.
///
/// A file that is not there, or goes away while it is read, is a normal state and gives nil, as
/// does a text that its parser does not take. Only what an administrator could change (permission)
/// or what should not happen is thrown. One object serves one thread.
package final class KernelFiles {
  /// The root of the process files, `/proc` unless replaced.
  package let proc: String
  /// The root of the v2 hierarchy, or nil where none is mounted.
  package let cgroup: String?

  /// What files are read into; grows only for a file that does not fit, never shrinks.
  private var buffer: [UInt8]
  /// Where paths are put together, with their final NUL.
  private var path: [UInt8] = []

  /// The size of the buffer at start.
  ///
  /// `memory.stat`, `vmstat` and the files of a process take at most 8 KiB; `zoneinfo` and
  /// `mountinfo` of a large host may take more, once, at start.
  package static let bufferSize = 32 << 10

  /// The size beyond which a file is refused with EFBIG: no file that is read here comes near it.
  package static let largestFile = 4 << 20

  /// Makes a reader below these roots.
  package init(proc: String = "/proc", cgroup: String?) {
    self.proc = proc
    self.cgroup = cgroup
    buffer = [UInt8](repeating: 0, count: KernelFiles.bufferSize)
    path.reserveCapacity(4096)
  }

  /// Reads a file and has `parse` make something of its bytes.
  ///
  /// `parse` must not read another file with the same object.
  ///
  /// - Returns: What `parse` returned; nil where the file is absent or went away meanwhile
  ///   (ENOENT, ENOTDIR, ESRCH, ENODEV, and EOPNOTSUPP of a switched-off PSI file).
  /// - Throws: Any other failure of `open` or `read`.
  package func read<Value>(
    _ file: KernelPath,
    _ parse: (Span<UInt8>) -> Value?
  ) throws(SystemError) -> Value? {
    guard assemble(file) else { return nil }
    let opened = unsafe ucmk_open_bytes(path)
    if KernelFiles.isAbsence(-opened) { return nil }
    // A plain number: an object for each file would be an allocation for each client of a round.
    guard opened >= 0 else { throw SystemError(call: "open", path: assembled, errno: -opened) }
    defer { ucmk_close(opened) }
    guard let count = try fill(from: opened) else { return nil }
    let text = buffer
    return parse(text.span.extracting(0..<count))
  }

  /// The path of a file as text; nil where its cgroup path is not one, or no v2 root is known.
  package func text(of file: KernelPath) -> String? {
    assemble(file) ? assembled : nil
  }

  /// Whether an errno means that a file is not there, or not any more.
  static func isAbsence(_ errno: Int32) -> Bool {
    errno == ENOENT || errno == ENOTDIR || errno == ESRCH || errno == ENODEV
      || errno == EOPNOTSUPP
  }

  /// Reads to the end of the file; nil where it vanished.
  private func fill(from descriptor: Int32) throws(SystemError) -> Int? {
    var count = 0
    while true {
      if count == buffer.count {
        guard count < KernelFiles.largestFile else {
          throw SystemError(call: "read", path: assembled, errno: EFBIG)
        }
        buffer.append(contentsOf: repeatElement(0, count: count))
      }
      let result = unsafe buffer.withUnsafeMutableBytes { bytes in
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[count...])
        return unsafe ucmk_read(descriptor, rest.baseAddress, rest.count)
      }
      if result < 0, KernelFiles.isAbsence(Int32(clamping: -result)) { return nil }
      if result < 0 { throw SystemError(call: "read", path: assembled, errno: Int32(-result)) }
      if result == 0 { return count }
      count += result
    }
  }

  /// The path put together last, for error texts.
  private var assembled: String { String(decoding: path.dropLast(), as: UTF8.self) }

  private func assemble(_ file: KernelPath) -> Bool {
    path.removeAll(keepingCapacity: true)
    switch file {
    case .proc(let name):
      path.append(contentsOf: proc.utf8)
      appendComponent(name)
    case .process(let process, let name):
      path.append(contentsOf: proc.utf8)
      path.append(UInt8(ascii: "/"))
      appendNumber(process.number)
      appendComponent(name)
    case .cgroup(let group, let name):
      guard let cgroup, CgroupPath.isValid(group) else { return false }
      path.append(contentsOf: cgroup.utf8)
      if group.utf8.count > 1 { path.append(contentsOf: group.utf8) }
      appendComponent(name)
    }
    path.append(0)
    return true
  }

  private func appendComponent(_ name: StaticString) {
    path.append(UInt8(ascii: "/"))
    name.withUTF8Buffer { unsafe path.append(contentsOf: $0) }
  }

  private func appendNumber(_ number: Int32) {
    let start = path.count
    var rest = number.magnitude
    repeat {
      path.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    if number < 0 { path.append(UInt8(ascii: "-")) }
    path[start...].reverse()
  }
}
