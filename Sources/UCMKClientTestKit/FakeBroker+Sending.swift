// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel
import UCMKProtocol

// MARK: - What the daemon says

extension FakeBroker {
  /// Asks for memory without waiting for the answer.
  public func ask(
    _ targets: [ShrinkTarget],
    _ terms: ShrinkTerms = ShrinkTerms()
  ) -> PendingRequest {
    let request = nextRequest()
    let round = state.change { log in
      if terms.round == nil, terms.attempt == 1 { log.lastRound += 1 }
      return terms.round ?? log.lastRound
    }
    send { writer in
      writer.beginRequest(.shrink, id: .integer(request.id))
      writer.object { writer in
        writer.member("round", round)
        writer.member("attempt", UInt64(terms.attempt))
        writer.member("level", terms.level)
        writer.key("scope")
        writer.scope(terms.scope)
        writer.member("deadline_ms", milliseconds: terms.deadline)
        writer.member(array: "targets") { writer in
          for target in targets {
            writer.object { writer in
              writer.member("id", UInt64(target.id.number))
              writer.member("bytes", target.bytes)
              if let limit = target.limit { writer.member("limit", limit) }
            }
          }
        }
        writer.member("trim", terms.trim)
        writer.member("dry_run", terms.isDryRun)
      }
      writer.endMessage()
    }
    return request
  }

  /// Takes a request back; the client still answers it.
  public func cancel(_ request: PendingRequest) {
    send { Cancel(id: .integer(request.id)).writeNotification(to: &$0) }
  }

  /// Sets the ceiling of a cache; nil lifts it.
  public func limit(_ cache: BrokerCache, to bytes: ByteCount?) {
    state.change { $0.limits[cache.name] = bytes }
    send { Limit(caches: [.init(id: cache.id, limit: bytes)]).writeNotification(to: &$0) }
  }

  /// Says that pressure fell.
  ///
  /// - Parameters:
  ///   - level: The level in force.
  ///   - limits: Ceilings that change with it; nil where none is named.
  public func relax(
    to level: PressureLevel = .none,
    limits: [(cache: BrokerCache, bytes: ByteCount?)]? = nil
  ) {
    let round = state.change { $0.lastRound }
    let caches = limits?.map { CacheLimit(id: $0.cache.id, limit: $0.bytes) }
    send { writer in
      Relax(round: RoundID(round), level: level, caches: caches)
        .writeNotification(to: &writer)
    }
  }

  /// Says what a daemon says before it stops, then closes the connection.
  ///
  /// It listens on.
  public func shutDown(reconnectAfter span: TimeSpan) {
    send { Shutdown(reconnectAfter: span).writeNotification(to: &$0) }
    loseConnection()
  }

  /// Sends a line as it is; the line end is added.
  public func sendLine(_ text: String) {
    send { writer in
      writer.raw(Array(text.utf8))
      writer.endLine()
    }
  }
}

// MARK: - What can go wrong

extension FakeBroker {
  /// Closes the newest connection.
  ///
  /// The session can be resumed.
  public func loseConnection() {
    state.change { log in
      if let live = log.live { log.connections[live].mustClose = true }
    }
  }

  /// Keeps no session that breaks off from now on: the next hello is not resumed.
  public func forgetSessionsFromNowOn() {
    state.change { log in
      log.kept = []
      log.isForgetful = true
    }
  }

  /// Stops listening and loses every connection: no daemon is there.
  public func leave() {
    state.change { log in
      log.listens = false
      for index in log.connections.indices { log.connections[index].mustClose = true }
    }
  }

  /// Listens again.
  public func comeBack() {
    state.change { $0.listens = true }
  }

  /// Reads and answers nothing from now on, with the connection open; or does so again.
  public func setSilent(_ isSilent: Bool) { state.change { $0.isSilent = isSilent } }

  /// Answers every hello with -32005 from now on; nil for normal greetings again.
  public func refuseGreetings(retryAfter span: TimeSpan?) {
    state.change { log in
      log.greetingError = span.map { span in
        .limitExceeded(limit: "connections", maximum: 1, retryAfter: span)
      }
    }
  }

  /// What clients are told of their own cgroup.
  public func setCgroup(_ path: String?) { state.change { $0.cgroup = path } }
}
