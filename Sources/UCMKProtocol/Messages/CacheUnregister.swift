// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Takes caches back.
public struct CacheUnregister: MessageParams, Hashable {
  /// `cache.unregister`.
  public static let method = Method.cacheUnregister

  /// At most 62; ids that are not known are not counted.
  public var ids: [CacheID]

  /// Makes the params.
  public init(ids: [CacheID]) { self.ids = ids }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    let list = try reader.requireList("ids", 0...WireRange.items.upperBound)
    ids = []
    for value in list.elements {
      let path = ParamPath.root.element(ids.count, of: "ids")
      let element = try ParamReader(nil, path: path)
      ids.append(CacheID(UInt32(try element.number(value, nil, WireRange.cacheID))))
    }
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member(array: "ids") { writer in
        for id in ids { writer.unsigned(UInt64(id.number)) }
      }
    }
  }
}

/// How many caches were taken back.
public struct CacheUnregisterResult: MessageResult, Hashable {
  /// Without those that were not known.
  public var removed: Int

  /// Makes the result.
  public init(removed: Int) { self.removed = removed }

  /// Reads it.
  ///
  /// - Throws: `RPCError.invalidParams` where the number lacks.
  public init(result: JSONValue) throws(RPCError) {
    removed = Int(try ParamReader(result).requireUnsigned("removed", WireRange.count))
  }

  /// Writes the result.
  public func write(to writer: inout JSONWriter) {
    writer.object { $0.member("removed", UInt64(removed)) }
  }
}
