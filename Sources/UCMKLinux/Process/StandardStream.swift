// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// The standard streams, by write(2): the C library's streams are not safe to share in Swift.
package enum StandardStream {
  /// Writes as much as the stream takes.
  ///
  /// Nothing is reported: whoever writes to a log that is gone has nobody to tell.
  package static func write(_ bytes: [UInt8], to fd: Int32) {
    var start = 0
    while start < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[start...])
        return unsafe ucmk_write(fd, rest.baseAddress, rest.count)
      }
      guard count > 0 else { return }
      start += count
    }
  }

  /// Writes a text and a line feed.
  package static func writeLine(_ text: String, to fd: Int32) {
    write(Array("\(text)\n".utf8), to: fd)
  }

  /// The device and inode of a stream, as `$JOURNAL_STREAM` writes them: `8:123`; nil where it is
  /// closed.
  package static func identity(of fd: Int32) -> String? {
    var found = ucmk_identity()
    guard unsafe ucmk_identify(fd, &found) == 0 else { return nil }
    return "\(found.device):\(found.inode)"
  }
}
