// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel
import UCMKProtocol

extension ClientEngine {
  /// Takes one line of the daemon's.
  package func receive(_ bytes: [UInt8], in range: Range<Int>, at now: MonotonicInstant) {
    heardAt = now
    pingedAt = nil
    let message: IncomingMessage
    do throws(RPCFault) {
      message = try IncomingMessage(bytes, in: range)
    } catch {
      error.write(to: &writer)
      if error.countsAsMalformed { countMalformed() }
      return
    }
    malformed = 0
    switch message {
    case .request(let id, let method, let params):
      answer(id, Method(method), name: method, params, at: now)
    case .notification(let method, let params):
      if let method = Method(method) { note(method, params) }
    case .response(let id, let outcome): receive(answer: id, outcome, at: now)
    case .ignored: break
    }
  }

  /// Takes notice of a line above the limit.
  package func receiveOversized(at now: MonotonicInstant) {
    RPCError.limitExceeded(
      limit: "line_out",
      maximum: UInt64(ProtocolLimits().lineOut),
      retryAfter: nil
    )
    .write(to: &writer, id: nil)
    verdict = .close
  }

  private func countMalformed() {
    malformed += 1
    if malformed >= ClientEngine.malformedLimit { verdict = .close }
  }

  private func answer(
    _ id: RequestID,
    _ method: Method?,
    name: JSONValue,
    _ params: JSONValue?,
    at now: MonotonicInstant
  ) {
    switch method {
    case .shrink?:
      do throws(RPCError) {
        try message.read(params: params)
        try admit(id, at: now)
      } catch {
        error.write(to: &writer, id: id)
      }
    case .ping?:
      PingResult(monotonicNanoseconds: now.nanoseconds).writeResponse(id: id, to: &writer)
    default:
      let known = CachePolicy.cut(name.string ?? "", toBytes: 64)
      RPCError.methodNotFound(method: known).write(to: &writer, id: id)
    }
  }

  private func note(_ method: Method, _ params: JSONValue?) {
    do throws(RPCError) {
      switch method {
      case .limit: apply(try Limit(params: params).caches)
      case .relax:
        let relax = try Relax(params: params)
        if let caches = relax.caches {
          apply(caches)
        } else if relax.level == .none {
          for record in records { record?.cell.setLimit(.none) }
        }
        level = relax.level
        tell(relax.level, scope: told?.scope ?? .domain(.host), round: relax.round.number)
      case .notice:
        // A daemon that has too much to do hears from this client once a second at most.
        if try Notice(params: params).kind == .overloaded { reportSpacing = .seconds(1) }
      case .shutdown: reconnectAfter = try Shutdown(params: params).reconnectAfter
      case .cancel: cancel(try Cancel(params: params).id)
      default: break
      }
    } catch {
      // A notification is never answered, not even with an error.
      notificationsDropped += 1
    }
  }

  /// Sets the ceilings of the caches that are here.
  func apply(_ limits: [CacheLimit]) {
    for entry in limits {
      guard let place = place(of: entry.id) else { continue }
      records[place]?.cell.setLimit(MemoryLimit(bytes: entry.limit))
    }
  }

  func place(of id: CacheID) -> Int? { records.firstIndex { $0?.id == id } }

  /// Has the program told of a change, once, after the next status.
  func tell(_ level: PressureLevel, scope: Scope, round: UInt64) {
    let event = PressureEvent(level: level, scope: scope, round: round)
    if level == .none, told == nil || told?.level == PressureLevel.none { return }
    guard event != told else { return }
    told = event
    housekeeper.hold(event)
  }
}
