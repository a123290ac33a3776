// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Where the daemon's socket is looked for (`docs/PROTOCOL.md` §1).
package enum SocketPath {
  /// The socket of the system instance.
  package static let system = "/run/ucmkd/ucmkd.sock"

  /// The paths to try, in this order.
  ///
  /// - Parameters:
  ///   - option: What `--socket` says; it settles the matter.
  ///   - environment: `UCMK_SOCKET` comes next and settles it too; with `UCMK_SCOPE=user` the user
  ///     instance comes before the system's.
  /// - Returns: At least one path.
  /// - Throws: `switchedOff`, or `usage` where a path cannot be one.
  package static func candidates(
    option: String?,
    environment: [String: String]
  ) throws(ControlError) -> [String] {
    if let option {
      guard !option.isEmpty else { throw .usage("--socket needs a path") }
      return [option]
    }
    if let named = environment["UCMK_SOCKET"] {
      if named.isEmpty || named == "/dev/null" { throw .switchedOff }
      guard named.hasPrefix("/") else {
        throw .usage("UCMK_SOCKET must be an absolute path, not '\(printable(named))'")
      }
      return [named]
    }
    guard environment["UCMK_SCOPE"] == "user" else { return [system] }
    guard let folder = environment["XDG_RUNTIME_DIR"], folder.hasPrefix("/") else {
      return [system]
    }
    return [folder + "/ucmkd.sock", system]
  }
}
