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
    var (roundPlace, tookPlace): (Range<Int>?, Range<Int>?)
    // What is wrong with the targets is told after what is wrong with the round.
    var wrongTargets: RPCError?
    var hasTargets = false
    var position = try root.insideObject(bytes, result.range).position
    while let (key, start) = JSONValue.nextName(bytes, at: position) {
      if JSONValue.string(bytes, key, equals: "targets") {
        do throws(RPCError) {
          position = try readTargets(bytes, at: start)
          (hasTargets, wrongTargets) = (true, nil)
          continue
        } catch {
          wrongTargets = error
        }
      }
      position = JSONText.endOfValue(bytes, at: start)
      if JSONValue.string(bytes, key, equals: "round") {
        roundPlace = start..<position
      } else if JSONValue.string(bytes, key, equals: "took_ms") {
        tookPlace = start..<position
      }
    }
    do throws(RPCError) {
      round = RoundID(try root.number(bytes, roundPlace, "round", WireRange.count))
      took = .zero
      if let tookPlace {
        took = .milliseconds(try root.number(bytes, tookPlace, "took_ms", WireRange.count))
      }
      if let wrongTargets { throw wrongTargets }
      if !hasTargets { throw root.wrongLength("targets", ShrinkReply.counts) }
    } catch {
      targets.removeAll(keepingCapacity: true)
      throw error
    }
  }

  private static let counts = 0...WireRange.items.upperBound

  /// Reads the list that begins at `start` in one walk: this is read a thousand times a round.
  ///
  /// - Returns: The place behind the list.
  private mutating func readTargets(_ bytes: [UInt8], at start: Int) throws(RPCError) -> Int {
    targets.removeAll(keepingCapacity: true)
    let root = ParamPath.root
    guard bytes[start] == UInt8(ascii: "[") else {
      throw root.wrongLength("targets", ShrinkReply.counts)
    }
    var position = start + 1
    while let element = JSONValue.nextItem(bytes, at: position) {
      guard targets.count < ShrinkReply.counts.upperBound else {
        throw root.wrongLength("targets", ShrinkReply.counts)
      }
      position = element
      do throws(RPCError) {
        let path = root.element(targets.count, of: "targets")
        targets.append(try ShrinkReply.target(bytes, at: &position, path))
      } catch {
        // A list that is too long is told before what stands in it.
        let end = JSONText.endOfValue(bytes, at: start)
        let count = JSONValue(bytes: bytes, start: start, end: end).elementCount
        throw ShrinkReply.counts.contains(count)
          ? error : root.wrongLength("targets", ShrinkReply.counts)
      }
    }
    return JSONText.skipSpace(bytes, at: position, end: bytes.count) + 1
  }

  /// Reads the target that begins at `position` and moves there behind it.
  private static func target(
    _ text: [UInt8],
    at position: inout Int,
    _ path: ParamPath
  ) throws(RPCError) -> Target {
    guard text[position] == UInt8(ascii: "{") else { throw path.invalid(nil, want: "object") }
    position += 1
    let counts = WireRange.count
    var (id, freed, bytes, reclaimable): (UInt64?, UInt64?, UInt64?, UInt64?)
    var hasMore = false
    while let (key, start) = JSONValue.nextName(text, at: position) {
      position = JSONText.endOfValue(text, at: start)
      let value = start..<position
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
    position = JSONText.skipSpace(text, at: position, end: text.count) + 1
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
