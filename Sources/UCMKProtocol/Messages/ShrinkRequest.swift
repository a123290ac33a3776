// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Asks a client to give memory back: the message for which the rest exists.
///
/// Meant to be kept and read into again and again: with its lists grown once, reading takes no
/// memory, because it is read when there is none.
public struct ShrinkRequest: MessageParams, Hashable {
  /// `shrink`.
  public static let method = Method.shrink

  /// The round, and which attempt of it this is: 1…5.
  public var round: RoundID, attempt: UInt32
  /// How short memory is; a word that is not known counts as low.
  public var level: PressureLevel
  /// When to answer at the latest, from receipt: 50…60,000 ms.
  public var deadline: TimeSpan
  /// 1…62 caches.
  public var targets: [Target] = []
  /// Whether free heap pages should go back to the kernel too.
  public var trim = false
  /// Whether to say what would be freed and free nothing.
  public var isDryRun = false

  /// Where memory is short, in parts, so that the path needs no new memory.
  private var scopeKind = ScopeReader.Kind.host
  private var scopePath: [UInt8] = []

  /// What is asked of one cache.
  public struct Target: Sendable, Hashable {
    /// Which.
    public var id: CacheID
    /// Free this much; more than 0.
    public var bytes: ByteCount
    /// Stay under this until relaxed.
    public var limit: ByteCount?

    /// Makes a target.
    public init(id: CacheID, bytes: ByteCount, limit: ByteCount? = nil) {
      self.id = id
      self.bytes = bytes
      self.limit = limit
    }
  }

  /// Room for a path of the usual length.
  private static let usualPath = 256

  /// Makes an empty request to be read into, with room for every target.
  public init() {
    round = RoundID(0)
    attempt = 1
    level = .none
    deadline = .zero
    targets.reserveCapacity(WireRange.items.upperBound)
    scopePath.reserveCapacity(ShrinkRequest.usualPath)
  }

  /// Reads one.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    self.init()
    try read(params: params)
  }

  /// Where memory is short; a kind that is not known counts as manual.
  public var scope: Scope {
    get {
      switch scopeKind {
      case .host: .domain(.host)
      case .cgroup: .domain(.cgroup(String(decoding: scopePath, as: UTF8.self)))
      case .manual: .manual
      }
    }
    set {
      scopePath.removeAll(keepingCapacity: true)
      switch newValue {
      case .domain(.host): scopeKind = .host
      case .domain(.cgroup(let path)):
        scopeKind = .cgroup
        scopePath.append(contentsOf: path.utf8)
      case .manual: scopeKind = .manual
      }
    }
  }
}

extension ShrinkRequest {
  /// Whether `other` is the scope; unlike reading `scope` this takes no memory.
  public func isScope(_ other: Scope) -> Bool {
    switch other {
    case .domain(.host): scopeKind == .host
    case .domain(.cgroup(let path)): scopeKind == .cgroup && path.utf8.elementsEqual(scopePath)
    case .manual: scopeKind == .manual
    }
  }
}

// MARK: - Reading

extension ShrinkRequest {
  /// Reads a request in place of what was here; after an error only the targets are defined: none.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public mutating func read(params: JSONValue?) throws(RPCError) {
    targets.removeAll(keepingCapacity: true)
    let reader = try ParamReader(params)
    round = try reader.requireRound()
    attempt = UInt32(try reader.requireUnsigned("attempt", WireRange.attempt))
    level = try reader.toldLevel()
    deadline = try reader.requireMilliseconds("deadline_ms", WireRange.deadline)
    trim = try reader.bool("trim") ?? false
    isDryRun = try reader.bool("dry_run") ?? false
    scopeKind = .manual
    scopePath.removeAll(keepingCapacity: true)
    if let scope = try reader.reader("scope") {
      scopeKind = scope.value("kind").flatMap(ScopeReader.Kind.init) ?? .manual
      if scopeKind == .cgroup, let path = scope.value("path") {
        scopePath.append(contentsOf: path.stringBytes)
      }
    }
    do throws(RPCError) {
      try readTargets(reader)
    } catch {
      targets.removeAll(keepingCapacity: true)
      throw error
    }
  }

  private mutating func readTargets(_ reader: ParamReader) throws(RPCError) {
    let list = reader.value("targets")
    let bytes = list?.bytes ?? []
    try reader.path.elements(bytes, list?.range, "targets", WireRange.items) {
      (path, place) throws(RPCError) in
      targets.append(try ShrinkRequest.target(bytes, place, path))
    }
  }

  private static func target(
    _ text: [UInt8],
    _ place: Range<Int>,
    _ path: ParamPath
  ) throws(RPCError) -> Target {
    var (id, bytes, limit): (Range<Int>?, Range<Int>?, Range<Int>?)
    var (position, end) = try path.insideObject(text, place)
    while let member = JSONValue.nextMember(text, at: &position, end: end) {
      if JSONValue.string(text, member.key, equals: "id") {
        id = member.value
      } else if JSONValue.string(text, member.key, equals: "bytes") {
        bytes = member.value
      } else if JSONValue.string(text, member.key, equals: "limit") {
        limit = member.value
      }
    }
    var target = Target(
      id: CacheID(UInt32(try path.number(text, id, "id", WireRange.cacheID))),
      bytes: ByteCount(try path.number(text, bytes, "bytes", WireRange.positive))
    )
    if let limit {
      target.limit = ByteCount(try path.number(text, limit, "limit", WireRange.count))
    }
    return target
  }
}

// MARK: - Writing

extension ShrinkRequest {
  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("round", round.number)
    writer.member("attempt", UInt64(attempt))
    writer.member("level", level)
    writer.key("scope")
    writer.beginObject()
    writer.member("kind", scopeKind.name)
    if scopeKind == .cgroup {
      writer.key("path")
      writer.string(utf8: scopePath)
    }
    writer.endObject()
    writer.member("deadline_ms", milliseconds: deadline)
    writer.key("targets")
    writer.beginArray()
    for target in targets {
      writer.beginObject()
      writer.member("id", UInt64(target.id.number))
      writer.member("bytes", target.bytes)
      if let limit = target.limit { writer.member("limit", limit) }
      writer.endObject()
    }
    writer.endArray()
    writer.member("trim", trim)
    writer.member("dry_run", isDryRun)
    writer.endObject()
  }
}
