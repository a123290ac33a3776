// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel

/// Many clients, rounds of every kind and the readings of a host that falls short again and again,
/// drawn from a seed in whole numbers only.
struct ScriptedRun {
  /// What the core decided.
  private(set) var digest = EffectDigest()
  /// Rounds that were opened.
  private(set) var rounds: UInt64 = 0

  private var broker = Broker()
  private var now = MonotonicInstant(nanoseconds: 0)
  private var state: UInt64
  private var orders: [(order: ShrinkOrder, targets: [ShrinkTarget])] = []
  private var available: UInt64 = 4 << 30
  private var stall: UInt64 = 0

  private static let clients: UInt64 = 60

  /// Tells the broker what the host is and who is there.
  init(seed: UInt64) {
    state = seed
    var configuration = Configuration()
    configuration.quota = QuotaRule(rawValue: UInt8(seed % 4)) ?? .levelDown
    send(.configured(configuration))
    let marks = ByteCount.mebibytes(64)
    send(
      .hostKnown(
        HostFacts(memoryTotal: .gibibytes(16), pageSize: 4_096, kernelHighMarks: marks)
      )
    )
    for number in 1...Self.clients { join(ClientID(number)) }
    send(.protected("/a", CgroupProtection(low: .mebibytes(100), min: .mebibytes(10))))
  }

  /// One more event, or a few that belong together.
  mutating func step() {
    now = now + .milliseconds(number(below: 40))
    switch number(below: 100) {
    case 0..<60: answer()
    case 60..<75: tick()
    case 75..<88: read()
    case 88..<96:
      send(.reported(client(), CacheID(UInt32(1 + number(below: 3))), usage()))
    case 96: request()
    case 97: send(.detached(client()))
    case 98:
      let client = client()
      send(.reattached(client, facts(of: client)))
    default:
      let client = client()
      send(.left(client))
      join(client)
    }
  }

  // MARK: - Who is there

  private mutating func join(_ client: ClientID) {
    send(.joined(client, facts(of: client)))
    for cache in 1...3 as ClosedRange<UInt32> {
      send(
        .registered(
          client,
          CacheID(cache),
          CacheDeclaration(
            name: "cache",
            share: UInt32(1 + number(below: 100)),
            floor: ByteCount(number(below: 1 << 24)),
            costMicrosecondsPerMiB: UInt32(number(below: 50_000)),
            minimumLevel: number(below: 4) == 0 ? .medium : .low,
            release: number(below: 8) == 0 ? .gc : .sync,
            usage: usage()
          )
        )
      )
    }
  }

  private func facts(of client: ClientID) -> ClientFacts {
    let groups = ["/a", "/a/b", "/c", "/c/d/e"]
    return ClientFacts(
      name: "client",
      process: ProcessID(Int32(truncatingIfNeeded: 100 + client.ordinal / 2)),
      user: 1,
      cgroup: groups[Int(client.ordinal % 4)],
      domains: client.ordinal % 2 == 0 ? [.cgroup("/a")] : []
    )
  }

  private mutating func usage() -> CacheUsage {
    let bytes = number(below: 1 << 28)
    return CacheUsage(
      bytes: ByteCount(bytes),
      reclaimable: ByteCount(bytes - number(below: bytes / 4 + 1)),
      cold: number(below: 3) == 0 ? ByteCount(number(below: bytes + 1)) : nil
    )
  }

  private mutating func client() -> ClientID { ClientID(1 + number(below: Self.clients)) }

  // MARK: - What happens

  /// Answers the oldest request: mostly with all, sometimes with less, with nothing, or never.
  private mutating func answer() {
    guard !orders.isEmpty else { return }
    let (order, targets) = orders.removeFirst()
    let manner = number(below: 20)
    if manner == 0 { return }
    if manner == 1 {
      return send(
        .refused(order.client, order.round, attempt: order.attempt, retryAfter: .seconds(1))
      )
    }
    for target in targets {
      let freed = manner < 6 ? target.bytes.value / manner : target.bytes.value
      available += freed
      let report = FreedReport(
        cache: target.cache,
        freed: ByteCount(freed),
        bytes: .mebibytes(number(below: 200)),
        reclaimable: .mebibytes(number(below: 200)),
        more: number(below: 2) == 0
      )
      send(.freed(order.client, order.round, attempt: order.attempt, report))
    }
    send(.answered(order.client, order.round, attempt: order.attempt))
  }

  private mutating func tick() {
    if let wake = broker.nextWake, wake > now { now = wake }
    send(.ticked)
  }

  /// Memory fills, and is freed where it would run out.
  private mutating func read() {
    available -= min(available, number(below: 200 << 20))
    if available < 64 << 20 { available = number(below: 6 << 30) }
    stall += number(below: 300_000_000)
    let line = PressureLine(
      average10: 0,
      average60: 0,
      average300: 0,
      total: TimeSpan(nanoseconds: stall)
    )
    let reading = DomainReading(
      capacity: .gibibytes(16),
      available: ByteCount(available),
      pressure: PressureReading(some: line, full: .zero),
      reclaimScanned: stall
    )
    if number(below: 3) == 0 {
      send(.alarmed(.host, .medium, .trigger, reading))
    } else {
      send(.sampled(number(below: 4) == 0 ? .cgroup("/a") : .host, reading))
    }
  }

  private mutating func request() {
    let levels: [PressureLevel] = [.low, .medium, .critical]
    let request = RoundRequest(
      bytes: ByteCount(number(below: 1 << 31)),
      level: levels[Int(number(below: 3))],
      scope: number(below: 2) == 0 ? .manual : .domain(.cgroup("/a")),
      dryRun: number(below: 8) == 0
    )
    send(.requested(RequestToken(number(below: 1 << 32)), request))
  }

  private mutating func send(_ event: Event) {
    var processes: [ProcessID] = []
    for effect in broker.handle(event, at: now) {
      digest.add(effect, of: broker, at: now)
      switch effect {
      case .ask(let order): orders.append((order, Array(broker.targets[order.targets])))
      case .measure(let process): processes.append(process)
      case .roundOpened: rounds += 1
      default: break
      }
    }
    for process in processes {
      let reading = ProcessReading(resident: ByteCount(number(below: 1 << 34)))
      send(.measured(process, reading))
    }
  }

  /// The next number of SplitMix64 below `bound`.
  private mutating func number(below bound: UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return (mixed ^ (mixed >> 31)) % bound
  }
}
