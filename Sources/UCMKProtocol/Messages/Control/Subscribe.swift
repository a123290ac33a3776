// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// What can be subscribed to.
public enum Topic: UInt8, Sendable, Hashable, CaseIterable {
  /// Changes of level.
  case pressure
  /// Rounds, when they open and close.
  case rounds
  /// Clients that join, change or leave.
  case clients
  /// The status, at intervals.
  case status

  /// The word on the wire.
  public var name: StaticString {
    switch self {
    case .pressure: "pressure"
    case .rounds: "rounds"
    case .clients: "clients"
    case .status: "status"
    }
  }

  /// The topic that `value` names, or nil.
  init?(_ value: JSONValue) {
    for topic in Topic.allCases where value.stringEquals(topic.name) {
      self = topic
      return
    }
    return nil
  }
}

/// Asks for events as they come.
public struct Subscribe: MessageParams, Hashable {
  /// `subscribe`.
  public static let method = Method.subscribe

  /// One or more.
  public var topics: [Topic]
  /// The time between two events of the status: 100…60,000 ms.
  public var interval: TimeSpan?

  /// Makes the params.
  public init(topics: [Topic], interval: TimeSpan? = nil) {
    self.topics = topics
    self.interval = interval
  }

  /// Reads them; a topic named twice counts once.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    let list = try reader.requireList("topics", WireRange.items)
    topics = []
    for (index, value) in list.elements.enumerated() {
      guard let topic = Topic(value) else {
        let path = ParamPath.root.element(index, of: "topics")
        throw path.invalid(nil, want: "pressure, rounds, clients or status")
      }
      if !topics.contains(topic) { topics.append(topic) }
    }
    interval = try reader.milliseconds("interval_ms", WireRange.interval)
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member(array: "topics") { writer in
        for topic in topics { writer.string(topic.name) }
      }
      if let interval { writer.member("interval_ms", milliseconds: interval) }
    }
  }
}

/// The number by which events of the subscription go.
public struct SubscribeResult: MessageResult, Hashable {
  /// Counts from 1 on each connection.
  public var subscription: UInt64

  /// Makes the result.
  public init(subscription: UInt64) { self.subscription = subscription }

  /// Reads it.
  ///
  /// - Throws: `RPCError.invalidParams` where the number lacks.
  public init(result: JSONValue) throws(RPCError) {
    subscription = try ParamReader(result).requireUnsigned("subscription", WireRange.positive)
  }

  /// Writes the result.
  public func write(to writer: inout JSONWriter) {
    writer.object { $0.member("subscription", subscription) }
  }
}
