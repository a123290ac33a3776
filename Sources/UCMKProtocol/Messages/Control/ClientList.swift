// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Asks for clients, page by page.
public struct ClientList: MessageParams, Hashable {
  /// `client.list`.
  public static let method = Method.clientList

  /// Where the page before ended: the `next` that it gave.
  public var cursor: String?
  /// How many at most: 1…500.
  public var limit = ClientList.defaultLimit
  /// Only these; nil of each means all.
  public var filter = Filter()

  /// `docs/PROTOCOL.md` §7.
  public static let defaultLimit = 100

  /// Which clients are meant; all that is set must hold.
  public struct Filter: Sendable, Hashable {
    /// Those of this user.
    public var userID: UInt32?
    /// Those in this cgroup or below.
    public var cgroup: String?
    /// Those of this name.
    public var name: String?

    /// Makes a filter that lets everything through.
    public init() {}
  }

  /// Makes the params with their defaults.
  public init() {}

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    cursor = try reader.text("cursor", WireRange.text)
    limit = Int(try reader.unsigned("limit", 1...500) ?? UInt64(ClientList.defaultLimit))
    guard let filter = try reader.reader("filter") else { return }
    self.filter.userID = try filter.unsigned("uid", 0...UInt64(UInt32.max)).map { UInt32($0) }
    self.filter.cgroup = try filter.text("cgroup", WireRange.path)
    self.filter.name = try filter.text("name", WireRange.name)
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      if let cursor { writer.member("cursor", cursor) }
      writer.member("limit", UInt64(limit))
      guard filter != Filter() else { return }
      writer.member(object: "filter") { writer in
        if let userID = filter.userID { writer.member("uid", UInt64(userID)) }
        if let cgroup = filter.cgroup { writer.member("cgroup", cgroup) }
        if let name = filter.name { writer.member("name", name) }
      }
    }
  }
}
