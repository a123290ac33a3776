// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKProtocol
import UCMKSystemd

/// `hello` and `bye`: who is at the other end (`docs/PROTOCOL.md` §5).
extension Daemon {
  /// The release; the package and the manual pages carry the same.
  package static let version = "0.1.0"

  func hello(_ params: JSONValue?, _ id: RequestID, _ session: Session) throws(RPCError) {
    guard case .greeting = session.phase else { throw RPCError.wrongState(state: "open") }
    let hello = try Hello(params: params)
    let version = try ProtocolVersion.negotiate(hello.versions)
    session.phase = .open
    session.name = hello.name
    session.capabilities = hello.capabilities
    let isResumed = resume(hello, session)
    if !isResumed {
      session.client = ClientID(nextClient)
      nextClient += 1
    }
    let token = SecretToken.make()
    session.resumeToken = token
    sessions.name(session)
    if hello.kind == .member || isResumed { join(session, isBack: isResumed) }
    answer(session, id) { writer in
      var result = HelloResult(
        session: session.client.name,
        resumeToken: token.text,
        host: describeHost(),
        you: HelloResult.Peer(
          process: session.peer.process,
          userID: session.peer.uid,
          groupID: session.peer.gid,
          cgroup: reader.cgroup(of: session.peer.process),
          roles: session.roles
        )
      )
      result.version = version
      result.daemonVersion = Daemon.version
      result.isResumed = isResumed
      result.limits = limits
      result.write(to: &writer)
    }
  }

  /// Gives a lost session its caches back, where the token is right.
  private func resume(_ hello: Hello, _ session: Session) -> Bool {
    guard let token = hello.resumeToken else { return false }
    // The connection it comes from may have ended in this very turn.
    endClosing()
    guard let entry = resumable.take(token, user: session.peer.uid, at: now)
    else { return false }
    session.client = entry.client
    session.caches = entry.caches
    session.nextCache = entry.nextCache
    return true
  }

  /// Makes the session a client of the core.
  func join(_ session: Session, isBack: Bool = false) {
    guard !session.isMember else { return }
    session.isMember = true
    memberCount += 1
    let facts = facts(of: session)
    submit(isBack ? .reattached(session.client, facts) : .joined(session.client, facts))
    recallBehaviour(of: session, facts, isBack: isBack)
    readNewProtections(of: session.client)
    log(
      .info,
      isBack ? "client came back" : "client joined",
      [
        ("session", session.client.name), ("name", session.name),
        ("pid", "\(session.peer.process.number)"), ("uid", "\(session.peer.uid)"),
        ("cgroup", facts.cgroup ?? "-"),
      ]
    )
    publishClient(session, change: "joined")
  }

  /// What the kernel and the settings say of the session's process.
  func facts(of session: Session) -> ClientFacts {
    let cgroup = reader.cgroup(of: session.peer.process)
    var facts = ClientFacts(
      name: session.name,
      process: session.peer.process,
      user: session.peer.uid,
      cgroup: cgroup,
      domains: reader.domains(ofCgroup: cgroup, named: settings.configuration.domains)
    )
    facts.takesRequests = session.capabilities.contains(.shrink)
    guard !settings.rules.isEmpty else { return facts }
    let subject = ClientRule.Subject(
      name: session.name,
      user: session.peer.uid,
      userName: UserNames.name(of: session.peer.uid),
      cgroup: cgroup,
      executable: reader.executable(of: session.peer.process)
    )
    if subject.executable == nil { complainOfExecutables() }
    if let rule = settings.rules.first(where: { $0.matches(subject) }) {
      facts.grantedShare = rule.share ?? facts.grantedShare
      facts.grantedFloor = rule.floor ?? facts.grantedFloor
    }
    return facts
  }

  /// Says once that rules by executable need a right that the daemon does not have.
  private func complainOfExecutables() {
    guard reader.isDenied, !hasToldDenial else { return }
    let isAsked = settings.rules.contains { rule in
      if case .executable = rule.match { true } else { false }
    }
    guard isAsked else { return }
    hasToldDenial = true
    log(.warning, "rules by executable match nobody", [("surface", "executables")])
  }

  /// What the peer's user may do.
  func roles(of peer: PeerCredentials) -> (isObserver: Bool, isAdmin: Bool) {
    if peer.uid == 0 || (surroundings.isUserInstance && peer.uid == surroundings.ownUser) {
      return (true, true)
    }
    let isAdmin = isIn(settings.adminGroup, peer)
    return (isAdmin || isIn(settings.observerGroup, peer), isAdmin)
  }

  private func isIn(_ group: String, _ peer: PeerCredentials) -> Bool {
    guard !group.isEmpty else { return false }
    do throws(SystemError) {
      guard let number = try Groups.id(named: group) else { return false }
      return peer.isMember(of: number)
    } catch {
      log(.warning, "a group cannot be looked up", [("group", group)])
      return false
    }
  }

  private func describeHost() -> HelloResult.Host {
    HelloResult.Host(
      memoryTotal: hostFacts.memoryTotal,
      swapTotal: swapTotal,
      pageSize: ByteCount(hostFacts.pageSize),
      hasPressure: hasPressure,
      hasCgroup2: surroundings.files.cgroup != nil
    )
  }
}
