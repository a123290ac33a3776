// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKLinux
import UCMKModel
import UCMKProtocol

/// One connection, from accept to close.
///
/// Holds what belongs to the wire: buffers, ids, budgets, deadlines. What is known of the client
/// as a holder of caches is the core's.
final class Session {
  /// Where the connection stands.
  enum Phase: Equatable {
    /// Connected; `hello` must come before the instant.
    case greeting(until: MonotonicInstant)
    /// Said hello.
    case open
    /// Nothing more is read; closed at the end of the turn.
    case closing
  }

  /// Who is at the other end; the groups are in the roles already.
  struct Peer {
    let process: ProcessID
    let uid: UInt32, gid: UInt32
  }

  /// A subscription to events.
  struct Subscription {
    let number: UInt64
    let topics: [Topic]
    /// How far apart status events are.
    let interval: TimeSpan
    var nextStatus: MonotonicInstant
    /// Events that were dropped since the last one that was sent.
    var dropped: UInt64 = 0
  }

  /// A `trigger` that waits for its round.
  struct Wait {
    let request: RequestID
    let token: UInt64
    var round: RoundID?
    let until: MonotonicInstant
  }

  let token: UInt64
  let socket: OwnedDescriptor
  let peer: Peer
  let isObserver: Bool, isAdmin: Bool

  var phase: Phase
  var decoder = FrameDecoder()
  var outbox: Outbox
  /// What the epoll set watches for.
  var interest: EpollEvents = .in

  /// The number of the session; the core's client id once it is a member.
  var client = ClientID(0)
  var name = ""
  /// Which program it is, over restarts.
  var program = ""
  /// Whether the core knows it.
  var isMember = false
  var capabilities = Capabilities.shrink
  /// What brings it back; nil before `hello`.
  var resumeToken: SecretToken?
  var caches: [SessionCache] = []
  var nextCache: UInt32 = 1

  var requests = RequestTable()
  var reports: ReportBudget
  var malformed = 0
  var subscriptions: [Subscription] = []
  var waits: [Wait] = []
  var lastHeard: MonotonicInstant
  var pingedAt: MonotonicInstant?

  init(
    token: UInt64,
    socket: OwnedDescriptor,
    peer: PeerCredentials,
    roles: (isObserver: Bool, isAdmin: Bool),
    queue: Int,
    at now: MonotonicInstant
  ) {
    self.token = token
    self.socket = socket
    self.peer = Peer(process: peer.process, uid: peer.uid, gid: peer.gid)
    isObserver = roles.isObserver
    isAdmin = roles.isAdmin
    phase = .greeting(until: now + Session.helloWithin)
    outbox = Outbox(limit: queue)
    reports = ReportBudget(at: now)
    lastHeard = now
  }

  /// Within this of connect, `hello` must come (`docs/PROTOCOL.md` §2).
  static let helloWithin = TimeSpan.seconds(5)

  /// The names of its roles, as `hello` tells them.
  var roles: [Role] {
    var roles: [Role] = [.member]
    if isObserver { roles.append(.observer) }
    if isAdmin { roles.append(.admin) }
    return roles
  }

  /// The cache of that id, where it exists.
  func cache(_ id: CacheID) -> SessionCache? { caches.first { $0.id == id } }
}
