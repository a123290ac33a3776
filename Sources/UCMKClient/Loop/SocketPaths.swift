// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKLinux

/// Where a daemon may listen, in the order in which it is looked for (`docs/PROTOCOL.md` §1).
package enum SocketPaths {
  /// The system instance.
  package static let system = "/run/ucmkd/ucmkd.sock"

  /// The paths that these variables mean; none where they switch the client off.
  ///
  /// - Parameters:
  ///   - socket: `$UCMK_SOCKET`: an absolute path; anything else, and `/dev/null`, switches off.
  ///   - scope: `$UCMK_SCOPE`: with `user` the user's own daemon comes first.
  ///   - runtimeDirectory: `$XDG_RUNTIME_DIR`.
  package static func automatic(
    socket: String?,
    scope: String?,
    runtimeDirectory: String?
  ) -> [String] {
    if let socket {
      return socket.hasPrefix("/") && socket != "/dev/null" ? [socket] : []
    }
    guard scope == "user", let runtimeDirectory, runtimeDirectory.hasPrefix("/") else {
      return [system]
    }
    return ["\(runtimeDirectory)/ucmkd.sock", system]
  }

  /// The paths that the environment of this process means.
  package static func automatic() -> [String] {
    automatic(
      socket: Environment.value("UCMK_SOCKET"),
      scope: Environment.value("UCMK_SCOPE"),
      runtimeDirectory: Environment.value("XDG_RUNTIME_DIR")
    )
  }
}
