// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Reads and writes a scope (`docs/PROTOCOL.md` §4).
enum ScopeReader {
  enum Kind: UInt8, Sendable, Hashable {
    case host, cgroup, manual

    init?(_ value: JSONValue) {
      if value.stringEquals("host") {
        self = .host
      } else if value.stringEquals("cgroup") {
        self = .cgroup
      } else if value.stringEquals("manual") {
        self = .manual
      } else {
        return nil
      }
    }

    var name: StaticString {
      switch self {
      case .host: "host"
      case .cgroup: "cgroup"
      case .manual: "manual"
      }
    }
  }

  /// Reads the scope of a request, in which nothing unknown may stand.
  static func scope(_ reader: ParamReader) throws(RPCError) -> Scope {
    guard let kind = reader.value("kind").flatMap(Kind.init) else {
      throw reader.invalid("kind", want: "host, cgroup or manual")
    }
    switch kind {
    case .host: return .domain(.host)
    case .manual: return .manual
    case .cgroup:
      let path = try reader.requireText("path", WireRange.path)
      guard path.utf8.first == UInt8(ascii: "/") else {
        throw reader.invalid("path", want: "path that begins with /")
      }
      return .domain(.cgroup(path))
    }
  }
}

extension JSONWriter {
  /// Writes a scope.
  public mutating func scope(_ scope: Scope) {
    object { writer in
      switch scope {
      case .domain(.host): writer.member("kind", "host")
      case .domain(.cgroup(let path)):
        writer.member("kind", "cgroup")
        writer.member("path", path)
      case .manual: writer.member("kind", "manual")
      }
    }
  }
}
