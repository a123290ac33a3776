// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// A level that something can be asked at.
package enum LevelArgument: String, ExpressibleByArgument, CaseIterable, Sendable {
  case low, medium, critical

  /// This level as the wire carries it.
  package var json: JSONValue { .string(rawValue) }
}

/// What `watch` can be told about.
package enum TopicArgument: String, ExpressibleByArgument, CaseIterable, Sendable {
  case pressure, rounds, clients, status
}

/// A cgroup by its v2 path: `/system.slice/shop.service`.
///
/// The path as the file system shows it is taken too, for that is what completion gives.
package struct CgroupArgument: ExpressibleByArgument, Sendable, Hashable {
  /// From the root of the v2 hierarchy; begins with `/` and does not end with one.
  package let path: String

  /// Reads `argument`; nil where it is no absolute path.
  package init?(argument: String) {
    guard argument.hasPrefix("/") else { return nil }
    var path = argument[...]
    for mount in ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
    where path == mount || path.hasPrefix(mount + "/") {
      path = path.dropFirst(mount.count)
      break
    }
    while path.hasSuffix("/") { path.removeLast() }
    self.path = path.isEmpty ? "/" : String(path)
  }

  /// The scope that this cgroup is.
  package var json: JSONValue { ["kind": "cgroup", "path": .string(path)] }
}

/// A round by its number, or the newest.
package enum RoundArgument: ExpressibleByArgument, Sendable, Hashable {
  case number(Int64)
  case last

  /// Reads a positive number or `last`.
  package init?(argument: String) {
    if argument == "last" {
      self = .last
    } else if let number = Int64(argument), number > 0 {
      self = .number(number)
    } else {
      return nil
    }
  }
}
