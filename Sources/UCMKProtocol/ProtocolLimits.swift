// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// The limits of `docs/PROTOCOL.md` §2 as the daemon tells them in the result of `hello`.
public struct ProtocolLimits: Sendable, Hashable {
  /// A line from client to daemon, in bytes without its end.
  public var lineIn = 65_536
  /// A line from daemon to client, in bytes: what four thousand clients in a list cannot fill is
  /// paged.
  public var lineOut = 262_144
  /// How long a connection may be silent before `hello`.
  public var hello = TimeSpan.seconds(5)
  /// Connections of one uid, and in all: a configured number, at most 16,384.
  public var connectionsPerUser = 256, connections = 4_096
  /// Caches of one client: with the envelope their reports fit a page of the shared memory that
  /// later versions of the protocol may use, 64 entries less the head.
  public var caches = 62
  /// The length of a cache's name, in bytes.
  public var name = 64
  /// Reports a second, and how many may come at once.
  public var reportsPerSecond = 10, reportBurst = 20
  /// Requests in flight each way.
  public var inFlight = 32
  /// Bytes that wait for one client.
  public var queue = 262_144
  /// Malformed lines in a row that close the connection.
  public var malformed = 8
  /// Purgeable ranges of one client.
  public var ranges = 1_024

  /// Labels of one cache: pairs, and the lengths of key and value in bytes.
  public static let labels = 8, labelKey = 32, labelValue = 64

  /// The most connections that can be configured.
  public static let maximumConnections = 16_384

  /// The defaults.
  public init() {}

  /// Reads the limits that another side has told; what is absent has its default.
  ///
  /// - Throws: `RPCError.invalidParams` where a limit is no number.
  init(_ reader: ParamReader) throws(RPCError) {
    self.init()
    lineIn = try reader.count("line_in") ?? lineIn
    lineOut = try reader.count("line_out") ?? lineOut
    hello = try reader.milliseconds("hello_ms") ?? hello
    connectionsPerUser = try reader.count("connections_uid") ?? connectionsPerUser
    connections = try reader.count("connections") ?? connections
    caches = try reader.count("caches") ?? caches
    name = try reader.count("name") ?? name
    reportsPerSecond = try reader.count("reports_per_s") ?? reportsPerSecond
    reportBurst = try reader.count("report_burst") ?? reportBurst
    inFlight = try reader.count("in_flight") ?? inFlight
    queue = try reader.count("queue") ?? queue
    malformed = try reader.count("malformed") ?? malformed
    ranges = try reader.count("ranges") ?? ranges
  }

  /// Writes the limits as an object.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("line_in", UInt64(lineIn))
      writer.member("line_out", UInt64(lineOut))
      writer.member("hello_ms", milliseconds: hello)
      writer.member("connections_uid", UInt64(connectionsPerUser))
      writer.member("connections", UInt64(connections))
      writer.member("caches", UInt64(caches))
      writer.member("name", UInt64(name))
      writer.member("labels", UInt64(ProtocolLimits.labels))
      writer.member("reports_per_s", UInt64(reportsPerSecond))
      writer.member("report_burst", UInt64(reportBurst))
      writer.member("in_flight", UInt64(inFlight))
      writer.member("queue", UInt64(queue))
      writer.member("malformed", UInt64(malformed))
      writer.member("ranges", UInt64(ranges))
    }
  }
}
