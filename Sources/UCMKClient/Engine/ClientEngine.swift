// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel
package import UCMKProtocol

/// The client's side of a session, without a socket, a clock or a thread.
///
/// The loop feeds lines, time and "look at the cells" in; messages come out in `writer`. All that
/// a request to shrink needs is reserved here when the engine is made. Not safe for several
/// threads: only the loop's thread may touch it.
package final class ClientEngine {
  /// Caches of one client (`docs/PROTOCOL.md` §2); more stay with the program alone.
  package static let cacheLimit = 62
  /// Requests in flight, each way.
  package static let requestLimit = 32
  /// Targets of all open requests together: four full requests.
  package static let targetLimit = 4 * cacheLimit
  /// Unsent bytes above which nothing but answers is written.
  package static let courtesyLimit = 16 << 10
  /// Unsent bytes above which nothing is read, so that answers cannot pile up.
  package static let outputLimit = 32 << 10
  /// Malformed lines in a row after which the connection is given up.
  package static let malformedLimit = 8

  /// How far the session is.
  package enum Phase: Sendable, Hashable {
    /// There is no connection.
    case offline
    /// Hello is not answered.
    case greeting(request: UInt64)
    /// The daemon knows this client.
    case live(session: String)
  }

  /// What is to happen to the connection.
  package enum Verdict: Sendable, Hashable {
    /// Nothing.
    case stay
    /// It is to be closed.
    case close
  }

  /// What does not change while the engine lives.
  package struct Settings: Sendable {
    /// What people see.
    package var name: String
    /// How often caches are asked for their usage.
    package var reportInterval: TimeSpan
    /// Whether free heap pages may be handed back.
    package var trimsMalloc: Bool

    /// Makes settings.
    package init(name: String, reportInterval: TimeSpan, trimsMalloc: Bool) {
      self.name = name
      self.reportInterval = reportInterval
      self.trimsMalloc = trimsMalloc
    }
  }

  /// What does not change.
  package let settings: Settings
  /// Who trims and tells the program.
  package let housekeeper: Housekeeper

  // The session.
  /// How far the session is.
  package internal(set) var phase = Phase.offline
  /// What is to happen to the connection.
  package internal(set) var verdict = Verdict.stay
  /// When the daemon wants to be tried again; nil where it said nothing.
  package internal(set) var reconnectAfter: TimeSpan?
  var resume: (token: String, validUntil: MonotonicInstant)?
  var heartbeat = TimeSpan.seconds(15)
  var heardAt = MonotonicInstant(nanoseconds: 0)
  var pingedAt: MonotonicInstant?
  var malformed = 0
  var pending: [PendingCall] = []
  var lastRequest: UInt64 = 0

  // What goes out, and the messages that are read and written again and again.
  /// What is to be sent.
  package var writer: JSONWriter
  var message = UCMKProtocol.ShrinkRequest()
  var reply = ShrinkReply()
  var report = CacheReport()

  // Caches and their usage.
  /// The caches, each at its place for as long as it stays.
  package internal(set) var records: [CacheRecord?] = []
  /// Ids of caches that left while the connection was down.
  var departed: [CacheID] = []
  var reportSpacing = ReportRule.shortest
  var reportedAt = MonotonicInstant(nanoseconds: 0)
  var polledAt = MonotonicInstant(nanoseconds: 0)
  var pollSpacing: TimeSpan

  // Rounds.
  var requests: [OpenRequest] = []
  var targets: [OpenTarget] = []
  var lastToken: UInt64 = 0
  var lastSerial: UInt64 = 0
  var trimming: UInt64?
  var told: PressureEvent?
  var scopes = KnownScopes()

  // For the status.
  /// The level last heard of.
  package internal(set) var level = PressureLevel.none
  /// Requests answered.
  package internal(set) var answered: UInt64 = 0
  /// What the caches said they freed for them.
  package internal(set) var freed = ByteCount.zero
  /// Notifications that could not be read.
  package internal(set) var notificationsDropped: UInt64 = 0

  /// Makes an engine without a connection.
  package init(settings: Settings, housekeeper: Housekeeper) {
    self.settings = settings
    self.housekeeper = housekeeper
    pollSpacing = settings.reportInterval
    writer = JSONWriter(reserving: 64 << 10)
    records.reserveCapacity(ClientEngine.cacheLimit)
    requests.reserveCapacity(ClientEngine.requestLimit + 1)
    targets.reserveCapacity(ClientEngine.targetLimit + ClientEngine.cacheLimit)
    report.caches.reserveCapacity(ClientEngine.cacheLimit)
    pending.reserveCapacity(ClientEngine.requestLimit)
  }

  /// Whether a session is up.
  package var isLive: Bool {
    if case .live = phase { return true }
    return false
  }

  // MARK: - Connection

  /// The socket is connected: the client speaks first.
  package func connected(at now: MonotonicInstant) {
    writer.removeAll()
    verdict = .stay
    reconnectAfter = nil
    malformed = 0
    pingedAt = nil
    heardAt = now
    greet(at: now)
  }

  /// The socket is gone.
  ///
  /// Shrinks that run end by themselves; nobody is answered.
  package func disconnected(at now: MonotonicInstant) {
    if isLive { resume?.validUntil = now + ClientEngine.resumeWindow }
    phase = .offline
    writer.removeAll()
    pending.removeAll(keepingCapacity: true)
    for index in records.indices where records[index]?.running != nil {
      records[index]?.isLate = true
    }
    targets.removeAll { target in requests.contains { $0.serial == target.serial && $0.id != nil } }
    requests.removeAll { $0.id != nil }
    verdict = .stay
  }

  /// Daemons keep a session that broke off for so long (`docs/PROTOCOL.md` §5).
  package static let resumeWindow = TimeSpan.seconds(10)

  // MARK: - Time

  /// Does what is due.
  ///
  /// Safe to call at any time.
  package func tick(at now: MonotonicInstant) {
    answerOverdue(at: now)
    guard isLive else {
      if case .greeting = phase, now.since(heardAt) >= heartbeat { verdict = .close }
      return
    }
    watchHeartbeat(at: now)
    pollUsages(at: now)
    writeReports(at: now)
  }

  /// When `tick` has something to do next; nil where only an event can bring it.
  package func nextDeadline(after now: MonotonicInstant) -> MonotonicInstant? {
    var next: MonotonicInstant?
    func consider(_ instant: MonotonicInstant) { next = min(next ?? instant, instant) }
    for request in requests { consider(request.answerAt) }
    switch phase {
    case .offline: break
    case .greeting: consider(heardAt + heartbeat)
    case .live:
      consider(pingedAt.map { $0 + heartbeat } ?? heardAt + heartbeat + heartbeat)
      if hasRegistered { consider(polledAt + pollSpacing) }
      if let due = nextReport(after: now) { consider(due) }
    }
    return next
  }

  private func watchHeartbeat(at now: MonotonicInstant) {
    if let pingedAt {
      if now.since(pingedAt) >= heartbeat { verdict = .close }
      return
    }
    // The daemon pings who is silent for one heartbeat: two without a word are too many.
    guard now.since(heardAt) >= heartbeat + heartbeat else { return }
    pingedAt = now
    call(.ping)
  }
}
