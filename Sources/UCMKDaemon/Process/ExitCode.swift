// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// How the daemon's process ends (`ucmkd(8)`; the numbers are those of sysexits.h).
package enum ExitCode: Int32, Sendable, CaseIterable {
  /// It was told to stop, and did.
  case stopped = 0
  /// The command line is not understood.
  case usage = 64
  /// Something that it needs is not there; the message names it.
  case unavailable = 69
  /// An invariant is broken.
  case broken = 70
  /// A system call failed.
  case system = 71
  /// Not permitted.
  case notPermitted = 77
  /// The settings or a recording are wrong.
  case configuration = 78
}

/// Why the daemon does not start or go on, for people.
struct StartProblem: Error {
  var code: ExitCode
  var text: String

  init(_ code: ExitCode, _ text: String) {
    self.code = code
    self.text = text
  }
}
