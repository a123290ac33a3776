// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The scope whose memory is short: the whole host, or one cgroup and what is below it.
public enum DomainID: Sendable, Hashable {
  /// The machine, as `/proc` shows it.
  case host
  /// A cgroup, by its path from the root of the v2 hierarchy, beginning with `/`.
  case cgroup(String)

  /// What people are shown: `host` or the path.
  public var name: String {
    switch self {
    case .host: "host"
    case .cgroup(let path): path
    }
  }

  /// Whether a process in the cgroup `path` belongs to this domain.
  ///
  /// - Parameter path: The v2 path of the process, or nil where no v2 hierarchy is mounted: such a
  ///   process belongs to the host alone.
  /// - Returns: True for the cgroup itself and everything below it.
  public func contains(cgroup path: String?) -> Bool {
    switch self {
    case .host: return true
    case .cgroup(let root):
      guard let path else { return false }
      if root == "/" { return true }
      guard path.utf8.starts(with: root.utf8) else { return false }
      return path.utf8.count == root.utf8.count
        || path.utf8.dropFirst(root.utf8.count).first == UInt8(ascii: "/")
    }
  }
}

/// Why a round runs, as clients are told (`docs/PROTOCOL.md` §4).
public enum Scope: Sendable, Hashable {
  /// A domain is short.
  case domain(DomainID)
  /// A person asked, and every client is meant.
  case manual
}
