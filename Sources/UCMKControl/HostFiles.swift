// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Small files of `/proc` and their like, read whole.
package enum HostFiles {
  /// The text of the file `path`, at most a MiB of it.
  ///
  /// - Throws: The error number, where it cannot be opened or read.
  package static func text(_ path: String) throws(SystemError) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(number: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < 1 << 20 {
      let count = unsafe buffer.withUnsafeMutableBytes { room in
        unsafe read(descriptor, room.baseAddress, room.count)
      }
      if count == 0 { break }
      if count > 0 {
        bytes += buffer[..<count]
      } else if errno != EINTR {
        throw SystemError(number: errno)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text of the file `path`; nil where it cannot be had.
  package static func textIfAny(_ path: String) -> String? {
    do throws(SystemError) {
      return try text(path)
    } catch {
      return nil
    }
  }

  /// Whether there is anything at `path`.
  package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// The names in the folder `path`, sorted; none where it cannot be listed.
  package static func names(in path: String) -> [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      names.append(name)
    }
    return names.sorted()
  }

  /// A call that failed.
  package struct SystemError: Error, Hashable {
    /// Its error number.
    package let number: Int32

    /// Makes an error of this number.
    package init(number: Int32) { self.number = number }
  }
}
