// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Asks for a round now.
public struct Trigger: MessageParams, Hashable {
  /// `trigger`.
  public static let method = Method.trigger

  /// How much should come back; nil lets the daemon decide.
  public var bytes: ByteCount?
  /// As if memory were that short: low, medium or critical.
  public var level = PressureLevel.medium
  /// Whose memory; manual means every client's.
  public var scope = Scope.manual
  /// Whether the clients are asked to free nothing and say what they would.
  public var isDryRun = false
  /// Whether the answer comes when the round is closed, or at once.
  public var waits = true
  /// How long the clients have: 50…60,000 ms.
  public var timeout = Trigger.defaultTimeout

  /// `docs/PROTOCOL.md` §7.
  public static let defaultTimeout = TimeSpan.milliseconds(5_000)

  /// Makes the params with their defaults.
  public init() {}

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    bytes = try reader.bytes("bytes")
    level = try reader.askingLevel("level") ?? .medium
    if let scope = try reader.reader("scope") { self.scope = try ScopeReader.scope(scope) }
    isDryRun = try reader.bool("dry_run") ?? false
    waits = try reader.bool("wait") ?? true
    timeout = try reader.milliseconds("timeout_ms", WireRange.deadline) ?? Trigger.defaultTimeout
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      if let bytes { writer.member("bytes", bytes) }
      writer.member("level", level)
      writer.key("scope")
      writer.scope(scope)
      writer.member("dry_run", isDryRun)
      writer.member("wait", waits)
      writer.member("timeout_ms", milliseconds: timeout)
    }
  }
}
