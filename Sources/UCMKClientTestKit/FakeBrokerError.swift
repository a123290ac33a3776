// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Why a wait for the client ended without what was waited for.
public enum FakeBrokerError: Error, Sendable, Hashable, CustomStringConvertible {
  /// It did not come in time.
  case timedOut(waitingFor: String)
  /// No socket, folder or thread could be had.
  case cannotStart(String)
  /// The client answered a request with this error.
  case rejected(Rejection)
  /// The broker was stopped while somebody waited.
  case stopped

  /// An error with which a client answers.
  public struct Rejection: Sendable, Hashable {
    /// The number, such as -32009 for "refused".
    public var code: Int
    /// The words for people.
    public var message: String
    /// When to ask again, where the client said so.
    public var retryAfter: TimeSpan?
    /// Why, where the client said so.
    public var reason: String?
  }

  /// One line for people.
  public var description: String {
    switch self {
    case .timedOut(let what): "the client did not do it in time: \(what)"
    case .cannotStart(let why): "the fake broker cannot start: \(why)"
    case .rejected(let rejection): "the client answered \(rejection.code), \(rejection.message)"
    case .stopped: "the fake broker was stopped"
    }
  }
}
