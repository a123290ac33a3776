// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// What the administrator grants to the clients that a rule matches (`[Client …]`).
package struct ClientRule: Sendable, Equatable {
  /// Whom it is about.
  package var match: Match
  /// 1…10,000; nil leaves the default of 100.
  package var share: UInt32?
  /// Honoured whole below critical.
  package var floor: ByteCount?

  /// Makes a rule that grants nothing yet.
  package init(match: Match, share: UInt32? = nil, floor: ByteCount? = nil) {
    self.match = match
    self.share = share
    self.floor = floor
  }

  /// Whom a rule is about.
  package enum Match: Sendable, Hashable {
    /// A component of the cgroup path: the name of a systemd unit.
    case unit(String)
    /// The path of the executable.
    case executable(String)
    /// A cgroup and what is below it.
    case cgroup(String)
    /// A user, by name or number.
    case user(String)
    /// A pattern with `*` and `?` over the client's name.
    case name(String)

    /// Reads `kind:value`.
    ///
    /// - Throws: What was wanted, where the kind is unknown or the value cannot match anything.
    package init(_ text: String) throws(ValueProblem) {
      let wanted = ValueProblem("unit:NAME, exe:PATH, cgroup:PATH, uid:NAME or name:GLOB")
      guard let colon = text.firstIndex(of: ":") else { throw wanted }
      let value = String(text[text.index(after: colon)...])
      guard !value.isEmpty else { throw wanted }
      switch text[..<colon] {
      case "unit": self = .unit(value)
      case "exe":
        guard value.first == "/" else { throw ValueProblem("exe: and an absolute path") }
        self = .executable(value)
      case "cgroup":
        guard value.first == "/" else { throw ValueProblem("cgroup: and an absolute path") }
        self = .cgroup(value)
      case "uid": self = .user(value)
      case "name": self = .name(value)
      default: throw wanted
      }
    }
  }

  /// What is known of a client when the rules are looked through.
  package struct Subject: Sendable {
    /// Its label.
    package var name: String
    /// Its user's number, and name where the system knows one.
    package var user: UInt32, userName: String?
    /// Its v2 cgroup, nil where none is mounted.
    package var cgroup: String?
    /// The path of its executable, nil where it may not be read.
    package var executable: String?

    /// Makes a subject.
    package init(
      name: String,
      user: UInt32,
      userName: String?,
      cgroup: String?,
      executable: String?
    ) {
      self.name = name
      self.user = user
      self.userName = userName
      self.cgroup = cgroup
      self.executable = executable
    }
  }

  /// Whether the rule is about this client.
  package func matches(_ subject: Subject) -> Bool {
    switch match {
    case .unit(let unit):
      return subject.cgroup?.split(separator: "/").contains { $0 == unit } ?? false
    case .executable(let path): return subject.executable == path
    case .cgroup(let path):
      return subject.cgroup != nil && DomainID.cgroup(path).contains(cgroup: subject.cgroup)
    case .user(let user): return subject.userName == user || "\(subject.user)" == user
    case .name(let pattern): return globMatches(Array(pattern.utf8), Array(subject.name.utf8))
    }
  }
}

/// Whether `text` matches `pattern`, where `*` stands for any bytes and `?` for one.
///
/// Linear back-tracking over the last star only, so that no pattern can make it slow.
package func globMatches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
  var at = 0
  var position = 0
  var star: (pattern: Int, text: Int)?
  while position < text.count {
    if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
      star = (at, position)
      at += 1
    } else if at < pattern.count,
      pattern[at] == UInt8(ascii: "?") || pattern[at] == text[position]
    {
      at += 1
      position += 1
    } else if let last = star {
      star = (last.pattern, last.text + 1)
      at = last.pattern + 1
      position = last.text + 1
    } else {
      return false
    }
  }
  return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
}
