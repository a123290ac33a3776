// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What ends a command early, and with which exit code.
package enum ControlError: Error, Hashable {
  /// The daemon answered with an error.
  case refused(RPCError)
  /// The daemon did what was asked and found something wrong; the text is already complete.
  case failed(String)
  /// What was typed makes no sense, though it could be parsed.
  case usage(String)
  /// `$UCMK_SOCKET` is empty or `/dev/null`: nobody is to be talked to.
  case switchedOff
  /// Nobody listens at any of these paths; `reason` is the system's word on the last one.
  case noDaemon(paths: [String], reason: String)
  /// The daemon did not answer in time.
  case silent(method: String, waited: String)
  /// The daemon closed the connection, or the system did.
  case closed(reason: String)
  /// What came back is not the protocol.
  case garbage(String)
  /// Another program that is needed is not there, or ended in a way that it should not.
  case unavailable(String)

  /// What `ucmkctl` exits with.
  package var status: ExitStatus {
    switch self {
    case .refused, .failed: .refused
    case .usage: .usage
    case .switchedOff, .noDaemon, .silent, .closed, .garbage, .unavailable: .unavailable
    }
  }

  /// What is written to standard error, without the name of the program.
  package var message: String {
    switch self {
    case .refused(let error): return error.message
    case .failed(let text), .usage(let text), .unavailable(let text): return text
    case .switchedOff: return "UCMK_SOCKET switches the connection off; name one with --socket"
    case .noDaemon(let paths, let reason):
      return "no daemon at \(paths.joined(separator: " or ")): \(reason)\n"
        + "(start it with `systemctl start ucmkd`, or name its socket with --socket)"
    case .silent(let method, let waited):
      return "the daemon did not answer \(method) within \(waited)"
    case .closed(let reason): return "the daemon is gone: \(reason)"
    case .garbage(let text): return "the peer does not speak the protocol: \(text)"
    }
  }
}

/// What `ucmkctl` exits with, as `sysexits.h` numbers it where that has a number.
package enum ExitStatus: Int32, Sendable, Hashable {
  /// Done; for `doctor`: nothing lacks.
  case done = 0
  /// The daemon refused; for `doctor`: something lacks.
  case refused = 1
  /// `EX_USAGE`: what was typed is wrong.
  case usage = 64
  /// `EX_UNAVAILABLE`: no daemon.
  case unavailable = 69
  /// `EX_IOERR`: the output could not be written.
  case outputFailed = 74
  /// `EX_CONFIG`: the configuration is wrong.
  case configuration = 78
}
