// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKCore
import UCMKModel

/// Everything that `ucmkd.conf` and its drop-ins say, validated.
///
/// The policy's part is `configuration`, a value that the core takes; the rest is the shell's own.
package struct Settings: Sendable, Equatable {
  /// What the core works with.
  package var configuration = Configuration()
  /// Connections of one user at most.
  package var connectionsPerUser = Settings.defaultConnectionsPerUser
  /// Connections in all at most.
  package var connections = Settings.defaultConnections
  /// The group whose members may look at everything; empty for none.
  package var observerGroup = Settings.defaultObserverGroup
  /// The group whose members may change things; empty for none.
  package var adminGroup = ""
  /// What the administrator grants to whom, in file order; the first match counts.
  package var rules: [ClientRule] = []
  /// Each key that was set, as `Section.Key` or `Section argument.Key`, with its text; sorted.
  package var assigned: [Assignment] = []

  /// Makes the defaults.
  package init() {}

  /// `[Limits]`: `docs/PROTOCOL.md` §2.
  package static let defaultConnectionsPerUser = 256, defaultConnections = 4_096
  /// The largest `Connections=` that is taken.
  package static let connectionsMaximum = 16_384
  /// `[Access]`: the group that the package makes.
  package static let defaultObserverGroup = "ucmk"

  /// One key that was set.
  package struct Assignment: Sendable, Equatable {
    /// `Section.Key`, or `Section argument.Key`.
    package var key: String
    /// The text of its value.
    package var value: String
  }

  /// The keys whose text differs between two settings, sorted; what a reload reports.
  package func changes(since old: Settings) -> [String] {
    var changed: [String] = []
    for entry in assigned where old.value(of: entry.key) != entry.value {
      changed.append(entry.key)
    }
    for entry in old.assigned where value(of: entry.key) == nil { changed.append(entry.key) }
    return changed.sorted()
  }

  private func value(of key: String) -> String? {
    assigned.first { $0.key == key }?.value
  }
}

/// Where in which file something is wrong, and what was wanted.
package struct SettingsProblem: Error, Sendable, Equatable {
  /// The file as it was opened.
  package var file: String
  /// Counted from 1; 0 where the file as a whole is meant.
  package var line: Int, column: Int
  /// What is wrong and what was wanted, one sentence.
  package var text: String

  /// `file:line:column: text`, as compilers write it.
  package var description: String {
    line == 0 ? "\(file): \(text)" : "\(file):\(line):\(column): \(text)"
  }
}
