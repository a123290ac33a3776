// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Says that the daemon stops; clients keep their caches.
public struct Shutdown: MessageParams, Hashable {
  /// `shutdown`.
  public static let method = Method.shutdown

  /// How long to wait before connecting again.
  public var reconnectAfter: TimeSpan

  /// Makes the params.
  public init(reconnectAfter: TimeSpan) { self.reconnectAfter = reconnectAfter }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where the time lacks.
  public init(params: JSONValue?) throws(RPCError) {
    reconnectAfter = try ParamReader(params).requireMilliseconds("reconnect_after_ms")
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { $0.member("reconnect_after_ms", milliseconds: reconnectAfter) }
  }
}
