// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Changes what a client declared of one cache; what is nil stays.
public struct CacheUpdate: MessageParams, Hashable {
  /// `cache.update`.
  public static let method = Method.cacheUpdate

  /// The cache.
  public var id: CacheID
  /// See `CacheDeclaration.share`.
  public var share: UInt32?
  /// See `CacheDeclaration.floor`.
  public var floor: ByteCount?
  /// See `CacheDeclaration.ceiling`.
  public var ceiling: CeilingChange?
  /// See `CacheDeclaration.costMicrosecondsPerMiB`.
  public var costMicrosecondsPerMiB: UInt32?
  /// See `CacheDeclaration.minimumLevel`.
  public var minimumLevel: PressureLevel?
  /// See `CacheDeclaration.release`.
  public var release: ReleaseKind?
  /// See `CacheDeclaration.labels`; replaces all of them.
  public var labels: [CacheDeclaration.Label]?
  /// See `CacheDeclaration.usage`.
  public var usage: CacheUsage?

  /// What becomes of a ceiling.
  public enum CeilingChange: Sendable, Hashable {
    /// There is none any more.
    case none
    /// It is this.
    case bytes(ByteCount)
  }

  /// Makes a change of nothing; what changes is set afterwards.
  public init(id: CacheID) { self.id = id }

  /// Reads it; a `name` is ignored, as it cannot change.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    id = try reader.requireCacheID()
    share = try reader.share()
    floor = try reader.bytes("floor")
    if let ceiling = try reader.bytesOrNull("ceiling") {
      self.ceiling = ceiling.map(CeilingChange.bytes) ?? CeilingChange.none
    }
    costMicrosecondsPerMiB = try reader.cost()
    minimumLevel = try reader.askingLevel("min_level")
    release = try reader.release()
    labels = try reader.labels()
    usage = try reader.reader("usage")?.usage()
  }

  /// Puts the changes into `cache`.
  public func apply(to cache: inout CacheDeclaration) {
    if let share { cache.share = share }
    if let floor { cache.floor = floor }
    switch ceiling {
    case nil: break
    case CeilingChange.none?: cache.ceiling = nil
    case .bytes(let bytes)?: cache.ceiling = bytes
    }
    if let costMicrosecondsPerMiB { cache.costMicrosecondsPerMiB = costMicrosecondsPerMiB }
    if let minimumLevel { cache.minimumLevel = minimumLevel }
    if let release { cache.release = release }
    if let labels { cache.labels = labels }
    if let usage { cache.usage = usage }
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("id", UInt64(id.number))
      if let share { writer.member("share", UInt64(share)) }
      if let floor { writer.member("floor", floor) }
      switch ceiling {
      case nil: break
      case CeilingChange.none?: writer.member("ceiling", orNull: nil)
      case .bytes(let bytes)?: writer.member("ceiling", bytes)
      }
      if let cost = costMicrosecondsPerMiB { writer.member("cost_us_per_mib", UInt64(cost)) }
      if let minimumLevel { writer.member("min_level", minimumLevel) }
      if let release { writer.member("release", release.wireName) }
      if let labels { writer.member(labels: labels) }
      if let usage { writer.member(object: "usage") { $0.members(of: usage) } }
    }
  }
}
