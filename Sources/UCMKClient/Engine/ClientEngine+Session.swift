// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel
import UCMKProtocol

/// A request of ours that is not answered.
struct PendingCall: Sendable {
  enum Kind: Sendable, Hashable {
    case hello, register, update, unregister, limitGet, ping
  }

  let number: UInt64
  let kind: Kind
}

// MARK: - Calls of ours

extension ClientEngine {
  /// Caches in one registration: with labels at their longest a message stays far below the
  /// longest line, 64 KiB.
  static let registrationChunk = 8

  /// Whether another request may be written now.
  var mayCall: Bool {
    pending.count < ClientEngine.requestLimit && writer.count < ClientEngine.courtesyLimit
  }

  /// Notes a request and returns its number.
  func nextCall(_ kind: PendingCall.Kind) -> UInt64 {
    lastRequest += 1
    pending.append(PendingCall(number: lastRequest, kind: kind))
    return lastRequest
  }

  func greet(at now: MonotonicInstant) {
    var hello = Hello(
      name: CachePolicy.cut(settings.name, toBytes: 64),
      capabilities: [.shrink, .limit]
    )
    hello.language = "swift"
    if let resume, now < resume.validUntil { hello.resumeToken = resume.token }
    let number = nextCall(.hello)
    phase = .greeting(request: number)
    hello.writeRequest(id: .integer(number), to: &writer)
  }

  func call(_ kind: PendingCall.Kind) {
    switch kind {
    case .ping: Ping().writeRequest(id: .integer(nextCall(.ping)), to: &writer)
    case .limitGet: LimitGet().writeRequest(id: .integer(nextCall(.limitGet)), to: &writer)
    case .hello, .register, .update, .unregister:
      preconditionFailure("a call with params has its own function")
    }
  }

  /// Tells the daemon of caches that came, changed or left.
  package func synchronize() {
    guard isLive else { return }
    while mayCall, announceSome() {}
    for index in records.indices where mayCall {
      guard let record = records[index], let id = record.id,
        let policy = record.cell.takePolicyChange()
      else { continue }
      update(id, policy, of: record.cell)
    }
  }

  /// Registers the next few caches that the daemon does not know.
  private func announceSome() -> Bool {
    var declarations: [CacheDeclaration] = []
    for index in records.indices where declarations.count < ClientEngine.registrationChunk {
      guard let record = records[index], record.standing == .unknown else { continue }
      let usage = record.cell.usage
      // What changed before the registration is in it.
      let policy = record.cell.takePolicyChange() ?? record.cell.policy
      declarations.append(policy.declaration(name: record.cell.wireName, usage: usage))
      records[index]?.standing = .announced(request: lastRequest + 1)
      records[index]?.reported = usage
      record.cell.noteReported(usage)
    }
    guard !declarations.isEmpty else { return false }
    CacheRegister(caches: declarations)
      .writeRequest(id: .integer(nextCall(.register)), to: &writer)
    return true
  }

  private func update(_ id: CacheID, _ policy: CachePolicy, of cell: CacheCell) {
    let declaration = policy.declaration(name: cell.wireName, usage: .zero)
    var update = CacheUpdate(id: id)
    update.share = declaration.share
    update.floor = declaration.floor
    update.ceiling =
      declaration.ceiling.map(CacheUpdate.CeilingChange.bytes)
      ?? CacheUpdate.CeilingChange.none
    update.costMicrosecondsPerMiB = declaration.costMicrosecondsPerMiB
    update.minimumLevel = declaration.minimumLevel
    update.release = declaration.release
    update.labels = declaration.labels
    update.writeRequest(id: .integer(nextCall(.update)), to: &writer)
  }

  func unregister(_ id: CacheID) {
    guard isLive else { return }
    CacheUnregister(ids: [id]).writeRequest(id: .integer(nextCall(.unregister)), to: &writer)
  }

  /// Says good-bye: the daemon need not keep the session.
  package func leave() {
    guard isLive else { return }
    Bye(reason: nil).writeNotification(to: &writer)
    resume = nil
  }
}

// MARK: - Their answers

extension ClientEngine {
  /// How long to wait before a daemon of another version is asked again: it has to be replaced.
  static let foreignVersionDelay = TimeSpan.seconds(30)

  func receive(answer id: RequestID?, _ outcome: IncomingMessage.Outcome, at now: MonotonicInstant)
  {
    guard case .integer(let number)? = id,
      let place = pending.firstIndex(where: { $0.number == number })
    else { return }
    let kind = pending.remove(at: place).kind
    switch outcome {
    case .result(let result): receive(result, of: kind, number, at: now)
    case .error(let error): receive(error, of: kind, number)
    }
  }

  private func receive(
    _ result: JSONValue,
    of kind: PendingCall.Kind,
    _ number: UInt64,
    at now: MonotonicInstant
  ) {
    do throws(RPCError) {
      switch kind {
      case .hello: begin(try HelloResult(result: result), at: now)
      case .register: register(try CacheRegisterResult(result: result), number, at: now)
      case .limitGet:
        let limits = try LimitGetResult(result: result)
        apply(limits.caches)
        level = limits.level
        if level == .none { tell(.none, scope: told?.scope ?? .domain(.host), round: 0) }
      case .ping: pingedAt = nil
      case .update, .unregister: break
      }
    } catch {
      // A daemon whose greeting cannot be read cannot be talked to; any other answer can lack.
      if kind == .hello { verdict = .close }
      if kind == .register { refuse(number) }
    }
  }

  private func receive(_ error: RPCErrorObject, of kind: PendingCall.Kind, _ number: UInt64) {
    switch kind {
    case .hello:
      verdict = .close
      switch error.known {
      case .limitExceeded(_, _, let retryAfter): reconnectAfter = retryAfter
      case .shuttingDown(let span): reconnectAfter = span
      case .versionNotSupported: reconnectAfter = ClientEngine.foreignVersionDelay
      default: break
      }
    case .register: refuse(number)
    case .ping: pingedAt = nil
    case .update, .unregister, .limitGet: break
    }
  }

  private func begin(_ hello: HelloResult, at now: MonotonicInstant) {
    // Nobody could say what messages of a version mean that this side did not offer.
    guard ProtocolVersion.supported.contains(hello.version) else {
      verdict = .close
      reconnectAfter = ClientEngine.foreignVersionDelay
      return
    }
    phase = .live(session: hello.session)
    resume =
      hello.resumeToken.isEmpty
      ? nil : (hello.resumeToken, MonotonicInstant(nanoseconds: .max))
    heartbeat = max(hello.heartbeat, .milliseconds(10))
    reportSpacing = max(hello.reportMinimumInterval, ReportRule.shortest)
    if let path = hello.you.cgroup { scopes.learn(path) }
    polledAt = now
    for index in records.indices {
      guard let record = records[index] else { continue }
      if hello.isResumed, record.id != nil {
        records[index]?.mustReport = true
      } else {
        records[index]?.standing = .unknown
      }
    }
    if hello.isResumed {
      for id in departed { unregister(id) }
      // A relaxation may have been missed in between.
      call(.limitGet)
    } else {
      // Nobody holds the limits of a session that is forgotten.
      for record in records { record?.cell.setLimit(.none) }
    }
    departed.removeAll()
    synchronize()
  }

  private func register(_ result: CacheRegisterResult, _ number: UInt64, at now: MonotonicInstant) {
    for entry in result.caches {
      let place = records.firstIndex { record in
        record?.standing == .announced(request: number) && record?.cell.wireName == entry.name
      }
      guard let place else {
        // It left while it was being registered.
        unregister(entry.id)
        continue
      }
      records[place]?.standing = .registered(entry.id)
      records[place]?.reportedAt = now
    }
    refuse(number)
    synchronize()
  }

  /// Whatever was in request `number` and did not get an id is not tried again on this session.
  private func refuse(_ number: UInt64) {
    for index in records.indices where records[index]?.standing == .announced(request: number) {
      records[index]?.standing = .refused
    }
  }
}
