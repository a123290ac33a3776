// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Asks who would be asked for what; nothing is sent to anybody.
public struct Plan: MessageParams, Hashable {
  /// `plan`.
  public static let method = Method.plan

  /// How much should come back.
  public var bytes: ByteCount
  /// As if memory were that short: low, medium or critical.
  public var level = PressureLevel.medium
  /// Whose memory, or nil for every client's.
  public var scope: Scope?

  /// Makes the params.
  public init(bytes: ByteCount, level: PressureLevel = .medium, scope: Scope? = nil) {
    self.bytes = bytes
    self.level = level
    self.scope = scope
  }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    bytes = try reader.requireBytes("bytes")
    level = try reader.askingLevel("level") ?? .medium
    if let scope = try reader.reader("scope") { self.scope = try ScopeReader.scope(scope) }
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("bytes", bytes)
      writer.member("level", level)
      if let scope {
        writer.key("scope")
        writer.scope(scope)
      }
    }
  }
}
