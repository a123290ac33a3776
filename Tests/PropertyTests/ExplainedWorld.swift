// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// Clients that give all, some or nothing, and a broker that asks them: rounds as a host has them,
/// with second and third attempts, and others beside them.
struct ExplainedWorld {
  /// What one request asks of one cache.
  struct Asked: Hashable {
    var round: UInt64, attempt: UInt64, client: String, cache: UInt64
  }

  /// How a client answers.
  private enum Manner { case honest, meagre, empty, silent, refusing }

  private(set) var broker = Broker()
  /// What was sent.
  private(set) var asked: [Asked: UInt64] = [:]

  private var random: CoreRandom
  private var now = MonotonicInstant(nanoseconds: 0)
  private var manners: [Manner] = []
  private var orders: [(order: ShrinkOrder, targets: [ShrinkTarget])] = []
  private var resident: [Int32: UInt64] = [:]

  private static let groups = ["/a", "/a/b", "/a/b/c", "/d", "/e"]

  init(seed: UInt64, rule: QuotaRule, crowd: UInt64) {
    random = CoreRandom(seed: seed)
    var configuration = Configuration()
    configuration.quota = rule
    send(.configured(configuration))
    let facts = HostFacts(memoryTotal: .gibibytes(16), pageSize: 4_096, kernelHighMarks: .zero)
    send(.hostKnown(facts))
    for number in 1...(2 + random.number(below: crowd)) { join(ClientID(number)) }
    for group in Self.groups where random.chance(40) {
      let low = ByteCount.mebibytes(random.number(below: 400))
      send(.protected(group, CgroupProtection(low: low, min: ByteCount(low.value / 3))))
    }
  }

  // MARK: - Who is there

  private mutating func join(_ client: ClientID) {
    let process = Int32(100 + client.ordinal - (random.chance(20) ? client.ordinal % 2 : 0))
    var facts = ClientFacts(
      name: "n\(client.ordinal)",
      process: ProcessID(process),
      user: 1,
      cgroup: random.chance(20) ? nil : random.pick(Self.groups),
      grantedShare: random.pick([1, 50, 100, 100, 100, 250, 10_000]),
      grantedFloor: random.chance(80) ? .zero : .mebibytes(random.number(below: 64))
    )
    facts.takesRequests = random.chance(95)
    resident[process] = 1 << 42
    send(.joined(client, facts))
    manners.append(random.pick([.honest, .honest, .meagre, .empty, .silent, .refusing]))
    if random.chance(40) {
      send(
        .remembered(
          client,
          RememberedBehaviour(
            trust: Permyriad(500 + UInt32(random.number(below: 9_501))),
            fellShort: random.chance(70),
            ledger: Int64(random.number(below: 1 << 29)) - 1 << 28,
            keepsMemory: random.chance(10),
            measuredRounds: random.pick([0, 3, 3])
          )
        )
      )
    }
    for cache in 1...(1 + random.number(below: 4)) {
      send(.registered(client, CacheID(UInt32(cache)), declaration()))
    }
  }

  private mutating func usage() -> CacheUsage {
    let bytes = random.pick([
      random.number(below: 1 << 16), random.number(below: 1 << 24), random.number(below: 1 << 29),
    ])
    return CacheUsage(
      bytes: ByteCount(bytes),
      reclaimable: ByteCount(random.chance(60) ? bytes : random.number(below: bytes + 1)),
      cold: random.chance(40) ? ByteCount(random.number(below: bytes + 1)) : nil,
      refillMicrosecondsPerMiB: random.chance(40) ? random.pick([0, 100, 9_000, 1_000_000]) : nil
    )
  }

  private mutating func declaration() -> CacheDeclaration {
    CacheDeclaration(
      name: "cache",
      share: random.pick([1, 33, 100, 100]),
      floor: random.chance(50) ? .zero : ByteCount(random.number(below: 1 << 27)),
      costMicrosecondsPerMiB: random.pick([0, 1, 700, 5_000, 10_000, 10_000, 40_000, 1_000_000]),
      minimumLevel: random.pick([.low, .low, .low, .medium, .critical]),
      release: random.pick([.sync, .sync, .slow, .gc]),
      usage: usage()
    )
  }

  // MARK: - Rounds

  /// Runs a round and perhaps another beside it; returns what `round.get` says of those.
  mutating func round() throws -> [ExplainedRound] {
    let before = broker.lastRound?.number ?? 0
    if random.chance(50) { request(.manual) } else { runShort() }
    if random.chance(30) { request(.domain(.cgroup(random.pick(["/a", "/d"])))) }
    for _ in 0..<2_000 where broker.rounds.contains(where: { $0.isOpen }) {
      if orders.isEmpty || random.chance(10) {
        if let wake = broker.nextWake, wake > now { now = wake }
        send(.ticked)
      } else {
        answer(orders.remove(at: Int(random.number(below: UInt64(orders.count)))))
      }
    }
    orders.removeAll()
    let rounds = try (before..<(broker.lastRound?.number ?? 0)).map { try explained($0 + 1) }
    refill()
    return rounds
  }

  private mutating func request(_ scope: Scope) {
    let bytes = random.pick([1 << 12, 1 << 22, 1 << 27, 1 << 30, 1 << 34] as [UInt64])
    let request = RoundRequest(
      bytes: ByteCount(1 + random.number(below: bytes)),
      level: random.pick([.low, .medium, .critical]),
      scope: scope,
      dryRun: random.chance(5)
    )
    send(.requested(RequestToken(1), request))
  }

  /// The host falls short, as two readings and an alarm see it.
  private mutating func runShort() {
    let available = ByteCount.mebibytes(100 + random.number(below: 700))
    let reading = DomainReading(capacity: .gibibytes(16), available: available)
    send(.alarmed(.host, random.pick([.low, .low, .medium, .critical]), .watch, reading))
    now = now + .milliseconds(20)
    if broker.rounds.allSatisfy({ !$0.isOpen }) { send(.sampled(.host, reading)) }
  }

  private mutating func answer(_ entry: (order: ShrinkOrder, targets: [ShrinkTarget])) {
    let (order, targets) = entry
    let (client, round, attempt) = (order.client, order.round, order.attempt)
    let manner = manners[Int(client.ordinal) - 1]
    now = now + .milliseconds(random.number(below: 30))
    switch manner {
    case .silent: return
    case .refusing:
      send(.refused(client, round, attempt: attempt, retryAfter: .seconds(1)))
      return
    case .honest, .meagre, .empty: break
    }
    for target in targets {
      guard let usage = broker.usage(of: target.cache, in: client) else { continue }
      var freed = manner == .honest ? target.bytes.value : target.bytes.value / 3
      if manner == .empty { freed = 0 }
      freed = min(freed, usage.bytes.value)
      let report = FreedReport(
        cache: target.cache,
        freed: ByteCount(freed),
        bytes: usage.bytes - ByteCount(freed),
        reclaimable: usage.reclaimable - ByteCount(freed),
        more: random.chance(60)
      )
      send(.freed(client, round, attempt: attempt, report))
      let process = broker.client(client)?.facts.process.number ?? 0
      // Half of what the even ones claim stays with their allocators.
      resident[process, default: 0] -= client.ordinal % 2 == 0 ? freed / 2 : freed
    }
    send(.answered(client, round, attempt: attempt))
  }

  /// Time passes, caches fill again, and memory is not short any more.
  private mutating func refill() {
    now = now + .milliseconds(random.pick([500, 3_000, 40_000, 400_000]))
    send(.ticked)
    for client in broker.clients(after: nil, count: .max, where: { _ in true }) {
      for cache in client.caches where random.chance(50) {
        send(.reported(client.client, cache.id, usage()))
      }
    }
    let plenty = DomainReading(capacity: .gibibytes(16), available: .gibibytes(12))
    send(.sampled(.host, plenty))
  }

  private mutating func send(_ event: Event) {
    var measured: [ProcessID] = []
    for effect in broker.handle(event, at: now) {
      if case .measure(let process) = effect { measured.append(process) }
      guard case .ask(let order) = effect else { continue }
      let targets = Array(broker.targets[order.targets])
      orders.append((order, targets))
      for target in targets {
        let key = Asked(
          round: order.round.number,
          attempt: UInt64(order.attempt),
          client: order.client.name,
          cache: UInt64(target.cache.number)
        )
        asked[key] = target.bytes.value
      }
    }
    for process in measured {
      let reading = ProcessReading(resident: ByteCount(resident[process.number] ?? 0))
      _ = broker.handle(.measured(process, reading), at: now)
    }
  }

  // MARK: - What is printed

  private func explained(_ number: UInt64) throws -> ExplainedRound {
    try ExplainedRound(RoundID(number), of: broker)
  }
}

extension Broker {
  /// What a cache says of itself.
  fileprivate func usage(of cache: CacheID, in client: ClientID) -> CacheUsage? {
    self.client(client)?.caches.first { $0.id == cache }?.declaration.usage
  }
}
