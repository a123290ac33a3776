// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where text goes.
package protocol TextSink: AnyObject {
  /// Takes `text` whole, or notes a failure.
  func write(_ text: String)

  /// The error number of the first write that failed; nil as long as none has.
  var failure: Int32? { get }
}

/// A sink that keeps what it is given.
package final class MemorySink: TextSink {
  /// All text so far.
  package private(set) var text = ""

  /// Makes an empty sink.
  package init() {}

  /// Keeps `text`.
  package func write(_ text: String) { self.text += text }

  /// Nothing can fail here.
  package var failure: Int32? { nil }
}

/// An open file of the process.
package final class FileSink: TextSink {
  /// The errno of the first write that failed; nothing is written after it.
  package private(set) var failure: Int32?

  private let descriptor: Int32

  /// Makes a sink that writes to `descriptor` and does not close it.
  package init(descriptor: Int32) { self.descriptor = descriptor }

  /// Writes all of `text`, unless an earlier write failed.
  package func write(_ text: String) {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count, failure == nil {
      let count = unsafe bytes[written...].withUnsafeBytes { room in
        unsafe Glibc.write(descriptor, room.baseAddress, room.count)
      }
      if count >= 0 {
        written += count
      } else if errno != EINTR {
        failure = errno
      }
    }
  }
}
