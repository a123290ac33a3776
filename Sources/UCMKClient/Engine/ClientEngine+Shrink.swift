// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel
import UCMKProtocol

// MARK: - Taking a request

extension ClientEngine {
  /// Takes the request that was read into `message`.
  func admit(_ id: RequestID, at now: MonotonicInstant) throws(RPCError) {
    guard !requests.contains(where: { $0.id == id }) else { throw .invalidRequest }
    // Half a second is a second chance within most deadlines.
    guard requests.count < ClientEngine.requestLimit,
      targets.count + message.targets.count <= ClientEngine.targetLimit
    else { throw .busy(retryAfter: .milliseconds(500)) }
    guard message.targets.contains(where: { place(of: $0.id) != nil }) else {
      throw .unknownID(.integer(UInt64(message.targets[0].id.number)))
    }
    let scope = scopes.scope(of: message)
    let time = message.deadline.nanoseconds
    let serial = open(
      OpenRequest(
        serial: nextSerial(),
        id: id,
        order: ShrinkOrder(
          round: message.round.number,
          attempt: Int(message.attempt),
          bytes: .zero,
          level: message.level,
          scope: scope,
          deadline: now + TimeSpan(nanoseconds: time / 4 * 3)
        ),
        manner: message.isDryRun ? .dryRun : .shrink,
        receivedAt: now,
        answerAt: now + TimeSpan(nanoseconds: time / 5 * 4),
        wantsTrim: message.trim && settings.trimsMalloc && !message.isDryRun
      )
    )
    for target in message.targets {
      let place = place(of: target.id)
      if let place, let limit = target.limit, !message.isDryRun {
        records[place]?.cell.setLimit(MemoryLimit(bytes: limit))
      }
      targets.append(
        OpenTarget(
          serial: serial,
          record: place,
          id: target.id,
          bytes: target.bytes,
          state: place == nil ? .gone : .waiting
        )
      )
    }
    if !message.isDryRun {
      level = message.level
      tell(message.level, scope: scope, round: message.round.number)
    }
    startWaiting()
    answerSettled(at: now)
  }

  /// Asks every cache for the fixed part that is given up where there is no daemon.
  package func admitLocalPressure(scope: Scope, at now: MonotonicInstant) {
    guard !requests.contains(where: { $0.id == nil }), !records.isEmpty else { return }
    let serial = open(
      OpenRequest(
        serial: nextSerial(),
        id: nil,
        order: ShrinkOrder(
          round: 0,
          attempt: 1,
          bytes: .zero,
          level: .medium,
          scope: scope,
          deadline: now + ClientEngine.localDeadline
        ),
        manner: .localPart,
        receivedAt: now,
        answerAt: now + ClientEngine.localDeadline,
        wantsTrim: settings.trimsMalloc
      )
    )
    for place in records.indices where records[place] != nil {
      targets.append(
        OpenTarget(
          serial: serial,
          record: place,
          id: CacheID(0),
          bytes: .zero,
          state: .waiting
        )
      )
    }
    level = .medium
    tell(.medium, scope: scope, round: 0)
    startWaiting()
    answerSettled(at: now)
  }

  /// The pressure file fell silent.
  package func endLocalPressure() {
    guard !isLive else { return }
    level = .none
    if let told { tell(.none, scope: told.scope, round: 0) }
  }

  /// Events of the own pressure file come at most so often; each has as long as that.
  package static let localDeadline = TimeSpan.seconds(2)

  private func nextSerial() -> UInt64 {
    lastSerial += 1
    return lastSerial
  }

  private func open(_ request: OpenRequest) -> UInt64 {
    requests.append(request)
    return request.serial
  }

  /// The daemon takes a request back.
  ///
  /// What runs is told to stop; the answer does not wait for it.
  func cancel(_ id: RequestID) {
    guard let place = requests.firstIndex(where: { $0.id == id }) else { return }
    let serial = requests[place].serial
    for target in targets where target.serial == serial {
      guard case .running(let token) = target.state, let record = target.record else { continue }
      guard records[record]?.running == token else { continue }
      records[record]?.cell.cancelRunning()
      records[record]?.isLate = true
    }
    RPCError.cancelled.write(to: &writer, id: id)
    close(serial)
  }
}

// MARK: - Work

extension ClientEngine {
  /// Hands each idle cache its oldest waiting target.
  func startWaiting() {
    for index in targets.indices {
      guard case .waiting = targets[index].state, let place = targets[index].record,
        let record = records[place], record.running == nil,
        let request = requests.first(where: { $0.serial == targets[index].serial })
      else { continue }
      lastToken += 1
      var order = request.order
      order.bytes = targets[index].bytes
      targets[index].state = .running(token: lastToken)
      records[place]?.running = lastToken
      records[place]?.isLate = false
      record.cell.begin(order, request.manner, token: lastToken)
    }
  }

  /// Takes what the caches finished, answers what is complete, starts what waited.
  package func collect(at now: MonotonicInstant) {
    for place in records.indices {
      guard let record = records[place], let token = record.running,
        let outcome = record.cell.takeOutcome(of: token)
      else { continue }
      records[place]?.running = nil
      // The answer left without it: the daemon learns of it by the new usage.
      if record.isLate { records[place]?.mustReport = true }
      settle(token, outcome)
    }
    if let trimmed = housekeeper.takeTrimmed() {
      if trimming == trimmed { trimming = nil }
      for index in requests.indices where requests[index].trim == trimmed {
        requests[index].isTrimmed = true
      }
    }
    startWaiting()
    answerSettled(at: now)
  }

  private func settle(_ token: UInt64, _ outcome: CacheCell.Outcome) {
    for index in targets.indices {
      guard case .running(token) = targets[index].state else { continue }
      switch outcome {
      case .done(let freed, let more): targets[index].state = .done(freed: freed, more: more)
      case .refused(let refusal): targets[index].state = .refused(refusal)
      }
    }
  }

  /// A cache left: whoever waits for it waits no more.
  func abandon(_ place: Int) {
    for index in targets.indices where targets[index].record == place {
      targets[index].state = .gone
    }
  }
}

// MARK: - Answering

extension ClientEngine {
  /// Answers each request whose caches are all done and whose trim, if any, is.
  func answerSettled(at now: MonotonicInstant) {
    var index = 0
    while index < requests.count {
      let serial = requests[index].serial
      let isOpen = targets.contains { $0.serial == serial && !$0.isSettled }
      if isOpen || trimFirst(index) {
        index += 1
      } else {
        finish(requests[index], at: now)
      }
    }
  }

  /// Whether the answer has to wait for a trim, which is started where none runs.
  private func trimFirst(_ index: Int) -> Bool {
    let request = requests[index]
    guard request.wantsTrim, !request.isTrimmed else { return false }
    guard request.trim == nil else { return true }
    let hasFreed = targets.contains { target in
      guard target.serial == request.serial, case .done(let freed, _) = target.state else {
        return false
      }
      return freed > .zero
    }
    guard hasFreed else { return false }
    lastToken += 1
    requests[index].trim = lastToken
    trimming = lastToken
    housekeeper.trim(token: lastToken)
    return true
  }

  /// Answers each request whose time is up with what is done so far.
  func answerOverdue(at now: MonotonicInstant) {
    while let request = requests.first(where: { $0.answerAt <= now }) {
      for index in targets.indices where targets[index].serial == request.serial {
        guard let place = targets[index].record else { continue }
        switch targets[index].state {
        case .running:
          let soFar = records[place]?.cell.progress.freedSoFar ?? .zero
          targets[index].state = .done(freed: soFar, more: true)
          records[place]?.isLate = true
        case .waiting: targets[index].state = .done(freed: .zero, more: true)
        case .done, .refused, .gone: break
        }
      }
      finish(request, at: now)
    }
  }

  private func finish(_ request: OpenRequest, at now: MonotonicInstant) {
    answered += 1
    for target in targets where target.serial == request.serial {
      if case .done(let freed, _) = target.state, request.manner != .dryRun { self.freed += freed }
    }
    if let id = request.id { write(answerTo: request, id, at: now) }
    close(request.serial)
  }

  private func write(answerTo request: OpenRequest, _ id: RequestID, at now: MonotonicInstant) {
    if let refusal = commonRefusal(of: request.serial) {
      let reason = refusal.reason.map { CachePolicy.cut($0, toBytes: 64) }
      RPCError.refused(retryAfter: refusal.retryAfter, reason: reason).write(to: &writer, id: id)
      return
    }
    reply.round = RoundID(request.order.round)
    reply.took = now.since(request.receivedAt)
    reply.targets.removeAll(keepingCapacity: true)
    for target in targets where target.serial == request.serial {
      reply.targets.append(replyTarget(target))
    }
    reply.writeResponse(id: id, to: &writer)
  }

  private func replyTarget(_ target: OpenTarget) -> ShrinkReply.Target {
    let record = target.record.flatMap { records[$0] }
    let usage = target.isGone ? .zero : record?.cell.usage ?? .zero
    var (freed, more) = (ByteCount.zero, false)
    if case .done(let done, let hasMore) = target.state { (freed, more) = (done, hasMore) }
    return ShrinkReply.Target(
      id: target.id,
      freed: freed,
      bytes: usage.bytes,
      reclaimable: usage.reclaimable,
      hasMore: more
    )
  }

  /// The refusal to answer with, where every cache that is here refused: the longest wait.
  private func commonRefusal(of serial: UInt64) -> ShrinkRefusal? {
    var longest: ShrinkRefusal?
    for target in targets where target.serial == serial {
      switch target.state {
      case .refused(let refusal):
        if (longest?.retryAfter ?? .zero) <= refusal.retryAfter { longest = refusal }
      case .gone: continue
      case .done, .waiting, .running: return nil
      }
    }
    return longest
  }

  func close(_ serial: UInt64) {
    requests.removeAll { $0.serial == serial }
    targets.removeAll { $0.serial == serial }
  }
}
