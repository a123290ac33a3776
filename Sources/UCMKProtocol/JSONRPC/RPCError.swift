// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// An error as it stands in an answer, with the data that its code carries.
public enum RPCError: Error, Sendable, Hashable {
  /// The line is no JSON from this byte on.
  case parseError(offset: Int)
  /// JSON, but no message.
  case invalidRequest
  /// The method that is not known.
  case methodNotFound(method: String)
  /// The member that is wrong, such as `caches[0].share`, and what would be right: `1...100`.
  case invalidParams(path: String, want: String)
  /// The daemon's own fault; the reference stands in its log.
  case internalError(reference: String)
  /// A request before `hello`.
  case helloRequired
  /// The versions that are spoken.
  case versionNotSupported(minimum: UInt32, maximum: UInt32)
  /// The role that is needed.
  case permissionDenied(need: Role)
  /// The name that is there already.
  case alreadyRegistered(name: String)
  /// The cache, round or subscription (a number) or session (a text) that is not known.
  case unknownID(RequestID)
  /// The key of the limit in `ProtocolLimits`, its value, and when to try again.
  case limitExceeded(limit: String, maximum: UInt64, retryAfter: TimeSpan?)
  /// When to try again.
  case busy(retryAfter: TimeSpan)
  /// When to connect again.
  case shuttingDown(reconnectAfter: TimeSpan)
  /// The round that is closed.
  case roundExpired(RoundID)
  /// When to ask again, and why not now.
  case refused(retryAfter: TimeSpan, reason: String?)
  /// Ended by `$/cancel`.
  case cancelled
  /// What this host or build lacks.
  case notSupported(feature: String)
  /// The state in which the session is.
  case wrongState(state: String)

  /// The number on the wire.
  public var code: ErrorCode {
    switch self {
    case .parseError: .parseError
    case .invalidRequest: .invalidRequest
    case .methodNotFound: .methodNotFound
    case .invalidParams: .invalidParams
    case .internalError: .internalError
    case .helloRequired: .helloRequired
    case .versionNotSupported: .versionNotSupported
    case .permissionDenied: .permissionDenied
    case .alreadyRegistered: .alreadyRegistered
    case .unknownID: .unknownID
    case .limitExceeded: .limitExceeded
    case .busy: .busy
    case .shuttingDown: .shuttingDown
    case .roundExpired: .roundExpired
    case .refused: .refused
    case .cancelled: .cancelled
    case .notSupported: .notSupported
    case .wrongState: .wrongState
    }
  }
}

// MARK: - Writing

extension RPCError {
  /// Writes the whole answer, line end included.
  ///
  /// The id is the request's; nil is written as `null`.
  public func write(to writer: inout JSONWriter, id: RequestID?) {
    writer.object { writer in
      writer.member("jsonrpc", "2.0")
      writer.key("id")
      if let id { id.write(to: &writer) } else { writer.null() }
      writer.member(object: "error") { writer in
        writer.key("code")
        writer.integer(Int64(code.rawValue))
        writer.member("message", code.text)
        writeData(to: &writer)
      }
    }
    writer.endLine()
  }

  private func writeData(to writer: inout JSONWriter) {
    switch self {
    case .invalidRequest, .helloRequired, .cancelled: return
    default: writer.member(object: "data") { writer in writeDataMembers(to: &writer) }
    }
  }

  private func writeDataMembers(to writer: inout JSONWriter) {
    switch self {
    case .invalidRequest, .helloRequired, .cancelled: break
    case .parseError(let offset): writer.member("offset", UInt64(offset))
    case .methodNotFound(let method): writer.member("method", method)
    case .invalidParams(let path, let want):
      writer.member("path", path)
      writer.member("want", want)
    case .internalError(let reference): writer.member("ref", reference)
    case .versionNotSupported(let minimum, let maximum):
      writer.member("min", UInt64(minimum))
      writer.member("max", UInt64(maximum))
    case .permissionDenied(let need): writer.member("need", need.name)
    case .alreadyRegistered(let name): writer.member("name", name)
    case .unknownID(let id):
      writer.key("id")
      id.write(to: &writer)
    case .limitExceeded(let limit, let maximum, let retryAfter):
      writer.member("limit", limit)
      writer.member("max", maximum)
      if let retryAfter { writer.member("retry_after_ms", milliseconds: retryAfter) }
    case .busy(let span): writer.member("retry_after_ms", milliseconds: span)
    case .shuttingDown(let span): writer.member("reconnect_after_ms", milliseconds: span)
    case .roundExpired(let round): writer.member("round", round.number)
    case .refused(let span, let reason):
      writer.member("retry_after_ms", milliseconds: span)
      if let reason { writer.member("reason", reason) }
    case .notSupported(let feature): writer.member("feature", feature)
    case .wrongState(let state): writer.member("state", state)
    }
  }
}
