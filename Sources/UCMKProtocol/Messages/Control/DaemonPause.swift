// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Asks the daemon to begin no rounds.
public struct DaemonPause: MessageParams, Hashable {
  /// `daemon.pause`.
  public static let method = Method.daemonPause

  /// How long, or nil until it is told to go on.
  public var span: TimeSpan?

  /// Makes the params.
  public init(span: TimeSpan? = nil) { self.span = span }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where the time is no positive number.
  public init(params: JSONValue?) throws(RPCError) {
    span = try ParamReader(params).milliseconds("for_ms", WireRange.positive)
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      if let span { writer.member("for_ms", milliseconds: span) }
    }
  }
}
