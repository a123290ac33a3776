// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
package import UCMKModel
package import UCMKProtocol

extension JSONWriter {
  /// Writes a scope: `{"kind":"host"}`, `{"kind":"cgroup","path":…}` or `{"kind":"manual"}`
  /// (`docs/PROTOCOL.md` §4).
  package mutating func member(_ name: StaticString, scope: Scope) {
    key(name)
    beginObject()
    switch scope {
    case .domain(.host): member("kind", "host" as StaticString)
    case .domain(.cgroup(let path)):
      member("kind", "cgroup" as StaticString)
      member("path", path)
    case .manual: member("kind", "manual" as StaticString)
    }
    endObject()
  }

  /// Writes a string, or null.
  package mutating func member(_ name: StaticString, orNull value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  /// Writes the number of a round, or null.
  package mutating func member(_ name: StaticString, round: RoundID?) {
    key(name)
    if let round { unsigned(round.number) } else { null() }
  }

  /// Writes a number that may be below zero.
  package mutating func member(_ name: StaticString, signed value: Int64) {
    key(name)
    integer(value)
  }

  /// Writes a count.
  package mutating func member(_ name: StaticString, count value: Int) {
    key(name)
    unsigned(UInt64(clamping: value))
  }
}
