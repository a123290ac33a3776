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
    let reader = try ParamReader(result)
    round = try reader.requireRound()
    took = try reader.milliseconds("took_ms") ?? .zero
    do throws(RPCError) {
      let list = try reader.requireList("targets", 0...WireRange.items.upperBound)
      for value in list.elements {
        let path = ParamPath.root.element(targets.count, of: "targets")
        targets.append(try ShrinkReply.target(ParamReader(value, path: path)))
      }
    } catch {
      targets.removeAll(keepingCapacity: true)
      throw error
    }
  }

  /// One walk over the target: this is read a thousand times a round.
  private static func target(_ reader: ParamReader) throws(RPCError) -> Target {
    var (id, freed, bytes, reclaimable): (UInt64?, UInt64?, UInt64?, UInt64?)
    var hasMore = false
    if let object = reader.object {
      for member in object.members {
        if member.key.stringEquals("id") {
          id = try reader.number(member.value, "id", WireRange.cacheID)
        } else if member.key.stringEquals("freed") {
          freed = try reader.number(member.value, "freed", WireRange.count)
        } else if member.key.stringEquals("bytes") {
          bytes = try reader.number(member.value, "bytes", WireRange.count)
        } else if member.key.stringEquals("reclaimable") {
          reclaimable = try reader.number(member.value, "reclaimable", WireRange.count)
        } else if member.key.stringEquals("more") {
          guard let more = member.value.bool else {
            throw reader.invalid("more", want: "true or false")
          }
          hasMore = more
        }
      }
    }
    guard let id else { throw reader.invalid("id", want: WireRange.text(WireRange.cacheID)) }
    let counts = WireRange.count
    guard let freed else { throw reader.invalid("freed", want: WireRange.text(counts)) }
    guard let bytes else { throw reader.invalid("bytes", want: WireRange.text(counts)) }
    guard let reclaimable else {
      throw reader.invalid("reclaimable", want: WireRange.text(counts))
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
