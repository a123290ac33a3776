// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// `subscribe` and the events that follow.
extension Daemon {
  /// Subscriptions of one session at most.
  static let subscriptionsMaximum = 16
  /// How far apart status events are where nobody says.
  static let statusInterval = TimeSpan.seconds(1)

  func subscribe(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    try require(.observer, session)
    let request = try Subscribe(params: params)
    guard session.subscriptions.count < Daemon.subscriptionsMaximum else {
      throw RPCError.limitExceeded(
        limit: "subscriptions",
        maximum: UInt64(Daemon.subscriptionsMaximum),
        retryAfter: nil
      )
    }
    let interval = request.interval ?? Daemon.statusInterval
    let subscription = Session.Subscription(
      number: nextSubscription,
      topics: request.topics,
      interval: interval,
      nextStatus: now + interval
    )
    nextSubscription += 1
    session.subscriptions.append(subscription)
    if request.topics.contains(.status) { armHousekeeping(at: subscription.nextStatus) }
    for topic in request.topics { subscriptionsOf[Int(topic.rawValue)] += 1 }
    answer(session, id) { writer in
      SubscribeResult(subscription: subscription.number).write(to: &writer)
    }
  }

  func unsubscribe(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    try require(.observer, session)
    let request = try Unsubscribe(params: params)
    guard
      let index = session.subscriptions.firstIndex(where: { $0.number == request.subscription })
    else { throw RPCError.unknownID(.integer(request.subscription)) }
    forgetSubscription(session.subscriptions.remove(at: index))
    answerDone(session, id)
  }

  func forgetSubscription(_ subscription: Session.Subscription) {
    for topic in subscription.topics { subscriptionsOf[Int(topic.rawValue)] -= 1 }
  }

  // MARK: - Events

  /// Whether anybody listens: events cost nothing while nobody does.
  private func isHeard(_ topic: Topic) -> Bool { subscriptionsOf[Int(topic.rawValue)] > 0 }

  /// Sends an event to everybody who listens.
  func publish(_ topic: Topic, _ data: (inout JSONWriter) -> Void) {
    guard isHeard(topic) else { return }
    sessions.forEach { session in
      for index in session.subscriptions.indices
      where session.subscriptions[index].topics.contains(topic) {
        publish(topic, to: session, index, data)
      }
    }
  }

  func publish(
    _ topic: Topic,
    to session: Session,
    _ index: Int,
    _ data: (inout JSONWriter) -> Void
  ) {
    let subscription = session.subscriptions[index]
    session.subscriptions[index].dropped = 0
    writer.removeAll()
    writer.beginNotification(.event)
    UCMKProtocol.Event.write(
      UCMKProtocol.Event.Header(subscription.number, topic, now, dropped: subscription.dropped),
      to: &writer,
      data: data
    )
    writer.endMessage()
    let mark = Outbox.EventMark(
      subscription: subscription.number,
      told: subscription.dropped
    )
    deliver(to: session, .notification, mark: mark)
  }

  func publishRound(_ number: RoundID) {
    guard isHeard(.rounds), let round = broker.round(number) else { return }
    let time = wallTime(of: number)
    publish(.rounds) { writer in
      RoundRender.write(round, openedAtMicroseconds: time, detail: .clients, to: &writer)
    }
  }

  /// Tells that a client joined, changed or left.
  func publishClient(_ session: Session, change: StaticString) {
    guard isHeard(.clients), session.isMember else { return }
    let client = broker.client(session.client)
    publish(.clients) { writer in
      writer.beginObject()
      writer.member("change", change)
      writer.member("session", session.client.name)
      if let client {
        writer.key("client")
        ClientRender.write(client, history: nil, to: &writer)
      }
      writer.endObject()
    }
  }

  /// Sends the status to those for whom it is time; returns when the next one is due.
  func publishDueStatus(_ session: Session) -> MonotonicInstant? {
    var next: MonotonicInstant?
    for index in session.subscriptions.indices
    where session.subscriptions[index].topics.contains(.status) {
      if session.subscriptions[index].nextStatus <= now {
        let facts = statusFacts()
        publish(.status, to: session, index) { writer in
          StatusRender.write(broker, facts, to: &writer)
        }
        session.subscriptions[index].nextStatus = now + session.subscriptions[index].interval
      }
      let due = session.subscriptions[index].nextStatus
      next = min(next ?? due, due)
    }
    return next
  }
}
