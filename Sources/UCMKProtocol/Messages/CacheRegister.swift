// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Declares caches, all or none of them (`docs/PROTOCOL.md` §5).
public struct CacheRegister: MessageParams, Hashable {
  /// `cache.register`.
  public static let method = Method.cacheRegister

  /// 1…62 of them, with names that differ.
  public var caches: [CacheDeclaration]

  /// Makes the params.
  public init(caches: [CacheDeclaration]) { self.caches = caches }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong, or
  ///   `RPCError.alreadyRegistered` where a name comes twice.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    let list = try reader.requireList("caches", WireRange.items)
    caches = []
    caches.reserveCapacity(WireRange.items.upperBound)
    for value in list.elements {
      let path = ParamPath.root.element(caches.count, of: "caches")
      let cache = try CacheRegister.declaration(ParamReader(value, path: path))
      for other in caches where other.name.utf8.elementsEqual(cache.name.utf8) {
        throw .alreadyRegistered(name: cache.name)
      }
      caches.append(cache)
    }
  }

  private static func declaration(_ reader: ParamReader) throws(RPCError) -> CacheDeclaration {
    var cache = CacheDeclaration(name: try name(reader))
    cache.share = try reader.share() ?? cache.share
    cache.floor = try reader.bytes("floor") ?? cache.floor
    cache.ceiling = try reader.bytesOrNull("ceiling") ?? nil
    cache.costMicrosecondsPerMiB = try reader.cost() ?? cache.costMicrosecondsPerMiB
    cache.minimumLevel = try reader.askingLevel("min_level") ?? cache.minimumLevel
    cache.release = try reader.release() ?? cache.release
    cache.labels = try reader.labels() ?? []
    cache.usage = try reader.reader("usage")?.usage() ?? .zero
    return cache
  }

  /// 1…64 of `[a-z0-9][a-z0-9._-]*`.
  private static func name(_ reader: ParamReader) throws(RPCError) -> String {
    guard let name = reader.value("name"), let count = name.utf8Count,
      WireRange.name.contains(count), let text = name.string, isName(text)
    else { throw reader.invalid("name", want: "1...64 of [a-z0-9][a-z0-9._-]*") }
    return text
  }

  /// Whether `text` is made of the characters that a cache's name may have.
  static func isName(_ text: String) -> Bool {
    var isFirst = true
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): break
      case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): if isFirst { return false }
      default: return false
      }
      isFirst = false
    }
    return !isFirst
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member(array: "caches") { writer in
        for cache in caches { CacheRegister.write(cache, to: &writer) }
      }
    }
  }

  private static func write(_ cache: CacheDeclaration, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("name", cache.name)
      writer.member("share", UInt64(cache.share))
      writer.member("floor", cache.floor)
      writer.member("ceiling", orNull: cache.ceiling)
      writer.member("cost_us_per_mib", UInt64(cache.costMicrosecondsPerMiB))
      writer.member("min_level", cache.minimumLevel)
      writer.member("release", cache.release.wireName)
      if !cache.labels.isEmpty { writer.member(labels: cache.labels) }
      writer.member(object: "usage") { $0.members(of: cache.usage) }
    }
  }
}

/// The ids that the daemon gave, in the order of the request.
public struct CacheRegisterResult: MessageResult, Hashable {
  /// One for each cache.
  public var caches: [Entry]

  /// A name and its id.
  public struct Entry: Sendable, Hashable {
    /// The name that was registered.
    public var name: String
    /// The id by which it goes from here on.
    public var id: CacheID

    /// Makes an entry.
    public init(name: String, id: CacheID) {
      self.name = name
      self.id = id
    }
  }

  /// Makes the result.
  public init(caches: [Entry]) { self.caches = caches }

  /// Reads it.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(result: JSONValue) throws(RPCError) {
    let list = try ParamReader(result).requireList("caches", WireRange.items)
    caches = []
    for value in list.elements {
      let path = ParamPath.root.element(caches.count, of: "caches")
      let reader = try ParamReader(value, path: path)
      let name = try reader.requireText("name", WireRange.name)
      caches.append(Entry(name: name, id: try reader.requireCacheID()))
    }
  }

  /// Writes the result.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member(array: "caches") { writer in
        for cache in caches {
          writer.object { writer in
            writer.member("name", cache.name)
            writer.member("id", UInt64(cache.id.number))
          }
        }
      }
    }
  }
}
