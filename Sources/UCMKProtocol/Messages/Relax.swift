// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Says that pressure fell: caches may grow to their limits.
public struct Relax: MessageParams, Hashable {
  /// `relax`.
  public static let method = Method.relax

  /// The round that is over.
  public var round: RoundID
  /// The level in force.
  public var level: PressureLevel
  /// The limits that changed; those of other caches stay.
  public var caches: [CacheLimit]?

  /// Makes the params.
  public init(round: RoundID, level: PressureLevel, caches: [CacheLimit]? = nil) {
    self.round = round
    self.level = level
    self.caches = caches
  }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    round = try reader.requireRound()
    level = try reader.toldLevel()
    caches = try reader.cacheLimits()
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("round", round.number)
      writer.member("level", level)
      if let caches { writer.member(limits: caches) }
    }
  }
}
