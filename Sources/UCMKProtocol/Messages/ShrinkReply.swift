// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// What a client did about a `shrink`; every number in it is a claim.
///
/// Meant to be kept and read into again and again, as `ShrinkRequest`.
public struct ShrinkReply: MessageResult, Hashable {
  /// The round that is answered.
  public var round: RoundID
  /// What became of each cache; at most 62.
  public var targets: [Target] = []
  /// How long it took.
  public var took: TimeSpan

  /// What became of one cache.
  public struct Target: Sendable, Hashable {
    /// Which.
    public var id: CacheID
    /// Freed for this request; may exceed what was asked.
    public var freed: ByteCount
    /// The size of the cache now.
    public var bytes: ByteCount
    /// How much of it could still go; at most `bytes`, to which a reader cuts it.
    public var reclaimable: ByteCount
    /// Whether more comes of this request: freed later than in time.
    public var hasMore: Bool

    /// Makes a target.
    public init(
      id: CacheID,
      freed: ByteCount,
      bytes: ByteCount,
      reclaimable: ByteCount,
      hasMore: Bool
    ) {
      self.id = id
      self.freed = freed
      self.bytes = bytes
      self.reclaimable = min(bytes, reclaimable)
      self.hasMore = hasMore
    }
  }

  /// Makes an empty reply to be read into or filled, with room for every target.
  public init() {
    round = RoundID(0)
    took = .zero
    targets.reserveCapacity(WireRange.items.upperBound)
  }

  /// Reads one.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(result: JSONValue) throws(RPCError) {
    self.init()
    try read(result: result)
  }

  /// The sum of what the client says it freed.
  public var freed: ByteCount { targets.reduce(.zero) { $0 + $1.freed } }
}

// MARK: - Reading

extension ShrinkReply {
  /// Reads a reply in place of what was here; after an error only the targets are defined: none.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public mutating func read(result: JSONValue) throws(RPCError) {
    targets.removeAll(keepingCapacity: true)
    let root = ParamPath.root
    let bytes = result.bytes
    var (roundPlace, tookPlace, list): (Range<Int>?, Range<Int>?, Range<Int>?)
    var (position, end) = try root.insideObject(bytes, result.range)
    while let place = JSONValue.nextMember(bytes, at: &position, end: end) {
      if JSONValue.string(bytes, place.key, equals: "round") {
        roundPlace = place.value
      } else if JSONValue.string(bytes, place.key, equals: "targets") {
        list = place.value
      } else if JSONValue.string(bytes, place.key, equals: "took_ms") {
        tookPlace = place.value
      }
    }
    round = RoundID(try root.number(bytes, roundPlace, "round", WireRange.count))
    took = .zero
    if let tookPlace {
      took = .milliseconds(try root.number(bytes, tookPlace, "took_ms", WireRange.count))
    }
    do throws(RPCError) {
      let counts = 0...WireRange.items.upperBound
      try root.elements(bytes, list, "targets", counts) { (path, place) throws(RPCError) in
        targets.append(try ShrinkReply.target(bytes, place, path))
      }
    } catch {
      targets.removeAll(keepingCapacity: true)
      throw error
    }
  }

  /// One walk over the target by places: this is read a thousand times a round.
  private static func target(
    _ text: [UInt8],
    _ place: Range<Int>,
    _ path: ParamPath
  ) throws(RPCError) -> Target {
    let counts = WireRange.count
    var (id, freed, bytes, reclaimable): (UInt64?, UInt64?, UInt64?, UInt64?)
    var hasMore = false
    var (position, end) = try path.insideObject(text, place)
    while let member = JSONValue.nextMember(text, at: &position, end: end) {
      let (key, value) = member
      if JSONValue.string(text, key, equals: "id") {
        id = try path.number(text, value, "id", WireRange.cacheID)
      } else if JSONValue.string(text, key, equals: "freed") {
        freed = try path.number(text, value, "freed", counts)
      } else if JSONValue.string(text, key, equals: "bytes") {
        bytes = try path.number(text, value, "bytes", counts)
      } else if JSONValue.string(text, key, equals: "reclaimable") {
        reclaimable = try path.number(text, value, "reclaimable", counts)
      } else if JSONValue.string(text, key, equals: "more") {
        hasMore = try path.bool(text, value, "more")
      }
    }
    guard let id else { throw path.invalid("id", want: WireRange.text(WireRange.cacheID)) }
    guard let freed else { throw path.invalid("freed", want: WireRange.text(counts)) }
    guard let bytes else { throw path.invalid("bytes", want: WireRange.text(counts)) }
    guard let reclaimable else {
      throw path.invalid("reclaimable", want: WireRange.text(counts))
    }
    return Target(
      id: CacheID(UInt32(id)),
      freed: ByteCount(freed),
      bytes: ByteCount(bytes),
      reclaimable: ByteCount(reclaimable),
      hasMore: hasMore
    )
  }
}

// MARK: - Writing

extension ShrinkReply {
  /// Writes the result.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("round", round.number)
    writer.key("targets")
    writer.beginArray()
    for target in targets {
      writer.beginObject()
      writer.member("id", UInt64(target.id.number))
      writer.member("freed", target.freed)
      writer.member("bytes", target.bytes)
      writer.member("reclaimable", target.reclaimable)
      writer.member("more", target.hasMore)
      writer.endObject()
    }
    writer.endArray()
    writer.member("took_ms", milliseconds: took)
    writer.endObject()
  }
}
