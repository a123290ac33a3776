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
  /// What has to be there for the daemon to start; of no effect later.
  package var required: [HostRequirement] = []
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
  /// Where in `rules` and in the configuration's domains each one stands.
  var rulePlaces = Places<ClientRule.Match>(), domainPlaces = Places<DomainID>()

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
    let (own, former) = (values, old.values)
    var changed: [String] = []
    for entry in assigned where former[entry.key] != entry.value { changed.append(entry.key) }
    for entry in old.assigned where own[entry.key] == nil { changed.append(entry.key) }
    return changed.sorted()
  }

  private var values: [String: String] {
    Dictionary(assigned.map { ($0.key, $0.value) }) { _, last in last }
  }
}

extension Settings {
  /// Where in a list each value stands: a search through the list for each line of a file would
  /// take minutes for ten thousand sections.
  ///
  /// Follows from the list, so settings that differ in it alone are equal.
  struct Places<Value: Hashable & Sendable>: Sendable, Equatable {
    private var places: [Value: Int] = [:]

    /// The place of `value`; where it is new, it is given `end`.
    mutating func place(of value: Value, orNew end: Int) -> Int {
      if let known = places[value] { return known }
      places[value] = end
      return end
    }

    static func == (left: Places, right: Places) -> Bool { true }
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
