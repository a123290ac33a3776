// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// A small host with two nested groups and a handful of programs, good and bad, around a broker.
///
/// Plays the shell and the wire: every effect is performed in order, time passes only between
/// events, and the auditor looks at the broker after each of them. The host holds 1,000 MiB with
/// marks at 50, 80 and 120; the groups `/a` and `/a/b` have limits a little above what is in them.
struct Village {
  static let mebibyte: UInt64 = 1 << 20

  private(set) var broker = Broker()
  private(set) var auditor = Auditor()
  var random: CoreRandom
  /// Nanoseconds since the start.
  private(set) var clock: UInt64 = 0
  /// Events handled so far.
  private(set) var handled = 0
  var programs: [VillageProgram] = []
  var sessions: [VillageSession] = []
  /// What the host uses beside the programs, and what each group's limit leaves above its members.
  var demand: UInt64 = 0
  var room: [String: UInt64] = ["/a": 0, "/a/b": 0]
  /// Tasks have stalled for so long, in milliseconds.
  private(set) var stall: UInt64 = 0
  /// Whether caches differ in more than their size.
  var isMotley = false
  private var deeds: [VillageDeed] = []
  private var queue: [Event] = []
  private var nextClient: UInt64 = 1
  private var nextProcess: Int32 = 100

  var now: MonotonicInstant { MonotonicInstant(nanoseconds: clock) }

  init(seed: UInt64, rule: QuotaRule = .levelDown) {
    random = CoreRandom(seed: seed)
    var configuration = Configuration()
    configuration.quota = rule
    configuration.watermarks = WatermarkSettings(
      low: .bytes(.mebibytes(50)),
      high: .bytes(.mebibytes(80)),
      grow: .bytes(.mebibytes(120)),
      isExplicit: true
    )
    send(.configured(configuration))
    let facts = HostFacts(
      memoryTotal: .mebibytes(1_000),
      pageSize: 4_096,
      kernelHighMarks: .mebibytes(10)
    )
    send(.hostKnown(facts))
  }

  // MARK: - Who lives here

  /// A program of its own with one session.
  mutating func settle(
    _ temper: Temper,
    mebibytes sizes: [UInt64],
    groups: [String] = [],
    isNew: Bool = false
  ) -> Int {
    let program = build(sizes)
    return join(temper, program, pools: Array(sizes.indices), groups: groups, isNew: isNew)
  }

  /// A process without sessions.
  mutating func build(_ sizes: [UInt64]) -> Int {
    programs.append(
      VillageProgram(process: nextProcess, pools: sizes.map { $0 * Village.mebibyte })
    )
    nextProcess += 1
    return programs.count - 1
  }

  /// A session of a program, with a cache over each of these pools.
  mutating func join(
    _ temper: Temper,
    _ program: Int,
    pools: [Int],
    groups: [String] = [],
    isNew: Bool = false
  ) -> Int {
    var session = VillageSession(
      id: ClientID(nextClient),
      program: program,
      temper: temper,
      groups: groups
    )
    nextClient += 1
    session.deathPhase = random.pick(DeathPhase.allCases)
    session.afterlife = random.pick(Afterlife.allCases)
    sessions.append(session)
    let index = sessions.count - 1
    send(.joined(session.id, facts(index)))
    if !isNew { send(.remembered(session.id, .blank)) }
    for pool in pools { register(index, pool) }
    return index
  }

  mutating func register(_ index: Int, _ pool: Int) {
    let cache = VillageCache(id: CacheID(sessions[index].nextCache), pool: pool)
    sessions[index].nextCache += 1
    sessions[index].caches.append(cache)
    var declaration = CacheDeclaration(
      name: "cache-\(cache.id.number)",
      usage: usage(cache, of: index)
    )
    if isMotley {
      declaration.floor = random.chance(70) ? .zero : .mebibytes(random.number(below: 30))
      declaration.costMicrosecondsPerMiB = random.pick([1_000, 10_000, 10_000])
      declaration.minimumLevel = random.pick([.low, .low, .low, .medium])
      declaration.release = random.pick([.sync, .sync, .gc])
    }
    if sessions[index].temper == .costly { declaration.costMicrosecondsPerMiB = 1_000_000_000 }
    send(.registered(sessions[index].id, cache.id, declaration))
  }

  func facts(_ index: Int) -> ClientFacts {
    var facts = sessions[index].facts
    facts.process = ProcessID(programs[sessions[index].program].process)
    return facts
  }

  /// What a session says of a cache.
  func usage(_ cache: VillageCache, of index: Int) -> CacheUsage {
    let size = ByteCount(programs[sessions[index].program].pools[cache.pool])
    let hides = sessions[index].temper == .hider
    return CacheUsage(bytes: size, reclaimable: hides ? ByteCount(size.value / 2) : size)
  }

  // MARK: - Time

  /// Lets time pass to the next thing that happens, or by `longest` nanoseconds where that is less.
  mutating func pass(atMost longest: UInt64) {
    let due = deeds.map(\.at).min() ?? .max
    let wake = broker.nextWake?.nanoseconds ?? .max
    let next = min(due, wake, clock + longest)
    move(to: max(next, clock))
    if wake <= clock {
      send(.ticked)
      // A round that ends at this instant may make a reading due; after that time must pass.
      if let again = broker.nextWake, again <= now { send(.ticked) }
      if let again = broker.nextWake, again <= now { auditor.complain("ticks want ticks") }
    }
    while let place = deeds.firstIndex(where: { $0.at <= clock }) {
      perform(deeds.remove(at: place))
    }
  }

  /// Lets so many milliseconds pass.
  mutating func pass(milliseconds: UInt64) {
    let end = clock + milliseconds * 1_000_000
    while clock < end, auditor.complaint == nil { pass(atMost: end - clock) }
  }

  /// Lets time pass, with memory enough for all, until no round is open.
  mutating func calm() {
    demand = 0
    for group in ["/a", "/a/b"] { room[group] = 400 * Village.mebibyte }
    let end = clock + 20_000_000_000
    while broker.rounds.contains(where: { $0.isOpen }), auditor.complaint == nil {
      pass(atMost: 1_000_000_000)
      if clock > end { auditor.complain("no peace after 20 s") }
    }
  }

  private mutating func move(to instant: UInt64) {
    let span = instant - clock
    if available < 50 * Village.mebibyte { stall += span / 1_000_000 / 4 }
    clock = instant
  }

  mutating func plan(_ kind: VillageDeed.Kind, by session: Int, after milliseconds: UInt64) {
    deeds.append(
      VillageDeed(at: clock + milliseconds * 1_000_000, session: session, kind: kind)
    )
  }

  // MARK: - Memory

  /// What is available on the host.
  var available: UInt64 {
    let used = programs.reduce(demand) { $0 + $1.resident }
    let capacity = 1_000 * Village.mebibyte
    return capacity - min(capacity, used)
  }

  func reading(of domain: DomainID) -> DomainReading {
    let line = PressureLine(
      average10: 0,
      average60: 0,
      average300: 0,
      total: .milliseconds(stall)
    )
    let pressure = PressureReading(some: line, full: .zero)
    switch domain {
    case .host:
      return DomainReading(
        capacity: .mebibytes(1_000),
        available: ByteCount(available),
        pressure: pressure,
        reclaimScanned: stall
      )
    case .cgroup(let path):
      return DomainReading(
        capacity: .mebibytes(1_000),
        available: ByteCount(room[path] ?? 0),
        pressure: pressure,
        reclaimScanned: stall
      )
    }
  }

  /// A program gives memory back: the groups it is in have more room.
  mutating func free(_ bytes: UInt64, of pool: Int, by index: Int) -> UInt64 {
    let given = programs[sessions[index].program].free(bytes, of: pool)
    for group in sessions[index].groups { room[group, default: 0] += given }
    return given
  }

  // MARK: - Events and effects

  /// Handles an event, and everything that the village answers at once.
  mutating func send(_ event: Event) {
    queue.append(event)
    var next = 0
    while next < queue.count {
      guard next < 2_000 else {
        auditor.complain("the broker and the shell answer each other")
        break
      }
      let event = queue[next]
      auditor.note(event, by: broker, at: now)
      let effects = broker.handle(event, at: now)
      auditor.check(broker, after: event, effects, at: now, programs)
      handled += 1
      for effect in effects { perform(effect) }
      next += 1
    }
    queue.removeAll(keepingCapacity: true)
  }

  private mutating func perform(_ effect: Effect) {
    switch effect {
    case .sample(let domain): queue.append(.sampled(domain, reading(of: domain)))
    case .measure(let process): measure(process)
    case .ask(let order): receive(order)
    default: return
    }
  }

  private mutating func measure(_ process: ProcessID) {
    guard let index = programs.firstIndex(where: { $0.process == process.number }) else {
      return queue.append(.measured(process, nil))
    }
    let isSecond = broker.rounds.contains { round in
      if case .measuring = round.phase { return true }
      return false
    }
    let dies = sessions.indices.first { place in
      sessions[place].program == index && sessions[place].temper == .mortal
        && sessions[place].deathPhase == .measuring && sessions[place].isAttached
    }
    if isSecond, let dies {
      programs[index].isAlive = false
      plan(.die, by: dies, after: 0)
    }
    let reading = ProcessReading(resident: ByteCount(programs[index].resident))
    queue.append(.measured(process, programs[index].isAlive ? reading : nil))
  }

  private mutating func receive(_ order: ShrinkOrder) {
    guard let index = sessions.firstIndex(where: { $0.id == order.client }) else {
      return auditor.complain("a request to \(order.client.name), which nobody is")
    }
    sessions[index].timesAsked += 1
    let targets = Array(broker.targets[order.targets])
    respond(to: order, targets, as: index)
  }

  /// What the shell does at once where a request cannot be written.
  mutating func undeliver(_ order: ShrinkOrder, of index: Int, dies: Bool) {
    queue.append(.undelivered(order.client, order.round, attempt: order.attempt))
    if dies { plan(.die, by: index, after: 0) }
  }

  /// Adds an event behind those that wait.
  mutating func enqueue(_ event: Event) { queue.append(event) }

  /// A session gets another program and another number.
  mutating func rebirth(_ index: Int) -> VillageSession {
    var session = sessions[index]
    session.id = ClientID(nextClient)
    nextClient += 1
    session.isAttached = true
    session.isGone = false
    session.caches = []
    session.nextCache = 1
    session.temper = .honest
    return session
  }
}
