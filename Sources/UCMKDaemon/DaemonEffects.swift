// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKProtocol
import UCMKSystemd

/// One function for each effect, nothing else.
extension Daemon {
  func perform(_ effects: [Effect]) {
    for effect in effects {
      switch effect {
      case .watch(let domain): watch(domain)
      case .unwatch(let domain): unwatch(domain)
      case .sample(let domain): sample(domain)
      case .measure(let process): measure(process)
      case .ask(let order): ask(order)
      case .cancel(let client, let round, let attempt): cancel(client, round, attempt)
      case .limit(let client, let range): sendLimit(client, range)
      case .relax(let client, let round, let level, let range):
        sendRelax(client, round, level, range)
      case .leftOut(let client): logBehaviour(.notice, "client does not answer: left out", client)
      case .keepsMemory(let client):
        logBehaviour(.notice, "a client's allocator keeps what its caches give up", client)
      case .exhausted(let domain): ladderEnded(domain, isExhausted: true)
      case .relieved(let domain): ladderEnded(domain, isExhausted: false)
      case .levelChanged(let domain, let from, let to): levelChanged(domain, from, to)
      case .stateChanged(let domain, let from, let to):
        log(
          .debug,
          "state changed",
          [("domain", domain.name), ("from", from.name), ("to", to.name)]
        )
      case .roundOpened(let round): roundOpened(round)
      case .roundClosed(let round): roundClosed(round)
      case .accepted(let token, let round): accepted(token, round)
      case .declined(let token, let refusal): declined(token, refusal)
      case .pauseChanged(let isPaused):
        notice(isPaused ? .paused : .resumed)
        log(.notice, isPaused ? "automatic rounds paused" : "automatic rounds resumed")
      }
    }
  }

  // MARK: - Sensing

  private func sample(_ domain: DomainID) {
    readProtections(atMostEvery: Daemon.protectionPeriod)
    if let reading = read(domain) {
      submit(.sampled(domain, reading))
    } else if domain != .host {
      lose(domain)
    }
  }

  private func measure(_ process: ProcessID) {
    let cgroup = reader.cgroup(of: process)
    let reading = reader.reading(of: process, cgroup: cgroup, depth: .status)
    submit(.measured(process, reading))
  }

  // MARK: - Clients

  private func ask(_ order: ShrinkOrder) {
    guard let session = sessions.session(of: order.client), session.phase == .open,
      session.capabilities.contains(.shrink),
      let id = session.requests.open(.shrink(order.round, attempt: order.attempt))
    else { return submit(.undelivered(order.client, order.round, attempt: order.attempt)) }
    orderFrame.write(order, id: id, broker.targets[order.targets], to: &writer)
    guard deliver(to: session, .request) else {
      _ = session.requests.close(id)
      return submit(.undelivered(order.client, order.round, attempt: order.attempt))
    }
  }

  private func cancel(_ client: ClientID, _ round: RoundID, _ attempt: UInt8) {
    guard let session = sessions.session(of: client),
      let id = session.requests.id(of: .shrink(round, attempt: attempt))
    else { return }
    writer.removeAll()
    writer.beginNotification(.cancel)
    writer.beginObject()
    writer.member("id", id)
    writer.endObject()
    writer.endMessage()
    deliver(to: session, .notification)
  }

  private func sendLimit(_ client: ClientID, _ range: Range<Int>) {
    guard let session = sessions.session(of: client) else { return }
    writer.removeAll()
    writer.beginNotification(.limit)
    writer.beginObject()
    ShrinkWriter.write(broker.limits[range], to: &writer)
    writer.endObject()
    writer.endMessage()
    deliver(to: session, .notification)
  }

  private func sendRelax(
    _ client: ClientID,
    _ round: RoundID,
    _ level: PressureLevel,
    _ range: Range<Int>
  ) {
    guard let session = sessions.session(of: client) else { return }
    writer.removeAll()
    writer.beginNotification(.relax)
    writer.beginObject()
    writer.member("round", round: round)
    writer.member("level", level)
    if !range.isEmpty { ShrinkWriter.write(broker.limits[range], to: &writer) }
    writer.endObject()
    writer.endMessage()
    deliver(to: session, .notification)
  }

  // MARK: - People

  private func logBehaviour(_ level: LogLevel, _ message: String, _ client: ClientID) {
    guard let view = broker.client(client) else { return }
    log(
      level,
      message,
      [
        ("session", client.name), ("name", view.facts.name),
        ("pid", "\(view.facts.process.number)"), ("trust", "\(view.trust.parts)"),
      ]
    )
  }

  private func levelChanged(
    _ domain: DomainID,
    _ from: PressureLevel,
    _ to: PressureLevel
  ) {
    log(
      .notice,
      "level changed",
      [("domain", domain.name), ("from", from.name), ("level", to.name)]
    )
    publish(.pressure) { writer in
      writer.beginObject()
      writer.member("scope", scope: .domain(domain))
      writer.member("from", from)
      writer.member("level", to)
      writer.endObject()
    }
    // Limits above a client may have been set after it came; now it matters.
    if to > .none { relocateClients() }
  }

  /// Tells people that a domain is at the end of the ladder, or that this is over.
  private func ladderEnded(_ domain: DomainID, isExhausted: Bool) {
    let view = broker.domains.first { $0.domain == domain }
    let fields = [
      ("domain", domain.name),
      ("available_bytes", "\(view?.reading?.available.value ?? 0)"),
      ("low_bytes", "\(view?.low.value ?? 0)"),
    ]
    if isExhausted {
      log(.warning, "pressure is critical and caches have nothing left to give", fields)
    } else {
      log(.notice, "pressure is critical no longer", fields)
    }
    let level = view?.level ?? .none
    publish(.pressure) { writer in
      writer.beginObject()
      writer.member("scope", scope: .domain(domain))
      writer.member("from", level)
      writer.member("level", level)
      writer.member("exhausted", isExhausted)
      writer.endObject()
    }
  }

  private func roundOpened(_ round: RoundID) {
    if roundTimes.count == Defaults.roundsKept { roundTimes.removeFirst() }
    roundTimes.append((round, surroundings.wallMicroseconds()))
    publishRound(round)
  }

  private func roundClosed(_ round: RoundID) {
    if let view = broker.rounds(count: Defaults.roundsKept).first(where: { $0.round == round }) {
      log(
        .notice,
        "round closed",
        [
          ("round", "\(round.number)"), ("reason", view.reason.name),
          ("level", view.level.name), ("target_bytes", "\(view.target.value)"),
          ("asked_bytes", "\(view.asked.value)"), ("claimed_bytes", "\(view.claimed.value)"),
          ("measured_bytes", "\(view.measured.value)"),
          ("took_ms", "\(view.took.milliseconds)"),
        ]
      )
    }
    publishRound(round)
    answerWaits(forRound: round)
  }

  /// When the round was opened, on the wall clock; 0 for one that is no longer remembered.
  func wallTime(of round: RoundID) -> UInt64 {
    roundTimes.first { $0.round == round }?.microseconds ?? 0
  }
}

/// Writes the parts of `shrink`, `limit` and `relax` straight from the core's buffers.
enum ShrinkWriter {
  static func write(
    _ order: ShrinkOrder,
    _ targets: ArraySlice<ShrinkTarget>,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("round", round: order.round)
    writer.member("attempt", UInt64(order.attempt))
    writer.member("level", order.level)
    writer.member("scope", scope: order.scope)
    writer.member("deadline_ms", milliseconds: order.deadline)
    writer.key("targets")
    writer.beginArray()
    for target in targets {
      writer.beginObject()
      writer.member("id", UInt64(target.cache.number))
      writer.member("bytes", target.bytes)
      if let limit = target.limit { writer.member("limit", limit) }
      writer.endObject()
    }
    writer.endArray()
    writer.member("trim", order.trim)
    writer.member("dry_run", order.dryRun)
    writer.endObject()
  }

  static func write(_ limits: ArraySlice<CacheLimit>, to writer: inout JSONWriter) {
    writer.key("caches")
    writer.beginArray()
    for limit in limits {
      writer.beginObject()
      writer.member("id", UInt64(limit.cache.number))
      writer.member("limit", orNull: limit.limit)
      writer.endObject()
    }
    writer.endArray()
  }
}
