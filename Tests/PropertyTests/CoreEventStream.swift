// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// Draws events, most of them sensible, some absurd: unknown ids, the largest numbers there are,
/// the same event twice.
struct EventStream {
  private var random: CoreRandom
  private var lastEvent: Event?
  /// Requests that nobody answered yet, as far as the stream cares to know.
  private var orders: [(order: ShrinkOrder, targets: [ShrinkTarget])] = []
  private var processes: [ProcessID] = []
  private(set) var milliseconds: UInt64 = 0

  /// How many clients there may be, and which part of all sizes is absurd.
  private let crowd: UInt64, hostility: UInt64

  init(seed: UInt64, crowd: UInt64 = 12, hostility: UInt64 = 5) {
    random = CoreRandom(seed: seed)
    self.crowd = crowd
    self.hostility = hostility
  }

  var now: MonotonicInstant { MonotonicInstant(nanoseconds: milliseconds * 1_000_000) }

  /// Takes note of what the broker wants, so that some of it is answered.
  mutating func note(_ effects: [Effect], of broker: Broker) {
    for effect in effects {
      switch effect {
      case .ask(let order): orders.append((order, Array(broker.targets[order.targets])))
      case .measure(let process): processes.append(process)
      default: break
      }
    }
    if orders.count > 40 { orders.removeFirst(orders.count - 40) }
    if processes.count > 40 { processes.removeFirst(processes.count - 40) }
  }

  /// The next event and the time that passed before it.
  mutating func next() -> Event {
    milliseconds += random.pick([0, 0, 0, 1, 10, 60, 250, 1_000])
    if let lastEvent, random.chance(3) { return lastEvent }
    let event = draw()
    lastEvent = event
    return event
  }

  /// Moves the clock to where the broker wants to be woken.
  mutating func advance(to instant: MonotonicInstant) {
    milliseconds = max(milliseconds, (instant.nanoseconds + 999_999) / 1_000_000)
  }

  private mutating func draw() -> Event {
    switch random.number(below: 100) {
    case 0..<8: .joined(client(), facts())
    case 8..<18: .registered(client(), cache(), declaration())
    case 18..<21: .updated(client(), cache(), declaration())
    case 21..<23: .unregistered(client(), cache())
    case 23..<31: .reported(client(), cache(), usage())
    case 31..<33: .relocated(client(), facts())
    case 33..<35: .detached(client())
    case 35..<37: .reattached(client(), facts())
    case 37..<39: .left(client())
    case 39..<64: reaction()
    case 64..<70: .requested(RequestToken(random.next()), request())
    case 70..<80: .sampled(domain(), reading())
    case 80..<85: .alarmed(domain(), level(), random.pick([.trigger, .average, .watch]), reading())
    case 85..<86: random.chance(60) ? .domainLost(domain()) : .domainFound(domain())
    case 86..<87: .configured(configuration())
    case 87..<88: .paused(until: random.chance(70) ? now + .milliseconds(700) : nil)
    case 88..<90: .resumed
    case 90..<92: .overridden(client(), cache(), override())
    case 93..<94: .remembered(client(), memory())
    case 92..<93: .protected(random.pick(["/", "/a", "/a/b", "/nobody"]), protection())
    default: .ticked
    }
  }

  private mutating func memory() -> RememberedBehaviour {
    RememberedBehaviour(
      trust: Permyriad(random.pick([0, 500, 2_000, 10_000, .max])),
      fellShort: random.chance(70),
      ledger: random.pick([0, 1 << 20, -(1 << 30), .max, .min]),
      keepsMemory: random.chance(20),
      measuredRounds: random.pick([0, 2, 3, .max])
    )
  }

  private mutating func protection() -> CgroupProtection {
    CgroupProtection(
      low: ByteCount(random.next() >> random.number(below: 64)),
      min: ByteCount(random.next() >> random.number(below: 64))
    )
  }

  /// An answer to something that was asked, or to nothing.
  private mutating func reaction() -> Event {
    if !processes.isEmpty, random.chance(40) {
      return .measured(processes.removeFirst(), random.chance(90) ? processReading() : nil)
    }
    guard !orders.isEmpty else {
      return .answered(client(), RoundID(random.number(below: 9)), attempt: 1)
    }
    let index = Int(random.number(below: UInt64(orders.count)))
    let order = orders[index].order
    guard random.chance(70), let target = orders[index].targets.popLast() else {
      orders.remove(at: index)
      return random.pick([
        .answered(order.client, order.round, attempt: order.attempt),
        .answered(order.client, order.round, attempt: order.attempt),
        .refused(order.client, order.round, attempt: order.attempt, retryAfter: .seconds(1)),
        .undelivered(order.client, order.round, attempt: order.attempt),
        .answered(order.client, order.round, attempt: 200),
      ])
    }
    let usage = usage()
    let report = FreedReport(
      cache: target.cache,
      freed: random.chance(80) ? target.bytes : size(),
      bytes: usage.bytes,
      reclaimable: usage.reclaimable,
      more: random.chance(80)
    )
    return .freed(order.client, order.round, attempt: order.attempt, report)
  }

  // MARK: - Values

  private mutating func client() -> ClientID { ClientID(1 + random.number(below: crowd)) }
  private mutating func cache() -> CacheID { CacheID(1 + UInt32(random.number(below: 4))) }
  private mutating func level() -> PressureLevel { random.pick(PressureLevel.allCases) }

  private mutating func domain() -> DomainID {
    random.pick([.host, .host, .host, .cgroup("/a"), .cgroup("/a/b"), .cgroup("/c")])
  }

  private mutating func size() -> ByteCount {
    if random.chance(hostility) {
      return ByteCount(random.pick([0, 1, 4_095, 1 << 53, 1 << 63, .max - 1, .max]))
    }
    return .mebibytes(random.number(below: 300))
  }

  private mutating func usage() -> CacheUsage {
    let bytes = size()
    return CacheUsage(
      bytes: bytes,
      reclaimable: random.chance(70) ? bytes : size(),
      cold: random.chance(30) ? size() : nil,
      refillMicrosecondsPerMiB: random.chance(30) ? random.pick([0, 1, 10_000, .max]) : nil
    )
  }

  private mutating func declaration() -> CacheDeclaration {
    CacheDeclaration(
      name: "cache",
      share: random.pick([0, 1, 50, 100, 100, .max]),
      floor: random.chance(50) ? .zero : size(),
      costMicrosecondsPerMiB: random.pick([0, 1, 10_000, 10_000, 1_000_000_000, .max]),
      minimumLevel: random.pick([.low, .low, .medium, .critical]),
      release: random.pick([.sync, .sync, .gc, .slow]),
      usage: usage()
    )
  }

  private mutating func facts() -> ClientFacts {
    var facts = ClientFacts(
      name: "client",
      process: ProcessID(Int32(100 + random.number(below: 8))),
      user: 1,
      cgroup: random.pick([nil, "/a", "/a/b", "/c"]),
      domains: random.pick([
        [], [.cgroup("/a")], [.cgroup("/a"), .cgroup("/a/b")], [.cgroup("/c")],
      ]),
      grantedShare: random.pick([0, 1, 100, 100, 10_000, .max]),
      grantedFloor: random.chance(80) ? .zero : size()
    )
    facts.takesRequests = random.chance(90)
    return facts
  }

  private mutating func request() -> RoundRequest {
    RoundRequest(
      bytes: random.chance(80) ? size() : nil,
      level: level(),
      scope: random.pick([.manual, .domain(.host), .domain(domain())]),
      dryRun: random.chance(20)
    )
  }

  private mutating func reading() -> DomainReading {
    let total = random.number(below: 1 << 40)
    let line = PressureLine(
      average10: 0,
      average60: 0,
      average300: 0,
      total: TimeSpan(nanoseconds: random.chance(95) ? total : .max)
    )
    return DomainReading(
      capacity: random.chance(95) ? .mebibytes(1_000) : size(),
      available: random.chance(70) ? .mebibytes(random.number(below: 150)) : size(),
      pressure: random.chance(90) ? PressureReading(some: line, full: line) : nil,
      reclaimScanned: random.chance(80) ? random.next() : nil
    )
  }

  private mutating func processReading() -> ProcessReading {
    ProcessReading(
      resident: size(),
      lazyFree: random.chance(50) ? size() : nil,
      soleCgroupCurrent: random.chance(50) ? size() : nil
    )
  }

  private mutating func override() -> CacheOverride {
    CacheOverride(
      share: random.chance(50) ? random.pick([0, 1, 10_000, .max]) : nil,
      floor: random.chance(50) ? size() : nil,
      minimumLevel: random.chance(30) ? level() : nil,
      until: random.chance(70) ? now + .milliseconds(random.number(below: 3_000)) : nil
    )
  }

  private mutating func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.watermarks = WatermarkSettings(
      low: random.pick([.bytes(.mebibytes(50)), .part(.percent(5))]),
      high: random.pick([.bytes(.mebibytes(80)), .part(.percent(8)), .bytes(.zero)]),
      grow: .bytes(.mebibytes(120)),
      isExplicit: random.chance(50)
    )
    if random.chance(40) {
      configuration.domains = [DomainSettings(domain: .cgroup("/c"), capacity: .gibibytes(1))]
    }
    if random.chance(30) { configuration.thresholds.low.stall = .milliseconds(90) }
    return configuration
  }
}
