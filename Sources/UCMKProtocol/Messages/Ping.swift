// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Asks for a sign of life; either side may.
public struct Ping: EmptyParams, Hashable {
  /// `ping`.
  public static let method = Method.ping

  /// Makes the params, which are empty.
  public init() {}
}

/// The sign of life.
public struct PingResult: MessageResult, Hashable {
  /// The answering side's monotonic clock, in nanoseconds: good for differences only.
  public var monotonicNanoseconds: UInt64

  /// Makes the result.
  public init(monotonicNanoseconds: UInt64) { self.monotonicNanoseconds = monotonicNanoseconds }

  /// Reads it; a clock that the other side does not tell is 0.
  ///
  /// - Throws: `RPCError.invalidParams` where it is no number.
  public init(result: JSONValue) throws(RPCError) {
    let reader = try ParamReader(result)
    monotonicNanoseconds = try reader.unsigned("monotonic_ns", WireRange.nanoseconds) ?? 0
  }

  /// Writes the result.
  public func write(to writer: inout JSONWriter) {
    writer.object { $0.member("monotonic_ns", monotonicNanoseconds) }
  }
}
