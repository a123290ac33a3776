// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKProtocol

/// What people may look at (`docs/PROTOCOL.md` §7). A list that would not fit a line is cut, with a
/// `next` that goes on.
extension Daemon {
  /// A list is cut when the line has this many bytes: the largest single client (62 caches with all
  /// their labels, inputs and steps) still fits the rest of the 262,144.
  static let listBytes = 128 << 10

  func require(_ role: Role, _ session: Session) throws(RPCError) {
    let isAllowed: Bool
    switch role {
    case .member: isAllowed = true
    case .observer: isAllowed = session.isObserver
    case .admin: isAllowed = session.isAdmin
    }
    guard isAllowed else { throw RPCError.permissionDenied(need: role) }
  }

  func tellStatus(_ id: RequestID, _ session: Session) {
    let facts = statusFacts()
    answer(session, id) { writer in StatusRender.write(broker, facts, to: &writer) }
  }

  func statusFacts() -> StatusFacts {
    StatusFacts(
      version: Daemon.version,
      uptime: now.since(startedAt),
      isDegraded: isDegraded,
      host: read(.host),
      triggers: triggerStatus,
      alarms: alarms,
      reportsDropped: reportsDropped,
      notificationsDropped: notificationsDropped,
      surfaces: surfaces
    )
  }

  // MARK: - Clients

  func listClients(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    let request = try ClientList(params: params)
    var cursor = try clientCursor(request.cursor)
    let (user, observer) = (session.peer.uid, session.isObserver)
    let matches: (ClientFacts) -> Bool = { facts in
      guard observer || facts.user == user else { return false }
      if let wanted = request.filter.userID, facts.user != wanted { return false }
      if let wanted = request.filter.name, facts.name != wanted { return false }
      guard let wanted = request.filter.cgroup else { return true }
      return facts.cgroup != nil && DomainID.cgroup(wanted).contains(cgroup: facts.cgroup)
    }
    // One more than wanted tells whether there is a next page.
    let found = broker.clients(after: cursor, count: request.limit + 1, where: matches)
    answer(session, id) { writer in
      var written = 0
      writer.beginObject()
      writer.key("clients")
      writer.beginArray()
      for client in found.prefix(request.limit) where writer.count < Daemon.listBytes {
        ClientRender.write(client, history: nil, to: &writer)
        cursor = client.client
        written += 1
      }
      writer.endArray()
      if written < found.count, let cursor { writer.member("next", cursor.name) }
      writer.endObject()
    }
  }

  func tellClient(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    let request = try ClientGet(params: params)
    guard let number = ClientID(name: request.session), let client = broker.client(number),
      session.isObserver || client.facts.user == session.peer.uid
    else { throw RPCError.unknownID(.string(request.session)) }
    answer(session, id) { writer in
      ClientRender.write(client, history: broker.history(of: number), to: &writer)
    }
  }

  private func clientCursor(_ text: String?) throws(RPCError) -> ClientID? {
    guard let text else { return nil }
    guard let cursor = ClientID(name: text) else {
      throw RPCError.invalidParams(path: "cursor", want: "the next of an earlier list")
    }
    return cursor
  }

  private func clientCursor(in params: JSONValue?) throws(RPCError) -> ClientID? {
    guard let value = params?.member("cursor"), !value.isNull else { return nil }
    return try clientCursor(value.string ?? "")
  }

  /// Where a page of a round begins: behind a client, or among the attempts.
  private func roundCursor(in params: JSONValue?) throws(RPCError) -> RoundCursor {
    if let text = params?.member("cursor")?.string, let place = AttemptCursor(name: text) {
      return .attempt(place)
    }
    return try clientCursor(in: params).map { .client($0) } ?? .start
  }

  // MARK: - Rounds

  func listRounds(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    try require(.observer, session)
    let request = try RoundList(params: params)
    let rounds = broker.rounds(count: request.limit)
    answer(session, id) { writer in
      writer.beginObject()
      writer.key("rounds")
      writer.beginArray()
      // A path may be 4,096 bytes long: then the oldest are left out.
      for round in rounds where writer.count < Daemon.listBytes {
        let time = wallTime(of: round.round)
        RoundRender.write(round, openedAtMicroseconds: time, detail: .summary, to: &writer)
      }
      writer.endArray()
      writer.endObject()
    }
  }

  func tellRound(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    try require(.observer, session)
    let request = try RoundGet(params: params)
    let cursor = try roundCursor(in: params)
    guard var round = broker.round(request.round) else {
      throw RPCError.unknownID(.integer(request.round.number))
    }
    round.attempts = broker.attempts(of: request.round)
    answer(session, id) { writer in
      RoundRender.write(
        round,
        openedAtMicroseconds: wallTime(of: round.round),
        detail: .arithmetic,
        from: cursor,
        to: &writer
      )
    }
  }

  func tellPlan(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    try require(.observer, session)
    let request = try Plan(params: params)
    let cursor = try clientCursor(in: params)
    readProtections(atMostEvery: Daemon.protectionPause)
    let plan = broker.plan(
      RoundRequest(
        bytes: request.bytes,
        level: request.level,
        scope: request.scope ?? .manual,
        dryRun: true
      )
    )
    answer(session, id) { writer in RoundRender.write(plan, after: cursor, to: &writer) }
  }

  func discover(_ id: RequestID, _ session: Session) {
    answer(session, id) { writer in MessageCatalog.write(to: &writer) }
  }
}
