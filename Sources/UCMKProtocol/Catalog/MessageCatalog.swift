// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The one list of messages: what `rpc.discover` answers with and what documents are tested
/// against.
public enum MessageCatalog {
  /// Who sends a message.
  public enum Direction: UInt8, Sendable, Hashable {
    /// A client, to the daemon.
    case clientToDaemon
    /// The daemon, to a client.
    case daemonToClient
    /// Either.
    case both

    /// The words in `rpc.discover`.
    public var name: StaticString {
      switch self {
      case .clientToDaemon: "client-to-daemon"
      case .daemonToClient: "daemon-to-client"
      case .both: "both"
      }
    }
  }

  /// Whether a message wants an answer.
  public enum Kind: UInt8, Sendable, Hashable {
    /// It does.
    case request
    /// It does not.
    case notification
  }

  /// What is known of one message.
  public struct Entry: Sendable {
    /// The method.
    public let method: Method
    /// Who sends it.
    public let direction: Direction
    /// Whether it is answered.
    public let kind: Kind
    /// The least role whose uid may call it; some methods show more to a higher one.
    public let role: Role
    /// The JSON Schema of the params, in the short hand of `Schema`.
    public let params: StaticString
    /// The JSON Schema of the result, in the short hand of `Schema`; nil for a notification.
    public let result: StaticString?
  }

  /// Every message, in the order of `Method`.
  public static var entries: [Entry] { Method.allCases.map(entry(for:)) }

  /// What is known of `method`.
  public static func entry(for method: Method) -> Entry {
    let result = ResultSchemas.text(of: method)
    return Entry(
      method: method,
      direction: direction(of: method),
      kind: result == nil ? .notification : .request,
      role: role(for: method),
      params: ParamSchemas.text(of: method),
      result: result
    )
  }

  /// Who sends `method`.
  public static func direction(of method: Method) -> Direction {
    switch method {
    case .shrink, .limit, .relax, .notice, .shutdown, .event: .daemonToClient
    case .ping, .cancel: .both
    case .hello, .cacheRegister, .cacheUpdate, .cacheUnregister, .cacheReport, .limitGet, .bye,
      .purgeableSet, .daemonStatus, .clientList, .clientGet, .roundList, .roundGet, .plan,
      .trigger, .subscribe, .unsubscribe, .daemonReload, .daemonPause, .daemonResume,
      .cacheOverride, .discover:
      .clientToDaemon
    }
  }

  /// The least role whose uid may call `method` (`docs/PROTOCOL.md` §7, column "needs").
  public static func role(for method: Method) -> Role {
    switch method {
    case .roundList, .roundGet, .plan, .subscribe, .unsubscribe: .observer
    case .trigger, .daemonReload, .daemonPause, .daemonResume, .cacheOverride: .admin
    case .shrink, .cacheReport, .ping, .limit, .relax, .event, .cancel, .hello, .cacheRegister,
      .cacheUpdate, .cacheUnregister, .limitGet, .bye, .purgeableSet, .notice, .shutdown,
      .daemonStatus, .clientList, .clientGet, .discover:
      .member
    }
  }

  /// Writes the result of `rpc.discover`.
  public static func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("version", UInt64(ProtocolVersion.supported.upperBound))
      writer.member(array: "methods") { writer in
        for method in Method.allCases { write(entry(for: method), to: &writer) }
      }
    }
  }

  private static func write(_ entry: Entry, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("name", entry.method.name)
      writer.member("direction", entry.direction.name)
      writer.member("role", entry.role.name)
      writer.key("params")
      Schema.write(entry.params, to: &writer)
      writer.key("result")
      if let result = entry.result { Schema.write(result, to: &writer) } else { writer.null() }
    }
  }
}
