// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Sets by hand what counts for one cache in place of what was granted and declared.
public struct CacheOverride: MessageParams, Hashable {
  /// `cache.override`.
  public static let method = Method.cacheOverride

  /// The name of the session, such as `c17`.
  public var session: String
  /// The cache of it.
  public var id: CacheID
  /// 1…10,000.
  public var share: UInt32?
  /// Bytes that are kept below critical.
  public var floor: ByteCount?
  /// Asked from this level on.
  public var minimumLevel: PressureLevel?
  /// How long, or nil for as long as the cache lives.
  public var span: TimeSpan?

  /// Makes the params of an override of nothing; what it sets is set afterwards.
  public init(session: String, id: CacheID) {
    self.session = session
    self.id = id
  }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    session = try reader.requireText("session", WireRange.name)
    id = try reader.requireCacheID()
    share = try reader.unsigned("share", WireRange.grantedShare).map { UInt32($0) }
    floor = try reader.bytes("floor")
    minimumLevel = try reader.askingLevel("min_level")
    span = try reader.milliseconds("for_ms", WireRange.positive)
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("session", session)
      writer.member("id", UInt64(id.number))
      if let share { writer.member("share", UInt64(share)) }
      if let floor { writer.member("floor", floor) }
      if let minimumLevel { writer.member("min_level", minimumLevel) }
      if let span { writer.member("for_ms", milliseconds: span) }
    }
  }
}
