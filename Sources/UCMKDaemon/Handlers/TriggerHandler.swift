// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// `trigger`: a round by hand, and those who wait for it.
extension Daemon {
  func trigger(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    try require(.admin, session)
    let request = try Trigger(params: params)
    let token = nextToken
    nextToken += 1
    session.waits.append(
      Session.Wait(
        request: id,
        token: token,
        round: nil,
        until: request.waits ? now + request.timeout : now
      )
    )
    triggers[RequestToken(token)] = (session.token, request.waits)
    if request.waits { armHousekeeping(at: now + request.timeout) }
    readProtections(atMostEvery: Daemon.protectionPause)
    submit(
      .requested(
        RequestToken(token),
        RoundRequest(
          bytes: request.bytes,
          level: request.level,
          scope: request.scope,
          dryRun: request.isDryRun
        )
      )
    )
  }

  func accepted(_ token: RequestToken, _ round: RoundID) {
    guard let (session, index, waits) = takeWait(token) else { return }
    if waits {
      session.waits[index].round = round
      return
    }
    let request = session.waits.remove(at: index).request
    answer(session, request) { writer in
      writer.beginObject()
      writer.member("round", round: round)
      writer.endObject()
    }
  }

  func declined(_ token: RequestToken, _ refusal: Refusal) {
    guard let (session, index, _) = takeWait(token) else { return }
    let request = session.waits.remove(at: index).request
    switch refusal {
    case .busy(let retryAfter): answer(session, request, .busy(retryAfter: retryAfter))
    }
  }

  private func takeWait(_ token: RequestToken) -> (Session, Int, Bool)? {
    guard let known = triggers.removeValue(forKey: token),
      let session = sessions.session(known.session),
      let index = session.waits.firstIndex(where: { $0.token == token.number })
    else { return nil }
    return (session, index, known.waits)
  }

  /// Answers everybody who waits for this round.
  func answerWaits(forRound round: RoundID) {
    sessions.forEach { session in
      while let index = session.waits.firstIndex(where: { $0.round == round }) {
        answerWait(session, index)
      }
    }
  }

  /// Answers those whose time is over with the round as it is.
  func answerOverdueWaits(_ session: Session) {
    while let index = session.waits.firstIndex(where: { $0.until <= now }) {
      answerWait(session, index)
    }
  }

  private func answerWait(_ session: Session, _ index: Int) {
    let wait = session.waits.remove(at: index)
    guard let number = wait.round, let round = broker.round(number) else {
      return answer(session, wait.request, .internalError(reference: "trigger \(wait.token)"))
    }
    answer(session, wait.request) { writer in
      RoundRender.write(
        round,
        openedAtMicroseconds: wallTime(of: number),
        detail: .clients,
        to: &writer
      )
    }
  }

  /// `$/cancel` of a `trigger` that waits: the round goes on, its answer is -32010.
  func cancelWait(_ params: JSONValue?, _ session: Session) {
    guard let id = params?.member("id").flatMap(RequestID.init),
      let index = session.waits.firstIndex(where: { $0.request == id })
    else { return }
    session.waits.remove(at: index)
    answer(session, id, .cancelled)
  }
}
