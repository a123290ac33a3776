// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Asks for the ceilings that hold.
public struct LimitGet: EmptyParams, Hashable {
  /// `limit.get`.
  public static let method = Method.limitGet

  /// Makes the params, which are empty.
  public init() {}
}

/// The ceilings that hold, and how short memory is.
public struct LimitGetResult: MessageResult, Hashable {
  /// One for each cache of the session.
  public var caches: [CacheLimit]
  /// The level in force where the client runs.
  public var level: PressureLevel

  /// Makes the result.
  public init(caches: [CacheLimit], level: PressureLevel) {
    self.caches = caches
    self.level = level
  }

  /// Reads it.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(result: JSONValue) throws(RPCError) {
    let reader = try ParamReader(result)
    caches = try reader.requireCacheLimits()
    level = try reader.toldLevel()
  }

  /// Writes the result.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member(limits: caches)
      writer.member("level", level)
    }
  }
}
