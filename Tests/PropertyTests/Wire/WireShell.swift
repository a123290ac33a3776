// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel
import UCMKProtocol

@testable import UCMKCore

/// What happens to the core; subscribers get something else of that name.
private typealias Event = UCMKCore.Event

/// The daemon's shell as far as it makes events of lines, around a broker and its auditor.
///
/// Lines are written with numbers at and beyond the ends of what the wire carries, every fifth is
/// broken at random, and whatever the decoder accepts becomes events as in the daemon.
struct WireShell {
  struct Session {
    var client: ClientID
    var process: Int32
    var caches: [CacheID] = []
    var nextCache: UInt32 = 1
    var isAttached = true
  }

  /// How time passes.
  enum Pace: CaseIterable {
    /// Not at all.
    case still
    /// By milliseconds.
    case steady
    /// By milliseconds, and now and then by years.
    case leaping
  }

  private(set) var broker = Broker()
  private(set) var auditor = Auditor()
  /// Lines that the decoder took, and those that it refused.
  private(set) var accepted = 0, refused = 0
  private var random: CoreRandom
  private var sessions: [Session] = []
  private var orders: [(order: ShrinkOrder, targets: [ShrinkTarget])] = []
  private var nextClient: UInt64 = 1
  private var clock: UInt64 = 0
  private let pace: Pace

  init(seed: UInt64, pace: Pace) {
    random = CoreRandom(seed: seed)
    self.pace = pace
    // Where time leaps over the end of a round, the round cannot end before.
    if pace == .leaping { auditor.patience = TimeSpan(nanoseconds: .max) }
    var configuration = Configuration()
    configuration.quota = random.pick(QuotaRule.allCases)
    send(.configured(configuration))
    let facts = HostFacts(
      memoryTotal: .gibibytes(1),
      pageSize: random.pick([4_096, 65_536]),
      kernelHighMarks: .mebibytes(10)
    )
    send(.hostKnown(facts))
  }

  private var now: MonotonicInstant { MonotonicInstant(nanoseconds: clock) }

  /// One thing that happens.
  mutating func step() {
    pass()
    switch random.number(below: 100) {
    case 0..<10: hear(from: session(), line: "cache.register", WireText.register(&random))
    case 10..<16: hear(from: session(), line: "cache.update", update())
    case 16..<28: hear(from: session(), line: "cache.report", report())
    case 28..<31: hear(from: session(), line: "cache.unregister", "{\"ids\":[\(anyCache())]}")
    case 31..<50: answer()
    case 50..<58: hear(from: session(), line: "trigger", WireText.trigger(&random))
    case 58..<62: hear(from: session(), line: "cache.override", override())
    case 62..<66: vanish()
    case 66..<69: comeBack()
    case 69..<72: relocate()
    case 72..<90: read()
    default: send(.ticked)
    }
  }

  // MARK: - Time

  private mutating func pass() {
    let span: UInt64
    switch pace {
    case .still: span = 0
    case .steady: span = random.pick([0, 1, 20, 100, 300, 2_500]) * 1_000_000
    case .leaping:
      span = random.chance(10) ? random.next() >> (4 + random.number(below: 40)) : 5_000_000
    }
    clock = max(clock, clock &+ span)
    while let wake = broker.nextWake, wake <= now {
      send(.ticked)
      if let next = broker.nextWake, next <= now { break }
    }
  }

  // MARK: - Lines

  /// Reads a request of a session as the daemon does.
  private mutating func hear(from index: Int, line method: String, _ params: String) {
    let text =
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\(method)\",\"params\":\(params)}"
    var bytes = [UInt8](text.utf8)
    damage(&bytes)
    do throws(RPCFault) {
      switch try IncomingMessage(bytes, in: 0..<bytes.count) {
      case .request(_, let method, let params), .notification(let method, let params):
        do throws(RPCError) {
          try take(method, params, from: index)
          accepted += 1
        } catch { refused += 1 }
      case .response, .ignored: refused += 1
      }
    } catch { refused += 1 }
  }

  private mutating func damage(_ bytes: inout [UInt8]) {
    guard random.chance(20) else { return }
    let place = Int(random.number(below: UInt64(bytes.count)))
    switch random.number(below: 3) {
    case 0: bytes[place] = random.pick([UInt8](("\"{}[],:0123456789-.eE").utf8))
    case 1: bytes.remove(at: place)
    default: bytes.insert(random.pick([UInt8]("0123456789-".utf8)), at: place)
    }
  }

  private mutating func take(
    _ name: JSONValue,
    _ params: JSONValue?,
    from index: Int
  ) throws(RPCError) {
    let client = sessions[index].client
    switch Method(name) {
    case .cacheRegister:
      for cache in try CacheRegister(params: params).caches
      where sessions[index].caches.count < 62 {
        let id = CacheID(sessions[index].nextCache)
        sessions[index].nextCache += 1
        sessions[index].caches.append(id)
        send(.registered(client, id, cache))
      }
    case .cacheUpdate:
      let change = try CacheUpdate(params: params)
      let caches = broker.client(client)?.caches ?? []
      guard var declaration = caches.first(where: { $0.id == change.id })?.declaration else {
        return
      }
      change.apply(to: &declaration)
      send(.updated(client, change.id, declaration))
      if let usage = change.usage { send(.reported(client, change.id, usage)) }
    case .cacheReport:
      for entry in try CacheReport(params: params).caches {
        send(.reported(client, entry.id, entry.usage))
      }
    case .cacheUnregister:
      for id in try CacheUnregister(params: params).ids {
        sessions[index].caches.removeAll { $0 == id }
        send(.unregistered(client, id))
      }
    case .trigger:
      let wanted = try Trigger(params: params)
      send(
        .requested(
          RequestToken(1),
          RoundRequest(
            bytes: wanted.bytes,
            level: wanted.level,
            scope: wanted.scope,
            dryRun: wanted.isDryRun
          )
        )
      )
    case .cacheOverride:
      let wanted = try UCMKProtocol.CacheOverride(params: params)
      let override = UCMKCore.CacheOverride(
        share: wanted.share,
        floor: wanted.floor,
        minimumLevel: wanted.minimumLevel,
        until: wanted.span.map { now + $0 }
      )
      send(.overridden(client, wanted.id, override))
    default: return
    }
  }

  /// Answers a request that is waited for, or one that never was.
  private mutating func answer() {
    guard !orders.isEmpty else { return }
    let place = Int(random.number(below: UInt64(orders.count)))
    let (order, targets) = orders[place]
    if random.chance(80) { orders.remove(at: place) }
    guard broker.client(order.client) != nil else { return }
    if random.chance(10) {
      let event = random.pick([
        Event.undelivered(order.client, order.round, attempt: order.attempt),
        .refused(
          order.client,
          order.round,
          attempt: order.attempt,
          retryAfter: .milliseconds(WireText.count(&random))
        ),
      ])
      return send(event)
    }
    let text = WireText.reply(to: order, targets, &random)
    var bytes = [UInt8](text.utf8)
    damage(&bytes)
    guard let reply = WireText.read(bytes) else {
      refused += 1
      return send(.undelivered(order.client, order.round, attempt: order.attempt))
    }
    accepted += 1
    for target in reply.targets {
      let report = FreedReport(
        cache: target.id,
        freed: target.freed,
        bytes: target.bytes,
        reclaimable: target.reclaimable,
        more: target.hasMore
      )
      send(.freed(order.client, order.round, attempt: order.attempt, report))
    }
    send(.answered(order.client, order.round, attempt: order.attempt))
  }

  // MARK: - Sessions

  private mutating func session() -> Int {
    let attached = sessions.indices.filter { sessions[$0].isAttached }
    if attached.count < 2 || attached.count < 8 && random.chance(10) { return join() }
    return random.pick(attached)
  }

  private mutating func join() -> Int {
    let client = ClientID(nextClient)
    nextClient += 1
    sessions.append(Session(client: client, process: Int32(random.number(below: 6)) + 10))
    send(.joined(client, facts(sessions.count - 1)))
    return sessions.count - 1
  }

  private mutating func facts(_ index: Int) -> ClientFacts {
    let groups = random.pick([[], ["/a"], ["/a", "/a/b"]])
    return ClientFacts(
      name: "wire",
      process: ProcessID(sessions[index].process),
      user: 1,
      cgroup: random.chance(10) ? nil : groups.last ?? "/",
      domains: groups.map { .cgroup($0) },
      grantedShare: random.pick([0, 1, 100, 100, 10_000]),
      grantedFloor: random.chance(80) ? .zero : ByteCount(WireText.count(&random))
    )
  }

  private mutating func vanish() {
    guard let index = random.pick([nil] + sessions.indices.map { Optional($0) }) else { return }
    guard sessions[index].isAttached else { return }
    sessions[index].isAttached = false
    send(random.chance(70) ? .detached(sessions[index].client) : .left(sessions[index].client))
  }

  private mutating func comeBack() {
    let gone = sessions.indices.filter { !sessions[$0].isAttached }
    guard !gone.isEmpty else { return }
    let index = random.pick(Array(gone))
    guard auditor.present[sessions[index].client] == false else { return }
    if random.chance(30) { return send(.left(sessions[index].client)) }
    if random.chance(30) { sessions[index].process += 100 }
    sessions[index].isAttached = true
    send(.reattached(sessions[index].client, facts(index)))
  }

  private mutating func relocate() {
    let index = session()
    send(.relocated(sessions[index].client, facts(index)))
  }

  private mutating func anyCache() -> UInt64 { 1 + random.number(below: 8) }

  private mutating func report() -> String {
    "{\"caches\":[{\"id\":\(anyCache()),\(WireText.usage(&random))}]}"
  }

  private mutating func update() -> String {
    "{\"id\":\(anyCache()),\(WireText.fields(&random))}"
  }

  private mutating func override() -> String {
    "{\"session\":\"c1\",\"id\":\(anyCache()),\"share\":\(WireText.number(&random)),"
      + "\"floor\":\(WireText.number(&random)),\"for_ms\":\(WireText.number(&random))}"
  }

  // MARK: - The kernel

  private mutating func read() {
    let domain = random.pick([DomainID.host, .cgroup("/a"), .cgroup("/a/b"), .cgroup("/empty")])
    let reading = reading()
    if random.chance(60) { return send(.sampled(domain, reading)) }
    send(.alarmed(domain, random.pick(PressureLevel.allCases), .watch, reading))
  }

  private mutating func reading() -> DomainReading {
    let capacity = random.pick([0, 1, 1 << 20, 1 << 30, 1 << 30, 1 << 63, UInt64.max])
    return DomainReading(
      capacity: ByteCount(capacity),
      available: ByteCount(random.chance(50) ? capacity / 40 : random.next()),
      reclaimScanned: random.chance(50) ? random.next() : nil
    )
  }

  private mutating func send(_ event: Event) {
    auditor.note(event, by: broker, at: now)
    let effects = broker.handle(event, at: now)
    auditor.check(broker, after: event, effects, at: now, [])
    var processes: [ProcessID] = []
    for effect in effects {
      if case .ask(let order) = effect {
        orders.append((order, Array(broker.targets[order.targets])))
      }
      if case .measure(let process) = effect { processes.append(process) }
    }
    for process in processes where random.chance(95) {
      let size = ByteCount(random.chance(10) ? random.next() : random.number(below: 1 << 40))
      send(.measured(process, random.chance(90) ? ProcessReading(resident: size) : nil))
    }
  }
}
