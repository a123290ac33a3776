// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKProtocol
import UCMKSystemd

/// What is due without anybody sending anything: silent peers, tokens that are over, waits, status
/// events.
extension Daemon {
  /// Each sweep looks at every session, so that no session has a timer of its own; a deadline may
  /// be met this much late.
  static let sweepSlack = TimeSpan.milliseconds(10)

  /// Housekeeping is due at `instant` at the latest.
  func armHousekeeping(at instant: MonotonicInstant) {
    nextHousekeeping = min(nextHousekeeping ?? instant, instant)
  }

  /// One sweep over everything that can be over.
  func keepHouse() {
    nextHousekeeping = nil
    saveBehaviour()
    while let client = resumable.expire(at: now) { submit(.left(client)) }
    if let next = resumable.nextExpiry { armHousekeeping(at: next) }
    sessions.forEach { session in
      sweep(session)
      if let next = publishDueStatus(session) { armHousekeeping(at: next) }
      answerOverdueWaits(session)
      for wait in session.waits { armHousekeeping(at: wait.until) }
    }
  }

  private func sweep(_ session: Session) {
    let heartbeat = HelloResult.defaultHeartbeat
    switch session.phase {
    case .closing: return
    case .greeting(let until):
      if until <= now { close(session) } else { armHousekeeping(at: until) }
    case .open:
      if let pinged = session.pingedAt {
        guard now < pinged + heartbeat else {
          log(.info, "client is silent", [("session", session.client.name)])
          return close(session)
        }
        armHousekeeping(at: pinged + heartbeat)
      } else if session.lastHeard + heartbeat <= now + Daemon.sweepSlack {
        ping(session)
        armHousekeeping(at: now + heartbeat)
      } else {
        armHousekeeping(at: session.lastHeard + heartbeat)
      }
    }
  }

  private func ping(_ session: Session) {
    session.pingedAt = now
    // One that was overtaken by other lines and never answered holds no place for ever.
    if let earlier = session.requests.id(of: .ping) { _ = session.requests.close(earlier) }
    // A client with 32 open requests is not there either: the deadline is the same.
    guard let id = session.requests.open(.ping) else { return }
    writer.removeAll()
    writer.beginRequest(.ping, id: .integer(id))
    writer.beginObject()
    writer.endObject()
    writer.endMessage()
    deliver(to: session, .request)
  }

  // MARK: - Stopping

  /// Tells everybody that the daemon stops, and answers those who wait.
  package func stop() {
    guard !isStopping else { return }
    isStopping = true
    now = surroundings.now()
    saveBehaviour(isLast: true)
    sessions.forEach { session in
      for wait in session.waits {
        answer(session, wait.request, .shuttingDown(reconnectAfter: Daemon.reconnectAfter))
      }
      guard session.phase == .open else { return }
      writer.removeAll()
      Shutdown(reconnectAfter: Daemon.reconnectAfter).writeNotification(to: &writer)
      deliver(to: session, .notification)
    }
    for watch in watches { watch.close() }
    watches.removeAll()
    absent.disarm()
    recorder.flush()
  }

  /// How long clients wait before they connect again: a restart takes less.
  static let reconnectAfter = TimeSpan.milliseconds(500)
}
