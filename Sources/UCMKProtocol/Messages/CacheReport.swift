// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// How large the caches are now: what a client sends most often.
///
/// Meant to be kept and read into again and again: once its list has grown, reading takes no
/// memory. It is a notification, so that a bad one is dropped as a whole and not answered.
public struct CacheReport: MessageParams, Hashable {
  /// `cache.report`.
  public static let method = Method.cacheReport

  /// 1…62 caches in the order of the message; whoever reads checks that the ids are its own.
  public var caches: [Entry] = []

  /// One cache.
  public struct Entry: Sendable, Hashable {
    /// Which.
    public var id: CacheID
    /// Its size now.
    public var usage: CacheUsage

    /// Makes an entry.
    public init(id: CacheID, usage: CacheUsage) {
      self.id = id
      self.usage = usage
    }
  }

  /// Makes an empty report to be read into.
  public init() {}

  /// Makes a report.
  public init(caches: [Entry]) { self.caches = caches }

  /// Reads one.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) { try read(params: params) }

  /// Reads one in place of what was here; after an error the list is empty.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public mutating func read(params: JSONValue?) throws(RPCError) {
    caches.removeAll(keepingCapacity: true)
    let bytes = params?.bytes ?? []
    var list: Range<Int>?
    if let params {
      var (position, end) = try ParamPath.root.insideObject(bytes, params.range)
      while let place = JSONValue.nextMember(bytes, at: &position, end: end) {
        if JSONValue.string(bytes, place.key, equals: "caches") { list = place.value }
      }
    }
    do throws(RPCError) {
      let (root, counts) = (ParamPath.root, WireRange.items)
      try root.elements(bytes, list, "caches", counts) { (path, place) throws(RPCError) in
        caches.append(try CacheReport.entry(bytes, place, path))
      }
    } catch {
      caches.removeAll(keepingCapacity: true)
      throw error
    }
  }

  /// One walk over the entry by places.
  private static func entry(
    _ bytes: [UInt8],
    _ place: Range<Int>,
    _ path: ParamPath
  ) throws(RPCError) -> Entry {
    var id: Range<Int>?
    var usage = UsageMembers()
    var (position, end) = try path.insideObject(bytes, place)
    while let member = JSONValue.nextMember(bytes, at: &position, end: end) {
      if JSONValue.string(bytes, member.key, equals: "id") {
        id = member.value
      } else {
        usage.take(bytes, key: member.key, value: member.value)
      }
    }
    return Entry(
      id: CacheID(UInt32(try path.number(bytes, id, "id", WireRange.cacheID))),
      usage: try usage.usage(path)
    )
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member(array: "caches") { writer in
        for cache in caches {
          writer.object { writer in
            writer.member("id", UInt64(cache.id.number))
            writer.members(of: cache.usage)
          }
        }
      }
    }
  }
}
