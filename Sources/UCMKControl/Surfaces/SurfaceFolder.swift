// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The drop-ins that grant the daemon's unit more than it has, one a surface, and which of them are
/// in force: those that a link in the unit's folder points to, as `systemctl enable` does it.
package struct SurfaceFolder {
  /// One of them.
  package struct Surface: Sendable, Hashable {
    /// What it is called.
    package let name: String
    /// What it is for, in a line.
    package let meaning: String
    /// The settings of the unit that it changes.
    package let grants: [String]
    /// Whether it is in force, or will be when the service is started again.
    package let isEnabled: Bool
  }

  private static let unitFolder = "/etc/systemd/system/ucmkd.service.d"

  /// Put before every path, for systems that are made elsewhere; nothing for this one.
  private let root: String
  /// Where the drop-ins lie, without the root.
  private let shipped: String

  /// Finds the drop-ins.
  ///
  /// - Parameters:
  ///   - root: Put before every path.
  ///   - programFolder: Where this program lies; they are looked for beside it first.
  /// - Throws: `unavailable` where they are nowhere.
  package init(root: String, programFolder: String?) throws(ControlError) {
    var root = root
    while root.hasSuffix("/") { root.removeLast() }
    let suffix = "/lib/ucmkd/surfaces"
    let prefix = programFolder.flatMap { $0.hasSuffix("/bin") ? String($0.dropLast(4)) : nil }
    let places = (prefix.map { [$0] } ?? []) + ["/usr", "/usr/local"]
    guard let found = places.first(where: { HostFiles.exists(root + $0 + suffix) }) else {
      throw .unavailable("no folder \(root)/usr\(suffix): is ucmkd installed?")
    }
    self.root = root
    shipped = found + suffix
  }

  /// All that there are, by name.
  package var surfaces: [Surface] {
    HostFiles.names(in: root + shipped).compactMap { file in
      guard file.hasSuffix(".conf"), !file.hasPrefix(".") else { return nil }
      let name = String(file.dropLast(5))
      let lines = (HostFiles.textIfAny("\(root)\(shipped)/\(file)") ?? "").split(separator: "\n")
      let words = lines.filter { $0.hasPrefix("# ") && !$0.hasPrefix("# SPDX-") }
      return Surface(
        name: name,
        meaning: words.first.map { String($0.dropFirst(2)) } ?? "",
        grants: lines.filter { $0.contains("=") && !$0.hasPrefix("#") }.map { String($0) },
        isEnabled: kind(of: link(name)) != nil
      )
    }
  }

  /// Puts a surface into force for the service's next start.
  ///
  /// - Returns: Whether it was not in force already.
  package func enable(_ surface: Surface) throws(ControlError) -> Bool {
    guard !surface.isEnabled else { return false }
    try makeFolder()
    let path = link(surface.name)
    guard unsafe symlink("\(shipped)/\(surface.name).conf", root + path) == 0 else {
      throw refusal(path, errno)
    }
    return true
  }

  /// Takes a surface out of force for the service's next start.
  ///
  /// - Returns: Whether it was in force.
  package func disable(_ surface: Surface) throws(ControlError) -> Bool {
    let path = link(surface.name)
    switch kind(of: path) {
    case nil: return false
    case .some(let mode) where mode & S_IFMT != S_IFLNK:
      throw .failed("\(root)\(path) is a file of somebody's own: remove it by hand")
    default: break
    }
    guard unsafe unlink(root + path) == 0 else { throw refusal(path, errno) }
    return true
  }

  /// Where the link of a surface is, without the root.
  package func link(_ name: String) -> String {
    "\(SurfaceFolder.unitFolder)/surface-\(name).conf"
  }

  private func kind(of path: String) -> mode_t? {
    var found = stat()
    return unsafe lstat(root + path, &found) == 0 ? found.st_mode : nil
  }

  private func makeFolder() throws(ControlError) {
    var path = ""
    for part in SurfaceFolder.unitFolder.split(separator: "/") {
      path += "/\(part)"
      guard unsafe mkdir(root + path, 0o755) == 0 || errno == EEXIST else {
        throw refusal(path, errno)
      }
    }
  }

  private func refusal(_ path: String, _ number: Int32) -> ControlError {
    let advice = number == EACCES || number == EPERM ? " (be root)" : ""
    return .failed("\(root)\(path): \(systemMessage(number))\(advice)")
  }
}
