// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKLinux
import UCMKModel

/// All connections, by the token that the epoll set carries and by the client's id.
///
/// Tokens rise and are never used again, so that an event of a closed connection that is still in
/// the batch finds nothing.
struct SessionTable {
  private var slots: [Session?] = []
  private var free: [Int] = []
  private var generation: UInt64 = 0
  private var slotOfClient: [ClientID: Int] = [:]
  private var connectionsOfUser: [UInt32: Int] = [:]

  /// How many connections there are.
  private(set) var count = 0

  /// How many connections the user has.
  func count(ofUser user: UInt32) -> Int { connectionsOfUser[user] ?? 0 }

  /// Takes a place; the token holds it.
  mutating func reserve() -> UInt64 {
    generation += 1
    let slot: Int
    if let reused = free.popLast() {
      slot = reused
    } else {
      slot = slots.count
      slots.append(nil)
    }
    return generation << 20 | UInt64(slot)
  }

  /// Puts the session into the place that its token holds.
  mutating func insert(_ session: Session) {
    slots[SessionTable.slot(of: session.token)] = session
    connectionsOfUser[session.peer.uid, default: 0] += 1
    count += 1
  }

  /// Makes the session findable by its client's id.
  mutating func name(_ session: Session) {
    slotOfClient[session.client] = SessionTable.slot(of: session.token)
  }

  /// Takes the session out.
  mutating func remove(_ session: Session) {
    let slot = SessionTable.slot(of: session.token)
    guard slots[slot] === session else { return }
    slots[slot] = nil
    free.append(slot)
    if slotOfClient[session.client] == slot { slotOfClient[session.client] = nil }
    let left = (connectionsOfUser[session.peer.uid] ?? 1) - 1
    connectionsOfUser[session.peer.uid] = left > 0 ? left : nil
    count -= 1
  }

  /// The session that the token means, if it is still there.
  func session(_ token: UInt64) -> Session? {
    let slot = SessionTable.slot(of: token)
    guard slot < slots.count, let session = slots[slot], session.token == token else {
      return nil
    }
    return session
  }

  /// The session of a client, if it is connected.
  func session(of client: ClientID) -> Session? {
    slotOfClient[client].flatMap { slots[$0] }
  }

  /// Calls `body` for each session, in the order of their places.
  func forEach(_ body: (Session) -> Void) {
    for slot in slots.indices {
      if let session = slots[slot] { body(session) }
    }
  }

  private static func slot(of token: UInt64) -> Int { Int(token & 0xF_FFFF) }
}
