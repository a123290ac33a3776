// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Tells every session with a cache what became of the daemon.
public struct Notice: MessageParams, Hashable {
  /// `notice`.
  public static let method = Method.notice

  /// What happened.
  public enum Kind: UInt8, Sendable, Hashable, CaseIterable {
    /// The configuration was read again.
    case reload
    /// No rounds until further notice.
    case paused
    /// Rounds again.
    case resumed
    /// More is asked of the daemon than it can do.
    case overloaded

    var wireName: StaticString {
      switch self {
      case .reload: "reload"
      case .paused: "paused"
      case .resumed: "resumed"
      case .overloaded: "overloaded"
      }
    }
  }

  /// What happened, or nil where it is something that this version does not know.
  public var kind: Kind?
  /// More of it, for people.
  public var text: String?

  /// Makes the params.
  public init(kind: Kind, text: String? = nil) {
    self.kind = kind
    self.text = text
  }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where a member is no text.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    guard let word = reader.value("kind"), word.kind == .string else {
      throw reader.invalid("kind", want: "reload, paused, resumed or overloaded")
    }
    for kind in Kind.allCases where word.stringEquals(kind.wireName) { self.kind = kind }
    text = try reader.text("text", 0...WireRange.path.upperBound)
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      if let kind { writer.member("kind", kind.wireName) }
      if let text { writer.member("text", text) }
    }
  }
}
