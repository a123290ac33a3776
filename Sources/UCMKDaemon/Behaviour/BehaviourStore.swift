// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
package import UCMKLinux

/// The state file on disk: replaced as a whole or not at all.
package struct BehaviourStore: Sendable {
  /// Where it is.
  package let path: String

  /// Makes a store in a folder that exists.
  package init(folder: String) { path = "\(folder)/behaviour" }

  /// Reads the file, at most one byte more than may be; nil where there is none.
  package func read() throws(SystemError) -> [UInt8]? {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw SystemError(call: "open", path: path, errno: errno)
    }
    let owned = OwnedDescriptor(file)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= BehaviourText.sizeMaximum {
      let count = unsafe chunk.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(owned.raw, buffer.baseAddress, buffer.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SystemError(call: "read", path: path, errno: errno) }
      if count == 0 { break }
      bytes.append(contentsOf: chunk[..<count])
    }
    return bytes
  }

  /// Writes a file beside it, has that on the disk, and puts it in its place.
  package func write(_ bytes: [UInt8]) throws(SystemError) {
    let beside = "\(path).new"
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
    let file = unsafe open(beside, flags, 0o600)
    guard file >= 0 else { throw SystemError(call: "open", path: beside, errno: errno) }
    let owned = OwnedDescriptor(file)
    guard DaemonProcess.write(bytes, to: owned.raw) else {
      throw SystemError(call: "write", path: beside, errno: errno)
    }
    guard fsync(owned.raw) == 0 else {
      throw SystemError(call: "fsync", path: beside, errno: errno)
    }
    guard unsafe rename(beside, path) == 0 else {
      throw SystemError(call: "rename", path: path, errno: errno)
    }
  }
}
