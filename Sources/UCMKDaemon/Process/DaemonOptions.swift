// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKSystemd

/// What the command line says (`ucmkd(8)`).
package struct DaemonOptions: Sendable, Equatable {
  /// What to do.
  package enum Command: Sendable, Equatable {
    /// Serve.
    case serve
    /// Tell what this host allows and what the settings say.
    case check
    /// A recording through the core.
    case replay(String)
    /// The release.
    case version
    /// The options.
    case help
  }

  /// What to do.
  package var command = Command.serve
  /// The settings file instead of the usual ones.
  package var config: String?
  /// The socket instead of the usual one.
  package var socket: String?
  /// The roots instead of `/proc` and the v2 mount.
  package var proc: String?, cgroup: String?
  /// Whether this is a user's instance.
  package var isUserInstance = false
  /// Where every event is written to.
  package var record: String?
  /// Log records that matter less are dropped.
  package var logLevel = LogLevel.info

  /// Makes the defaults.
  package init() {}

  /// Something on the command line that is not understood, for people.
  package struct Problem: Error, Sendable, Equatable {
    /// What is wrong and what was wanted.
    package var text: String
  }

  /// Reads the arguments behind the program's name.
  ///
  /// `--option VALUE` and `--option=VALUE` are the same.
  ///
  /// - Throws: What is wrong with the first argument that is.
  package init(_ arguments: [String]) throws(Problem) {
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      let equals = argument.firstIndex(of: "=")
      let name = equals.map { String(argument[..<$0]) } ?? argument
      var inline = equals.map { String(argument[argument.index(after: $0)...]) }
      func value() throws(Problem) -> String {
        if let text = inline {
          inline = nil
          guard !text.isEmpty else { throw Problem(text: "\(name) wants a value") }
          return text
        }
        index += 1
        guard index < arguments.count, !arguments[index].isEmpty else {
          throw Problem(text: "\(name) wants a value")
        }
        return arguments[index]
      }
      switch name {
      case "--config": config = try value()
      case "--socket": socket = try value()
      case "--proc": proc = try value()
      case "--cgroup": cgroup = try value()
      case "--record": record = try value()
      case "--replay": command = .replay(try value())
      case "--log-level":
        let text = try value()
        guard let level = LogLevel(name: text) else {
          throw Problem(
            text: "--log-level wants one of "
              + LogLevel.allCases.map(\.name).joined(separator: ", ") + ", not \(text)"
          )
        }
        logLevel = level
      case "--user": isUserInstance = true
      case "--check": command = .check
      case "--version": command = .version
      case "--help", "-h": command = .help
      default: throw Problem(text: "unknown argument \(argument); --help lists the options")
      }
      if inline != nil { throw Problem(text: "\(name) takes no value") }
      index += 1
    }
  }

  /// What `--help` prints.
  package static let help = """
    usage: ucmkd [--config FILE] [--socket PATH] [--proc DIR] [--cgroup DIR] [--user]
                 [--record FILE] [--log-level LEVEL]
           ucmkd --check [--config FILE]
           ucmkd --replay FILE
           ucmkd --version

    Asks programs to give back cache memory when the host or a cgroup runs short of it.

      --config FILE      settings instead of /etc/ucmkd/ucmkd.conf and its drop-ins
      --socket PATH      socket instead of /run/ucmkd/ucmkd.sock
      --proc DIR         root instead of /proc
      --cgroup DIR       root instead of the mounted v2 hierarchy
      --user             serve one user: own socket, own administrator
      --record FILE      write every event to FILE, for --replay
      --log-level LEVEL  error, warning, notice, info (default) or debug
      --check            tell what this host allows and what the settings say
      --replay FILE      run a recording through the policy and print what it decides
      --version          print the release
      --help             print this text

    """
}
