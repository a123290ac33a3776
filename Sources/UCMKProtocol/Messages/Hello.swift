// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The first request of every connection (`docs/PROTOCOL.md` §5).
public struct Hello: MessageParams, Hashable {
  /// `hello`.
  public static let method = Method.hello

  /// The versions that the client speaks.
  public var versions: ClosedRange<UInt32>
  /// What the client calls itself: a label for people, 1…64 bytes.
  public var name: String
  /// What else it says of itself, for people; at most 256 bytes each.
  public var version: String?, language: String?, instance: String?
  /// What it can do.
  public var capabilities: Capabilities
  /// Whether it is listed as a client.
  public var kind: SessionKind
  /// What a lost session's `hello` answered, to get its caches back.
  public var resumeToken: String?

  /// How a session is listed; it grants nothing.
  public enum SessionKind: UInt8, Sendable, Hashable {
    /// Holds caches.
    case member
    /// Looks and steers: `ucmkctl`.
    case control
  }

  /// Makes the params with the defaults of the protocol.
  public init(
    name: String,
    versions: ClosedRange<UInt32> = ProtocolVersion.supported,
    capabilities: Capabilities = .shrink,
    kind: SessionKind = .member,
    resumeToken: String? = nil
  ) {
    self.versions = versions
    self.name = name
    self.capabilities = capabilities
    self.kind = kind
    self.resumeToken = resumeToken
  }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    versions = try Hello.versions(reader.requireReader("protocol"))
    let client = try reader.requireReader("client")
    name = try client.requireText("name", WireRange.name)
    version = try client.text("version", WireRange.text)
    language = try client.text("lang", WireRange.text)
    instance = try client.text("instance", WireRange.text)
    capabilities = try Capabilities(reader.reader("capabilities"))
    kind = try Hello.kind(reader)
    // Of any length: a token that is not known is ignored.
    resumeToken = try reader.text("resume", 0...ProtocolLimits().lineIn)
  }

  private static func versions(_ reader: ParamReader) throws(RPCError) -> ClosedRange<UInt32> {
    let lowest = try reader.requireUnsigned("min", WireRange.version)
    let highest = try reader.requireUnsigned("max", lowest...WireRange.version.upperBound)
    return UInt32(lowest)...UInt32(highest)
  }

  private static func kind(_ reader: ParamReader) throws(RPCError) -> SessionKind {
    guard let role = reader.value("role") else { return .member }
    if role.stringEquals("member") { return .member }
    guard role.stringEquals("control") else {
      throw reader.invalid("role", want: "member or control")
    }
    return .control
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member(object: "protocol") { writer in
        writer.member("min", UInt64(versions.lowerBound))
        writer.member("max", UInt64(versions.upperBound))
      }
      writer.member(object: "client") { writer in
        writer.member("name", name)
        if let version { writer.member("version", version) }
        if let language { writer.member("lang", language) }
        if let instance { writer.member("instance", instance) }
      }
      writer.key("capabilities")
      capabilities.write(to: &writer)
      if kind == .control { writer.member("role", "control") }
      if let resumeToken { writer.member("resume", resumeToken) }
    }
  }
}
