// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKLinux

/// The variables that a client looks at, read once when it is made.
package struct ClientEnvironment: Sendable {
  /// `$UCMK_SOCKET`, `$UCMK_SCOPE`, `$XDG_RUNTIME_DIR`.
  package var socket: String?, scope: String?, runtimeDirectory: String?
  /// `$MEMORY_PRESSURE_WATCH`, `$MEMORY_PRESSURE_WRITE`.
  package var pressureWatch: String?, pressureWrite: String?

  /// An environment in which nothing is set.
  package init() {}

  /// The environment of this process.
  package static var process: ClientEnvironment {
    var environment = ClientEnvironment()
    environment.socket = Environment.value("UCMK_SOCKET")
    environment.scope = Environment.value("UCMK_SCOPE")
    environment.runtimeDirectory = Environment.value("XDG_RUNTIME_DIR")
    environment.pressureWatch = Environment.value("MEMORY_PRESSURE_WATCH")
    environment.pressureWrite = Environment.value("MEMORY_PRESSURE_WRITE")
    return environment
  }

  /// The system instance.
  package static let systemSocket = "/run/ucmkd/ucmkd.sock"

  /// Where a daemon may listen, in the order in which it is looked for (`docs/PROTOCOL.md` §1).
  ///
  /// None where `$UCMK_SOCKET` switches the client off: `/dev/null`, empty, or no absolute path.
  package var socketPaths: [String] {
    if let socket {
      return socket.hasPrefix("/") && socket != "/dev/null" ? [socket] : []
    }
    guard scope == "user", let runtimeDirectory, runtimeDirectory.hasPrefix("/") else {
      return [ClientEnvironment.systemSocket]
    }
    return ["\(runtimeDirectory)/ucmkd.sock", ClientEnvironment.systemSocket]
  }
}
