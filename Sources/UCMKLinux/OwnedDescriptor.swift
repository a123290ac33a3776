// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// A file descriptor that is closed when nothing refers to it any more.
///
/// A class and not a move-only value, so that it can be kept in arrays, dictionaries and other
/// classes. Whoever keeps only `raw` must keep the object alive too, or the number may come to
/// mean another file.
package final class OwnedDescriptor: Sendable {
  /// The kernel's number, zero or more.
  package let raw: Int32

  /// Takes over `raw`, which nobody else may close from now on.
  package init(_ raw: Int32) {
    precondition(raw >= 0, "a descriptor is zero or more")
    self.raw = raw
  }

  deinit { ucmk_close(raw) }

  /// Takes over the descriptor that a call of the C layer returned, or throws its error.
  convenience init(
    checking result: Int32,
    _ call: String,
    _ path: String? = nil
  ) throws(SystemError) {
    self.init(try SystemError.check(result, call, path))
  }

  /// Makes the descriptor close-on-exec, and reads and writes on it blocking or not.
  package func setNonblocking(_ nonblocking: Bool) throws(SystemError) {
    try SystemError.check(ucmk_set_flags(raw, nonblocking ? 1 : 0), "fcntl")
  }
}
