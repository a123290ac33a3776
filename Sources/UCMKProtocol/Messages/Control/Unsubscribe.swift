// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Ends a subscription.
public struct Unsubscribe: MessageParams, Hashable {
  /// `unsubscribe`.
  public static let method = Method.unsubscribe

  /// The number that `subscribe` gave.
  public var subscription: UInt64

  /// Makes the params.
  public init(subscription: UInt64) { self.subscription = subscription }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where the number lacks.
  public init(params: JSONValue?) throws(RPCError) {
    subscription = try ParamReader(params).requireUnsigned("subscription", WireRange.positive)
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { $0.member("subscription", subscription) }
  }
}
