// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel
package import UCMKProtocol

/// The cgroups that a request can name: made when the session begins, so that a request's scope
/// takes no memory when it comes.
package struct KnownScopes: Sendable {
  /// What is known.
  package private(set) var scopes: [Scope] = [.domain(.host), .manual]

  /// Knows the host and "a person asked".
  package init() {}

  /// Learns `path` and everything above it: pressure in any of them concerns this process.
  package mutating func learn(_ path: String) {
    scopes = [.domain(.host), .manual]
    var rest = Substring(path)
    while let slash = rest.utf8.lastIndex(of: UInt8(ascii: "/")), rest.utf8.count > 1 {
      scopes.append(.domain(.cgroup(String(rest))))
      rest = rest[..<slash]
    }
    scopes.append(.domain(.cgroup("/")))
  }

  /// The scope of `message`: a known one where it is one, else made anew.
  package func scope(of message: UCMKProtocol.ShrinkRequest) -> Scope {
    for scope in scopes where message.isScope(scope) { return scope }
    return message.scope
  }
}
