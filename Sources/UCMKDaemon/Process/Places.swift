// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKLinux

/// Where things are, by the options and the environment.
struct Places {
  /// The settings files.
  let settings: SettingsFiles
  /// The socket.
  let socket: String
  /// The permissions of the socket: everybody may connect to the system's, its owner alone to a
  /// user's (`docs/PROTOCOL.md` §1).
  let socketMode: UInt32
  /// Where the flight recorder is dumped to; nil for standard error.
  let state: String?
  /// Where the kernel's files are.
  let proc: String
  /// The v2 hierarchy, nil where none is mounted.
  let cgroup: CgroupMount?

  init(_ options: DaemonOptions) throws(StartProblem) {
    let home = Environment.value("HOME") ?? "/root"
    if let file = options.config {
      settings = .only(file)
    } else if options.isUserInstance {
      let configuration = Environment.value("XDG_CONFIG_HOME") ?? "\(home)/.config"
      settings = .user(configurationHome: configuration)
    } else {
      settings = .system
    }
    if let given = options.socket {
      socket = given
    } else {
      socket = try Places.usualSocket(options)
    }
    socketMode = options.isUserInstance ? 0o600 : 0o666
    state = Environment.value("STATE_DIRECTORY").map { String($0.split(separator: ":")[0]) }
    proc = options.proc ?? "/proc"
    do throws(SystemError) {
      if let root = options.cgroup {
        cgroup = try CgroupMount.at(root)
      } else {
        cgroup = try CgroupMount.find(proc: proc)
      }
    } catch {
      throw StartProblem(.system, error.description)
    }
  }

  private static func usualSocket(_ options: DaemonOptions) throws(StartProblem) -> String {
    if let directory = Environment.value("RUNTIME_DIRECTORY"), !directory.isEmpty {
      return "\(directory.split(separator: ":")[0])/ucmkd.sock"
    }
    guard options.isUserInstance else { return "/run/ucmkd/ucmkd.sock" }
    guard let directory = Environment.value("XDG_RUNTIME_DIR"), !directory.isEmpty else {
      throw StartProblem(.unavailable, "XDG_RUNTIME_DIR is not set; --socket names a socket")
    }
    return "\(directory)/ucmkd.sock"
  }

  /// Makes the folder of the usual socket, as `RuntimeDirectory=` would: for those who start the
  /// daemon by hand.
  func makeRuntimeFolder() {
    guard socket == "/run/ucmkd/ucmkd.sock" else { return }
    // What is wrong with it is told when the socket is bound.
    _ = unsafe mkdir("/run/ucmkd", 0o755)
  }
}
