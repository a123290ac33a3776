// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

internal import UCMKModel

/// The `error` member of an answer, as the other side wrote it.
public struct RPCErrorObject: Sendable {
  /// The number, known to us or not; -32603 where the other side gave none that can be read.
  public let code: Int64
  /// The words for people; empty where there are none.
  public let message: String
  /// What the code carries, where it is an object.
  public let data: JSONValue?

  init(_ value: JSONValue) {
    code = value.member("code")?.integer ?? Int64(ErrorCode.internalError.rawValue)
    message = value.member("message")?.string ?? ""
    data = value.member("data").flatMap { $0.kind == .object ? $0 : nil }
  }

  /// The error that the code and its data say, or nil where either is not known to us.
  ///
  /// A waiting time that lacks is zero.
  public var known: RPCError? {
    guard let code = Int32(exactly: code).flatMap({ ErrorCode(rawValue: $0) }) else {
      return nil
    }
    switch code {
    case .invalidRequest: return .invalidRequest
    case .helloRequired: return .helloRequired
    case .cancelled: return .cancelled
    case .busy: return .busy(retryAfter: span("retry_after_ms") ?? .zero)
    case .refused:
      let reason = text("reason")
      return .refused(retryAfter: span("retry_after_ms") ?? .zero, reason: reason)
    case .shuttingDown:
      return .shuttingDown(reconnectAfter: span("reconnect_after_ms") ?? .zero)
    case .parseError: return number("offset").flatMap(Int.init(exactly:)).map(RPCError.parseError)
    case .methodNotFound: return text("method").map(RPCError.methodNotFound)
    case .internalError: return text("ref").map(RPCError.internalError)
    case .alreadyRegistered: return text("name").map(RPCError.alreadyRegistered)
    case .notSupported: return text("feature").map(RPCError.notSupported)
    case .wrongState: return text("state").map(RPCError.wrongState)
    case .unknownID: return data?.member("id").flatMap(RequestID.init).map(RPCError.unknownID)
    case .roundExpired: return number("round").map { RPCError.roundExpired(RoundID($0)) }
    case .permissionDenied:
      return text("need").flatMap(Role.init(name:)).map { .permissionDenied(need: $0) }
    case .invalidParams, .versionNotSupported, .limitExceeded: return knownWithSeveralMembers(code)
    }
  }

  /// The codes whose data has more than one member that must be there.
  private func knownWithSeveralMembers(_ code: ErrorCode) -> RPCError? {
    switch code {
    case .invalidParams:
      guard let path = text("path"), let want = text("want") else { return nil }
      return .invalidParams(path: path, want: want)
    case .versionNotSupported:
      guard let minimum = number("min").flatMap(UInt32.init(exactly:)),
        let maximum = number("max").flatMap(UInt32.init(exactly:))
      else { return nil }
      return .versionNotSupported(minimum: minimum, maximum: maximum)
    default:
      guard let limit = text("limit"), let maximum = number("max") else { return nil }
      let retryAfter = span("retry_after_ms")
      return .limitExceeded(limit: limit, maximum: maximum, retryAfter: retryAfter)
    }
  }

  private func number(_ key: StaticString) -> UInt64? { data?.member(key)?.unsigned }

  private func text(_ key: StaticString) -> String? { data?.member(key)?.string }

  private func span(_ key: StaticString) -> TimeSpan? { number(key).map(TimeSpan.milliseconds) }
}
