// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// Lines to messages, messages to handlers.
extension Daemon {
  func take(_ range: Range<Int>, of session: Session) {
    let message: IncomingMessage
    do throws(RPCFault) {
      message = try IncomingMessage(session.decoder.bytes, in: range)
    } catch {
      return complain(of: error, session)
    }
    session.malformed = 0
    switch message {
    case .request(let id, let method, let params): handle(method, params, id, session)
    case .notification(let method, let params): notify(method, params, session)
    case .response(.integer(let id), let outcome): close(id, outcome, session)
    case .response, .ignored: break
    }
  }

  private func complain(of fault: RPCFault, _ session: Session) {
    answer(session, fault.id, fault.error)
    guard fault.countsAsMalformed else {
      session.malformed = 0
      return
    }
    session.malformed += 1
    if session.malformed >= limits.malformed { close(session) }
  }

  private func handle(
    _ name: JSONValue,
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) {
    guard let method = Method(name) else {
      guard session.phase == .open else { return answer(session, id, .helloRequired) }
      return answer(session, id, .methodNotFound(method: Daemon.excerpt(name)))
    }
    do throws(RPCError) {
      if method == .hello { return try hello(params, id, session) }
      guard session.phase == .open else { throw RPCError.helloRequired }
      guard session.waits.count < limits.inFlight else {
        throw RPCError.busy(retryAfter: .milliseconds(100))
      }
      try perform(method, params, id, session)
    } catch {
      answer(session, id, error)
    }
  }

  private func perform(
    _ method: Method,
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    switch method {
    case .cacheRegister: try registerCaches(params, id, session)
    case .cacheUpdate: try updateCache(params, id, session)
    case .cacheUnregister: try unregisterCaches(params, id, session)
    case .limitGet: tellLimits(id, session)
    case .ping: tellTime(id, session)
    case .purgeableSet: try setPurgeable(params, session)
    case .daemonStatus: tellStatus(id, session)
    case .clientList: try listClients(params, id, session)
    case .clientGet: try tellClient(params, id, session)
    case .roundList: try listRounds(params, id, session)
    case .roundGet: try tellRound(params, id, session)
    case .plan: try tellPlan(params, id, session)
    case .trigger: try trigger(params, id, session)
    case .subscribe: try subscribe(params, id, session)
    case .unsubscribe: try unsubscribe(params, id, session)
    case .daemonReload: try reload(params, id, session)
    case .daemonPause: try pause(params, id, session)
    case .daemonResume: try resume(id, session)
    case .cacheOverride: try overrideCache(params, id, session)
    case .discover: discover(id, session)
    case .hello, .shrink, .cacheReport, .limit, .relax, .event, .cancel, .bye, .notice, .shutdown:
      throw RPCError.methodNotFound(method: "\(method.name)")
    }
  }

  private func notify(_ name: JSONValue, _ params: JSONValue?, _ session: Session) {
    guard session.phase == .open, let method = Method(name) else { return }
    switch method {
    case .cacheReport: takeReport(params, session)
    case .cancel: cancelWait(params, session)
    case .bye: close(session)
    default: break
    }
  }

  /// An answer to a request of ours.
  private func close(_ id: UInt64, _ outcome: IncomingMessage.Outcome, _ session: Session) {
    guard let kind = session.requests.close(id) else { return }
    switch kind {
    case .ping: break
    case .shrink(let round, let attempt): takeAnswer(outcome, round, attempt, session)
    }
  }

  // MARK: - Answers

  /// Sends an error; an id of nil is written as null.
  func answer(_ session: Session, _ id: RequestID?, _ error: RPCError) {
    writer.removeAll()
    error.write(to: &writer, id: id)
    deliver(to: session, .response)
  }

  /// Sends a result that `body` writes.
  func answer(_ session: Session, _ id: RequestID, _ body: (inout JSONWriter) -> Void) {
    writer.removeAll()
    writer.beginResponse(id: id)
    body(&writer)
    writer.endMessage()
    deliver(to: session, .response)
  }

  /// Sends an empty result.
  func answerDone(_ session: Session, _ id: RequestID) {
    answer(session, id) { writer in
      writer.beginObject()
      writer.endObject()
    }
  }

  /// The beginning of a name for an error text: at most 64 bytes of what may be 64 KiB.
  private static func excerpt(_ name: JSONValue) -> String {
    String((name.string ?? "").prefix(64))
  }
}
