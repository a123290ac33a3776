// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
package import UCMKLinux
import UCMKModel
import UCMKProtocol
import UCMKSystemd

/// Connections: accept, read, write, close. Everything of them lies in one epoll set, which is one
/// source of the event loop.
extension Daemon {
  /// The descriptor that is readable while any connection needs something.
  package var socketsDescriptor: Int32 { sockets.raw }

  /// How many connections are taken in one turn, so that a storm of them delays nobody for long.
  static let acceptBatch = 64

  /// Takes the connections that wait, at most a batch.
  package func accept(from listener: UnixListener) {
    now = surroundings.now()
    for _ in 0..<Daemon.acceptBatch {
      switch listener.accept() {
      case .connection(let socket): adopt(socket)
      case .wouldBlock: return finishBatch()
      case .exhausted(let errno):
        log(.warning, "no descriptor for a connection", [("errno", "\(errno)")])
        guard turnAway(from: listener) else { return finishBatch() }
      case .failed(let errno):
        log(.warning, "a connection could not be taken", [("errno", "\(errno)")])
      }
    }
    finishBatch()
  }

  /// Makes a session of a connection, or turns it away.
  package func adopt(_ socket: OwnedDescriptor) {
    do throws(SystemError) {
      adopt(socket, from: try PeerCredentials(of: socket.raw, wantsDescriptor: false))
    } catch {
      log(.warning, "a connection could not be served", [("reason", error.description)])
    }
  }

  /// Makes a session of a connection whose other end is known, or turns it away.
  package func adopt(_ socket: OwnedDescriptor, from peer: PeerCredentials) {
    if let refusal = refusal(of: peer) { return refuse(socket, refusal) }
    do throws(SystemError) {
      let session = Session(
        token: sessions.reserve(),
        socket: socket,
        peer: peer,
        roles: roles(of: peer),
        queue: limits.queue,
        at: now
      )
      sessions.insert(session)
      try sockets.add(socket.raw, session.interest, token: session.token)
      armHousekeeping(at: now + Session.helloWithin)
    } catch {
      log(.warning, "a connection could not be served", [("reason", error.description)])
    }
  }

  /// Takes and refuses a connection for which there is no descriptor, with the one that is kept for
  /// that: left in the queue it would wake the daemon for ever.
  ///
  /// Returns whether one was turned away.
  private func turnAway(from listener: UnixListener) -> Bool {
    spare = nil
    let isTaken = refuseNext(from: listener)
    makeSpare()
    return isTaken
  }

  private func refuseNext(from listener: UnixListener) -> Bool {
    guard case .connection(let socket) = listener.accept() else { return false }
    let refusal = RPCError.limitExceeded(
      limit: "connections",
      maximum: UInt64(sessions.count),
      retryAfter: .seconds(1)
    )
    refuse(socket, refusal)
    return true
  }

  /// Tells why; the connection ends with its descriptor.
  private func refuse(_ socket: OwnedDescriptor, _ refusal: RPCError) {
    writer.removeAll()
    refusal.write(to: &writer, id: nil)
    // It fits into an empty socket; where it does not, nobody can be told.
    _ = UnixStream.send(socket.raw, writer.bytes)
  }

  /// Keeps a descriptor for the day on which there is no other.
  func makeSpare() {
    do throws(SystemError) {
      spare = try EventFD()
    } catch {
      log(.warning, "no descriptor can be kept in reserve", [("reason", error.description)])
    }
  }

  private func refusal(of peer: PeerCredentials) -> RPCError? {
    if sessions.count >= limits.connections {
      return .limitExceeded(
        limit: "connections",
        maximum: UInt64(limits.connections),
        retryAfter: .seconds(1)
      )
    }
    guard sessions.count(ofUser: peer.uid) >= limits.connectionsPerUser else { return nil }
    return .limitExceeded(
      limit: "connections_uid",
      maximum: UInt64(limits.connectionsPerUser),
      retryAfter: .seconds(1)
    )
  }

  /// Serves connections that are ready, one batch of at most 256.
  package func serveSockets(timeout: Int32 = 0) {
    now = surroundings.now()
    do throws(SystemError) {
      try sockets.wait(timeout: timeout) { token, events in
        guard let session = sessions.session(token) else { return }
        serve(session, events)
      }
    } catch {
      log(.error, "connections cannot be watched", [("reason", error.description)])
    }
    finishBatch()
  }

  private func serve(_ session: Session, _ events: EpollEvents) {
    if events.contains(.out) { drain(session) }
    if session.phase != .closing, !events.intersection(.readable).isEmpty {
      receive(session)
    }
    updateInterest(session)
  }

  private func receive(_ session: Session) {
    guard !session.outbox.isFullOfResponses else { return }
    switch UnixStream.receive(session.socket.raw, into: &received) {
    case .bytes(let count):
      session.lastHeard = now
      session.pingedAt = nil
      session.decoder.lend(&received, filled: count)
      takeLines(session)
      session.decoder.takeBack(&received)
    case .wouldBlock: return
    case .closed, .failed: close(session)
    }
  }

  /// Handles the lines that have come, unless answers fill the queue: then the rest waits.
  func takeLines(_ session: Session) {
    while session.phase != .closing, !session.outbox.isFullOfResponses {
      guard let frame = session.decoder.next() else { return }
      switch frame {
      case .line(let range): take(range, of: session)
      case .oversized:
        answer(
          session,
          nil,
          .limitExceeded(limit: "line_in", maximum: UInt64(limits.lineIn), retryAfter: nil)
        )
        close(session)
      }
    }
  }

  // MARK: - Writing

  /// Sends the line in `writer`, or queues what the socket does not take.
  ///
  /// - Returns: False where it was neither sent nor queued.
  @discardableResult
  func deliver(
    to session: Session,
    _ kind: LineKind,
    mark: Outbox.EventMark? = nil
  ) -> Bool {
    guard session.phase != .closing else { return false }
    var sent = 0
    if session.outbox.isEmpty {
      switch UnixStream.send(session.socket.raw, writer.bytes) {
      case .bytes(let count): sent = count
      case .wouldBlock: break
      case .closed, .failed:
        close(session)
        return false
      }
      if sent == writer.bytes.count { return true }
    }
    let before = session.outbox.dropped
    let isQueued = session.outbox.append(writer.bytes[...], kind: kind, sent: sent, mark: mark)
    let dropped = session.outbox.dropped - before
    if dropped > 0 { countDropped(dropped, session) }
    updateInterest(session)
    return isQueued
  }

  private func countDropped(_ count: UInt64, _ session: Session) {
    notificationsDropped += count
    for mark in session.outbox.takeDroppedMarks() {
      for index in session.subscriptions.indices
      where session.subscriptions[index].number == mark.subscription {
        // What the lost event told of is lost with it, unless the next one tells it again.
        session.subscriptions[index].dropped += mark.told + 1
      }
    }
  }

  private func drain(_ session: Session) {
    let isAlive = session.outbox.drain { bytes, start in
      switch UnixStream.send(session.socket.raw, bytes, from: start) {
      case .bytes(let count): count
      case .wouldBlock: 0
      case .closed, .failed: nil
      }
    }
    guard isAlive else { return close(session) }
    // Lines that waited because answers filled the queue.
    takeLines(session)
  }

  private func updateInterest(_ session: Session) {
    guard session.phase != .closing else { return }
    var wanted = session.outbox.isFullOfResponses ? EpollEvents() : .in
    if !session.outbox.isEmpty { wanted.insert(.out) }
    guard wanted != session.interest else { return }
    session.interest = wanted
    do throws(SystemError) {
      try sockets.modify(session.socket.raw, wanted, token: session.token)
    } catch {
      log(.warning, "a connection cannot be watched", [("reason", error.description)])
      close(session)
    }
  }

  // MARK: - Closing

  /// Ends a session at the end of the turn; nothing more is read from it or sent to it.
  func close(_ session: Session) {
    guard session.phase != .closing else { return }
    session.phase = .closing
    closing.append(session)
  }

  /// What belongs to the end of every turn.
  package func finishBatch() {
    endClosing()
    recorder.flush()
    if recorder.takeFailure() { log(.error, "recording failed and was stopped") }
    if let failure = reader.takeFailure() {
      log(.warning, "a file of the kernel cannot be read", [("reason", failure.description)])
    }
  }

  /// Ends the sessions that were closed in this turn.
  func endClosing() {
    while let session = closing.popLast() { end(session) }
  }

  private func end(_ session: Session) {
    do throws(SystemError) {
      try sockets.remove(session.socket.raw)
    } catch {
      log(.warning, "a connection cannot be left", [("reason", error.description)])
    }
    sessions.remove(session)
    for subscription in session.subscriptions { forgetSubscription(subscription) }
    guard session.isMember else { return }
    memberCount -= 1
    log(.info, "client left", [("session", session.client.name), ("name", session.name)])
    keepBehaviour(of: session)
    submit(.detached(session.client))
    guard let token = session.resumeToken else {
      preconditionFailure("a client of the core said hello")
    }
    let givenUp = resumable.keep(
      ResumeTable.Entry(
        token: token.text,
        user: session.peer.uid,
        client: session.client,
        expires: now + Defaults.resume,
        caches: session.caches,
        nextCache: session.nextCache
      )
    )
    if let givenUp { submit(.left(givenUp)) }
    armHousekeeping(at: now + Defaults.resume)
    publishClient(session, change: "left")
  }
}
