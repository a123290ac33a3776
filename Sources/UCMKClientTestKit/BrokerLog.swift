// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKClient
import UCMKModel
import UCMKProtocol

/// All that the broker has heard, and whom it has promised what.
struct BrokerLog {
  struct Connection {
    var number: UInt64
    var session: BrokerSession?
    var caches: [KnownCache] = []
    var outbox: [UInt8] = []
    var isOpen = true
    /// To be closed once the outbox is empty.
    var mustClose = false
  }

  struct KnownCache {
    var cache: BrokerCache
    var declaration: CacheDeclaration
    var usage: CacheUsage
  }

  /// A session that broke off and may come back.
  struct Kept {
    var token: String
    var caches: [KnownCache]
  }

  enum Outcome: Sendable {
    case shrink(ShrinkAnswer)
    case done
    case rejected(FakeBrokerError.Rejection)
  }

  var connections: [Connection] = []
  var kept: [Kept] = []
  /// Every session that said hello, in order.
  var sessions: [BrokerSession] = []
  /// Every report of a cache, in order.
  var reports: [(name: String, usage: CacheUsage)] = []
  /// Names of caches that were taken back, in order.
  var departures: [String] = []
  /// Lines that came, whatever they are, in order.
  var lines: [String] = []
  var outcomes: [UInt64: Outcome] = [:]
  var farewells = 0
  var updates: [CacheUpdate] = []

  var lastConnection: UInt64 = 0
  var lastCache: UInt32 = 0
  var lastRequest: UInt64 = 0
  var lastRound: UInt64 = 0
  var heartbeat: TimeSpan
  var cgroup: String?
  /// Whether what comes is read and answered.
  var isSilent = false
  /// What `hello` is refused with, if it is.
  var greetingError: RPCError?
  /// The limits that `limit.get` tells; by cache name.
  var limits: [String: ByteCount] = [:]
  /// Whether sessions that break off are forgotten at once.
  var isForgetful = false
  var listens = true
  var isStopped = false

  init(heartbeat: TimeSpan) { self.heartbeat = heartbeat }

  /// The newest connection that has said hello.
  var live: Int? { connections.lastIndex { $0.isOpen && $0.session != nil } }
}

// MARK: - What clients send

extension BrokerLog {
  mutating func receive(_ bytes: [UInt8], in range: Range<Int>, from index: Int) {
    lines.append(String(decoding: bytes[range], as: UTF8.self))
    var writer = JSONWriter()
    do throws(RPCFault) {
      switch try IncomingMessage(bytes, in: range) {
      case .request(let id, let name, let params):
        do throws(RPCError) {
          try answer(id, Method(name), params, from: index, to: &writer)
        } catch {
          error.write(to: &writer, id: id)
        }
      case .notification(let name, let params):
        do throws(RPCError) {
          try note(Method(name), params, from: index)
        } catch {
          error.write(to: &writer, id: nil)
        }
      case .response(let id, let outcome): settle(id, outcome)
      case .ignored: break
      }
    } catch {
      error.write(to: &writer)
    }
    connections[index].outbox += writer.bytes
  }

  private mutating func answer(
    _ id: RequestID,
    _ method: Method?,
    _ params: JSONValue?,
    from index: Int,
    to writer: inout JSONWriter
  ) throws(RPCError) {
    switch method {
    case .hello?:
      if let greetingError { throw greetingError }
      greet(try Hello(params: params), from: index).writeResponse(id: id, to: &writer)
    case .cacheRegister?:
      let caches = try CacheRegister(params: params).caches
      register(caches, from: index).writeResponse(id: id, to: &writer)
    case .cacheUpdate?:
      let update = try CacheUpdate(params: params)
      updates.append(update)
      apply(update, from: index)
      EmptyResult().writeResponse(id: id, to: &writer)
    case .cacheUnregister?:
      let ids = try CacheUnregister(params: params).ids
      CacheUnregisterResult(removed: unregister(ids, from: index))
        .writeResponse(id: id, to: &writer)
    case .limitGet?:
      let caches = connections[index].caches.map { known in
        CacheLimit(id: known.cache.id, limit: limits[known.cache.name])
      }
      LimitGetResult(caches: caches, level: .none).writeResponse(id: id, to: &writer)
    case .ping?: PingResult(monotonicNanoseconds: 1).writeResponse(id: id, to: &writer)
    default: throw .methodNotFound(method: "not in the fake broker")
    }
  }

  private mutating func note(
    _ method: Method?,
    _ params: JSONValue?,
    from index: Int
  ) throws(RPCError) {
    switch method {
    case .cacheReport?:
      for entry in try CacheReport(params: params).caches {
        let place = connections[index].caches.firstIndex { $0.cache.id == entry.id }
        guard let place else { continue }
        connections[index].caches[place].usage = entry.usage
        reports.append((connections[index].caches[place].cache.name, entry.usage))
      }
    case .bye?:
      farewells += 1
      for known in connections[index].caches { departures.append(known.cache.name) }
      connections[index].caches = []
    default: break
    }
  }

  private mutating func greet(_ hello: Hello, from index: Int) -> HelloResult {
    let number = connections[index].number
    var isResumed = false
    if let token = hello.resumeToken, let place = kept.firstIndex(where: { $0.token == token }) {
      connections[index].caches = kept.remove(at: place).caches
      isResumed = true
    }
    let session = BrokerSession(name: "c\(number)", clientName: hello.name, isResumed: isResumed)
    connections[index].session = session
    sessions.append(session)
    var result = HelloResult(
      session: session.name,
      resumeToken: "token-\(number)",
      host: HelloResult.Host(
        memoryTotal: .gibibytes(4),
        swapTotal: .zero,
        pageSize: .kibibytes(4),
        hasPressure: true,
        hasCgroup2: true
      ),
      you: HelloResult.Peer(
        process: ProcessID(1),
        userID: 1000,
        groupID: 1000,
        cgroup: cgroup,
        roles: []
      )
    )
    result.isResumed = isResumed
    result.heartbeat = heartbeat
    return result
  }

  private mutating func register(
    _ declarations: [CacheDeclaration],
    from index: Int
  ) -> CacheRegisterResult {
    var entries: [CacheRegisterResult.Entry] = []
    for declaration in declarations {
      lastCache += 1
      let cache = BrokerCache(name: declaration.name, id: CacheID(lastCache))
      connections[index].caches.append(
        KnownCache(cache: cache, declaration: declaration, usage: declaration.usage)
      )
      entries.append(.init(name: cache.name, id: cache.id))
    }
    return CacheRegisterResult(caches: entries)
  }

  private mutating func apply(_ update: CacheUpdate, from index: Int) {
    let place = connections[index].caches.firstIndex { $0.cache.id == update.id }
    if let place { update.apply(to: &connections[index].caches[place].declaration) }
  }

  private mutating func unregister(_ ids: [CacheID], from index: Int) -> Int {
    var removed = 0
    for id in ids {
      let place = connections[index].caches.firstIndex { $0.cache.id == id }
      guard let place else { continue }
      departures.append(connections[index].caches.remove(at: place).cache.name)
      removed += 1
    }
    return removed
  }

  private mutating func settle(_ id: RequestID?, _ outcome: IncomingMessage.Outcome) {
    guard case .integer(let number)? = id else { return }
    switch outcome {
    case .error(let error):
      var rejection = FakeBrokerError.Rejection(code: Int(error.code), message: error.message)
      if case .refused(let span, let reason)? = error.known {
        (rejection.retryAfter, rejection.reason) = (span, reason)
      }
      if case .busy(let span)? = error.known { rejection.retryAfter = span }
      outcomes[number] = .rejected(rejection)
    case .result(let result):
      do throws(RPCError) {
        let reply = try ShrinkReply(result: result)
        outcomes[number] = .shrink(ShrinkAnswer(reply))
      } catch {
        // The answer to a ping has no targets.
        outcomes[number] = .done
      }
    }
  }
}

extension ShrinkAnswer {
  fileprivate init(_ reply: ShrinkReply) {
    round = reply.round.number
    took = reply.took
    targets = reply.targets.map { target in
      Target(
        id: target.id,
        freed: target.freed,
        bytes: target.bytes,
        reclaimable: target.reclaimable,
        more: target.hasMore
      )
    }
  }
}
