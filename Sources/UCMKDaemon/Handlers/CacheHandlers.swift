// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol
import UCMKSystemd

/// What members say of their caches (`docs/PROTOCOL.md` §5).
extension Daemon {
  func registerCaches(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    let request = try CacheRegister(params: params)
    guard session.caches.count + request.caches.count <= limits.caches else {
      throw RPCError.limitExceeded(
        limit: "caches",
        maximum: UInt64(limits.caches),
        retryAfter: nil
      )
    }
    for cache in request.caches {
      guard !session.caches.contains(where: { $0.name == cache.name }) else {
        throw RPCError.alreadyRegistered(name: cache.name)
      }
    }
    join(session)
    var entries: [CacheRegisterResult.Entry] = []
    for cache in request.caches {
      let number = CacheID(session.nextCache)
      session.nextCache += 1
      session.caches.append(SessionCache(id: number, name: cache.name))
      entries.append(CacheRegisterResult.Entry(name: cache.name, id: number))
      submit(.registered(session.client, number, cache))
    }
    pollIfNeeded()
    answer(session, id) { writer in
      CacheRegisterResult(caches: entries).write(to: &writer)
    }
    publishClient(session, change: "changed")
  }

  func updateCache(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    let change = try CacheUpdate(params: params)
    guard
      let known = broker.client(session.client)?.caches.first(where: { $0.id == change.id })
    else { throw RPCError.unknownID(.integer(UInt64(change.id.number))) }
    var declaration = known.declaration
    change.apply(to: &declaration)
    submit(.updated(session.client, change.id, declaration))
    if let usage = change.usage { submit(.reported(session.client, change.id, usage)) }
    answerDone(session, id)
    publishClient(session, change: "changed")
  }

  func unregisterCaches(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    let request = try CacheUnregister(params: params)
    var removed = 0
    for cache in request.ids {
      guard let index = session.caches.firstIndex(where: { $0.id == cache }) else { continue }
      session.caches.remove(at: index)
      submit(.unregistered(session.client, cache))
      removed += 1
    }
    answer(session, id) { writer in CacheUnregisterResult(removed: removed).write(to: &writer) }
    if removed > 0 { publishClient(session, change: "changed") }
  }

  func takeReport(_ params: JSONValue?, _ session: Session) {
    guard session.reports.take(at: now) else {
      reportsDropped += 1
      return
    }
    do throws(RPCError) {
      try report.read(params: params)
    } catch {
      // A notification is never answered; who reads the log sees which member was wrong.
      log(
        .debug,
        "a report was not understood",
        [("session", session.client.name), ("reason", "\(error)")]
      )
      return
    }
    for entry in report.caches {
      submit(.reported(session.client, entry.id, entry.usage))
    }
  }

  func tellLimits(_ id: RequestID, _ session: Session) {
    let held = broker.limits(of: session.client)
    let level = level(of: session)
    answer(session, id) { writer in
      writer.beginObject()
      ShrinkWriter.write(held[...], to: &writer)
      writer.member("level", level)
      writer.endObject()
    }
  }

  /// The highest level of the domains that the session's client belongs to.
  private func level(of session: Session) -> PressureLevel {
    let own = broker.client(session.client)?.facts.domains ?? []
    let levels = broker.domains.lazy
      .filter { $0.domain == .host || own.contains($0.domain) }
      .map(\.level)
    return levels.max() ?? .none
  }

  func tellTime(_ id: RequestID, _ session: Session) {
    answer(session, id) { writer in
      PingResult(monotonicNanoseconds: now.nanoseconds).write(to: &writer)
    }
  }

  /// Comes with the ladder's steps that use it.
  func setPurgeable(_ params: JSONValue?, _ session: Session) throws(RPCError) {
    throw RPCError.notSupported(feature: "purgeable")
  }

  // MARK: - Answers to shrink requests

  func takeAnswer(
    _ outcome: IncomingMessage.Outcome,
    _ round: RoundID,
    _ attempt: UInt8,
    _ session: Session
  ) {
    answersTaken += 1
    switch outcome {
    case .result(let result): takeReply(result, round, attempt, session)
    case .error(let error):
      switch error.known {
      case .refused(let retryAfter, _):
        submit(
          .refused(session.client, round, attempt: attempt, retryAfter: retryAfter)
        )
      case .methodNotFound:
        // A client that does not know the method is not asked again (§8).
        session.capabilities.remove(.shrink)
        if session.isMember { submit(.relocated(session.client, facts(of: session))) }
        submit(.undelivered(session.client, round, attempt: attempt))
      default: submit(.undelivered(session.client, round, attempt: attempt))
      }
    }
  }

  private func takeReply(
    _ result: JSONValue,
    _ round: RoundID,
    _ attempt: UInt8,
    _ session: Session
  ) {
    do throws(RPCError) {
      try reply.read(result: result)
    } catch {
      log(
        .info,
        "an answer was not understood",
        [("session", session.client.name), ("reason", "\(error)")]
      )
      return submit(.undelivered(session.client, round, attempt: attempt))
    }
    for target in reply.targets {
      let report = FreedReport(
        cache: target.id,
        freed: target.freed,
        bytes: target.bytes,
        reclaimable: target.reclaimable,
        more: target.hasMore
      )
      submit(.freed(session.client, round, attempt: attempt, report))
    }
    submit(.answered(session.client, round, attempt: attempt))
  }
}
