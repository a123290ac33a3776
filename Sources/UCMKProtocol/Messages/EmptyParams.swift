// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Params of a method that takes none: an object, in which every member is unknown and ignored.
public protocol EmptyParams: MessageParams {
  /// Makes them.
  init()
}

extension EmptyParams {
  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where they are no object.
  public init(params: JSONValue?) throws(RPCError) {
    if let params, params.kind != .object {
      throw ParamPath.root.invalid(nil, want: "object")
    }
    self.init()
  }

  /// Writes an empty object.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.endObject()
  }
}

/// The answer of a method that has nothing to say but that it is done.
public struct EmptyResult: MessageResult, Hashable {
  /// Makes it.
  public init() {}

  /// Reads it, whatever is in it.
  public init(result: JSONValue) throws(RPCError) {
    guard result.kind == .object else { throw ParamPath.root.invalid(nil, want: "object") }
  }

  /// Writes the result.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.endObject()
  }
}
