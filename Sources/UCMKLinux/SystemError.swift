// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// A system call that failed.
package struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The name of the call, such as `open`.
  package let call: String
  /// What it was called on, where that has a name.
  package let path: String?
  /// The kernel's number, such as 13 for EACCES.
  package let errno: Int32

  /// Makes the error of `call` on `path`; `errno` is positive.
  package init(call: String, path: String? = nil, errno: Int32) {
    self.call = call
    self.path = path
    self.errno = errno
  }

  /// The name of the number, such as `EACCES`; `errno 4095` for one that the C library has no
  /// name for.
  package var name: String {
    guard let name = unsafe ucmk_errno_name(errno) else { return "errno \(errno)" }
    return unsafe String(cString: name)
  }

  /// One line for people, such as `open /proc/1/status: EACCES (Permission denied)`.
  package var description: String {
    var text = call
    if let path { text += " \(path)" }
    text += ": \(name)"
    if let words = unsafe ucmk_errno_text(errno) {
      text += unsafe " (\(String(cString: words)))"
    }
    return text
  }

  /// Whether the kernel refused for lack of a right (EACCES or EPERM): a state that the
  /// administrator can change, unlike the others.
  package var isPermission: Bool { errno == EACCES || errno == EPERM }

  /// The error of an allocation or descriptor that cannot be had now: EMFILE, ENFILE, ENOMEM,
  /// ENOBUFS.
  package var isExhaustion: Bool {
    errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS
  }

  /// Turns a result of the C layer (negative: the negated errno) into a value or an error.
  @discardableResult
  package static func check<Number: FixedWidthInteger & SignedInteger>(
    _ result: Number,
    _ call: String,
    _ path: String? = nil
  ) throws(SystemError) -> Number {
    guard result < 0 else { return result }
    throw SystemError(call: call, path: path, errno: Int32(clamping: -result))
  }
}
