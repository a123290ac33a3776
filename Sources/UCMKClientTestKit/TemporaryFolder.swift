// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKLinux

/// A folder that is removed with its last reference.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws(FakeBrokerError) {
    // A socket path has 107 bytes at most: a long $TMPDIR is passed over.
    let base = Environment.value("TMPDIR") ?? "/tmp"
    let usable = base.hasPrefix("/") && base.utf8.count <= 64 ? base : "/tmp"
    var template = Array("\(usable)/ucmk-test-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return false }
      return unsafe mkdtemp(start) != nil
    }
    guard made else { throw .cannotStart("mkdtemp in \(usable)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    _ = unsafe unlink("\(path)/ucmkd.sock")
    _ = unsafe rmdir(path)
  }
}
