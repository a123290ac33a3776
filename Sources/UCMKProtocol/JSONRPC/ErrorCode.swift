// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The codes of `docs/PROTOCOL.md` §8: those of JSON-RPC 2.0, then ours from -32000 down.
public enum ErrorCode: Int32, Sendable, Hashable, CaseIterable {
  /// The line is no JSON; the id is null and the next LF starts afresh.
  case parseError = -32_700
  /// JSON, but no message.
  case invalidRequest = -32_600
  /// A request that this side does not know.
  case methodNotFound = -32_601
  /// A member of the params has the wrong type or is out of range.
  case invalidParams = -32_602
  /// The daemon's own fault.
  case internalError = -32_603
  /// A request before `hello`.
  case helloRequired = -32_000
  /// No version in common.
  case versionNotSupported = -32_001
  /// The caller's uid has not the role.
  case permissionDenied = -32_002
  /// A cache of that name exists on the connection.
  case alreadyRegistered = -32_003
  /// No such cache, session, round or subscription.
  case unknownID = -32_004
  /// One of the limits of §2.
  case limitExceeded = -32_005
  /// Too many requests in flight, or a round of that scope runs.
  case busy = -32_006
  /// The daemon stops.
  case shuttingDown = -32_007
  /// The answer came after the round was closed.
  case roundExpired = -32_008
  /// A client does not want to shrink now.
  case refused = -32_009
  /// Ended by `$/cancel`.
  case cancelled = -32_010
  /// This host or build lacks it.
  case notSupported = -32_011
  /// Not in this state of the session.
  case wrongState = -32_012

  /// The words that go with the code.
  public var text: StaticString {
    switch self {
    case .parseError: "parse error"
    case .invalidRequest: "invalid request"
    case .methodNotFound: "method not found"
    case .invalidParams: "invalid params"
    case .internalError: "internal error"
    case .helloRequired: "hello required"
    case .versionNotSupported: "version not supported"
    case .permissionDenied: "permission denied"
    case .alreadyRegistered: "already registered"
    case .unknownID: "unknown id"
    case .limitExceeded: "limit exceeded"
    case .busy: "busy"
    case .shuttingDown: "shutting down"
    case .roundExpired: "round expired"
    case .refused: "refused"
    case .cancelled: "cancelled"
    case .notSupported: "not supported here"
    case .wrongState: "wrong state"
    }
  }
}
