// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Asks the receiver to stop a request, which it answers all the same.
public struct Cancel: MessageParams, Hashable {
  /// `$/cancel`.
  public static let method = Method.cancel

  /// The request, by the id that the sender of this gave it.
  public var id: RequestID

  /// Makes the params.
  public init(id: RequestID) { self.id = id }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where there is no valid id.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    guard let id = reader.value("id").flatMap(RequestID.init) else {
      throw reader.invalid("id", want: "id of a request")
    }
    self.id = id
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.key("id")
      id.write(to: &writer)
    }
  }
}
