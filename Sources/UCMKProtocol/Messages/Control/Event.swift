// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// One event of a subscription.
public struct Event: MessageParams {
  /// `event`.
  public static let method = Method.event

  /// The number that `subscribe` gave.
  public var subscription: UInt64
  /// What it is about, or nil where this version does not know it.
  public var topic: Topic?
  /// When it happened, on the daemon's monotonic clock.
  public var time: MonotonicInstant
  /// Events that were left out since the last one because the reader was slow.
  public var dropped: UInt64
  /// What happened, in the form that the topic has.
  public var data: JSONValue

  /// Reads it.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    subscription = try reader.requireUnsigned("subscription", WireRange.positive)
    guard let word = reader.value("topic"), word.kind == .string else {
      throw reader.invalid("topic", want: "pressure, rounds, clients or status")
    }
    topic = Topic(word)
    let time = try reader.unsigned("monotonic_ns", WireRange.nanoseconds) ?? 0
    self.time = MonotonicInstant(nanoseconds: time)
    dropped = try reader.unsigned("dropped", WireRange.count) ?? 0
    guard let data = reader.value("data") else { throw reader.invalid("data", want: "object") }
    self.data = data
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    Event.write(Header(subscription, topic, time, dropped: dropped), to: &writer) { writer in
      writer.value(data)
    }
  }

  /// What stands before the data of an event.
  public struct Header: Sendable, Hashable {
    let subscription: UInt64
    let topic: Topic?
    let time: MonotonicInstant
    let dropped: UInt64

    /// Makes the head of an event about `topic` that happened at `time`.
    public init(_ subscription: UInt64, _ topic: Topic?, _ time: MonotonicInstant, dropped: UInt64)
    {
      self.subscription = subscription
      self.topic = topic
      self.time = time
      self.dropped = dropped
    }
  }

  /// Writes the params of an event whose data, one value, `body` writes.
  public static func write(
    _ header: Header,
    to writer: inout JSONWriter,
    data body: (inout JSONWriter) -> Void
  ) {
    writer.object { writer in
      writer.member("subscription", header.subscription)
      if let topic = header.topic { writer.member("topic", topic.name) }
      writer.member("monotonic_ns", header.time.nanoseconds)
      writer.member("dropped", header.dropped)
      writer.key("data")
      body(&writer)
    }
  }
}
