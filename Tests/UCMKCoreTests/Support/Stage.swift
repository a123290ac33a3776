// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// A broker on a stage, with a clock in milliseconds.
///
/// The test sets the memory of the host and the size of the processes. What the broker wants is
/// written down line by line.
struct Stage {
  var broker = Broker()
  /// Milliseconds since the play began.
  var clock: UInt64 = 0
  /// What the fake kernel reads of each process; nil where the process is gone.
  var resident: [Int32: UInt64] = [:]
  /// Whether requests for measurements are answered at once.
  var measuresAtOnce = true
  /// Targets and limits of the last effects, as sent.
  private(set) var orders: [ShrinkOrder] = []
  private(set) var targets: [ShrinkTarget] = []

  static let mebibyte: UInt64 = 1 << 20

  /// A host of 1,000 MiB with marks at 50, 80 and 120 MiB.
  init(host: Bool = true, page: UInt64 = 4_096) {
    guard host else { return }
    var configuration = Configuration()
    configuration.watermarks = .plain
    _ = send(.configured(configuration))
    _ = send(
      .hostKnown(
        HostFacts(memoryTotal: .mebibytes(1_000), pageSize: page, kernelHighMarks: .zero)
      )
    )
  }

  var now: MonotonicInstant { MonotonicInstant(nanoseconds: clock * 1_000_000) }

  /// The milliseconds from now at which the broker wants to be woken, or nil.
  var wakesIn: UInt64? { broker.nextWake.map { $0.since(now).milliseconds } }

  /// Sends one event and returns what followed.
  mutating func send(_ event: Event) -> [String] {
    let effects = broker.handle(event, at: now)
    var lines: [String] = []
    var processes: [ProcessID] = []
    for effect in effects {
      lines.append(text(of: effect))
      if case .measure(let process) = effect { processes.append(process) }
    }
    noteOrders(effects)
    guard measuresAtOnce else { return lines }
    for process in processes {
      let reading = resident[process.number].map { ProcessReading(resident: ByteCount($0)) }
      lines.append(contentsOf: send(.measured(process, reading)))
    }
    return lines
  }

  /// Lets time pass, waking the broker whenever it wants, and returns what followed.
  mutating func pass(milliseconds: UInt64) -> [String] {
    var lines: [String] = []
    let end = clock + milliseconds
    while let wake = broker.nextWake, wake.milliseconds <= end {
      clock = max(clock, wake.milliseconds)
      lines.append(contentsOf: send(.ticked))
      // A host that is not simulated answers no reading: the poll comes again later.
      if let next = broker.nextWake, next.milliseconds <= clock { clock += 1 }
      if clock > end { break }
    }
    clock = max(clock, end)
    return lines
  }

  /// A client with caches of these sizes in MiB, all of it reclaimable; process 10 + id.
  ///
  /// No newcomer, unless said so: the daemon knew it before.
  mutating func join(
    _ client: UInt64,
    _ sizes: [UInt64],
    domains: [String] = [],
    share: UInt32 = 100,
    cost: UInt32 = CacheDeclaration.defaultCost,
    isNew: Bool = false
  ) {
    let facts = ClientFacts.plain(client, domains: domains)
    _ = send(.joined(ClientID(client), facts))
    if !isNew { _ = send(.remembered(ClientID(client), .blank)) }
    for (index, size) in sizes.enumerated() {
      let declaration = CacheDeclaration(
        name: "cache-\(index + 1)",
        share: share,
        costMicrosecondsPerMiB: cost,
        usage: .mebibytes(size)
      )
      _ = send(.registered(ClientID(client), CacheID(UInt32(index + 1)), declaration))
    }
    resident[Int32(10 + client)] = sizes.reduce(0, +) * Stage.mebibyte
  }

  /// An administrator asks for a round of so many MiB.
  mutating func ask(
    _ mebibytes: UInt64?,
    level: PressureLevel = .medium,
    scope: Scope = .manual,
    dryRun: Bool = false
  ) -> [String] {
    let request = RoundRequest(
      bytes: mebibytes.map { .mebibytes($0) },
      level: level,
      scope: scope,
      dryRun: dryRun
    )
    return send(.requested(RequestToken(7), request))
  }

  /// A client answers its last order, or the last one of a round: of each target it frees `part`
  /// percent and shrinks by `real` percent of what it claims.
  mutating func answer(
    _ client: UInt64,
    in round: UInt64? = nil,
    part: UInt64 = 100,
    real: UInt64 = 100,
    more: Bool = true
  ) -> [String] {
    let isMeant = { (order: ShrinkOrder) in
      order.client == ClientID(client) && round.map { RoundID($0) == order.round } ?? true
    }
    guard let order = orders.last(where: isMeant) else {
      return ["c\(client) was not asked"]
    }
    var lines: [String] = []
    for target in targets[order.targets] {
      let freed = target.bytes.value * part / 100
      let before = cache(client, target.cache).declaration.usage
      let left = before.bytes.value - min(before.bytes.value, freed)
      shrink(client, by: freed * real / 100)
      let report = FreedReport(
        cache: target.cache,
        freed: ByteCount(freed),
        bytes: ByteCount(left),
        reclaimable: ByteCount(min(left, before.reclaimable.value)),
        more: more
      )
      lines += send(.freed(ClientID(client), order.round, attempt: order.attempt, report))
    }
    return lines + send(.answered(ClientID(client), order.round, attempt: order.attempt))
  }

  /// The process of a client gives pages back.
  mutating func shrink(_ client: UInt64, by bytes: UInt64) {
    let process = broker.client(ClientID(client))!.facts.process.number
    let left = resident[process, default: 0]
    resident[process] = left - min(left, bytes)
  }

  /// A reading of the host: MiB available, and stall so far in milliseconds.
  mutating func read(
    _ domain: DomainID = .host,
    available: UInt64,
    some: UInt64 = 0,
    full: UInt64 = 0,
    scanned: UInt64? = nil
  ) -> [String] {
    send(.sampled(domain, .plain(available: available, some: some, full: full, scanned: scanned)))
  }

  /// The same, because an alarm went off.
  mutating func alarm(
    _ level: PressureLevel,
    _ source: AlarmSource = .trigger,
    domain: DomainID = .host,
    available: UInt64,
    some: UInt64 = 0,
    scanned: UInt64? = nil
  ) -> [String] {
    send(
      .alarmed(domain, level, source, .plain(available: available, some: some, scanned: scanned))
    )
  }

  /// A cache as people see it.
  func cache(_ client: UInt64, _ cache: CacheID = CacheID(1)) -> CacheView {
    broker.client(ClientID(client))!.caches.first { $0.id == cache }!
  }

  /// A round as people see it.
  func round(_ number: UInt64) -> RoundView { broker.round(RoundID(number))! }

  private mutating func noteOrders(_ effects: [Effect]) {
    let asked = effects.compactMap { effect -> ShrinkOrder? in
      if case .ask(let order) = effect { return order }
      return nil
    }
    guard !asked.isEmpty else { return }
    let base = targets.count
    targets.append(contentsOf: broker.targets)
    orders.append(
      contentsOf: asked.map { order in
        var order = order
        order.targets = (order.targets.lowerBound + base)..<(order.targets.upperBound + base)
        return order
      }
    )
  }
}

extension MonotonicInstant {
  var milliseconds: UInt64 { nanoseconds / 1_000_000 }
}

extension WatermarkSettings {
  /// 50, 80 and 120 MiB.
  static let plain = WatermarkSettings(
    low: .bytes(.mebibytes(50)),
    high: .bytes(.mebibytes(80)),
    grow: .bytes(.mebibytes(120)),
    isExplicit: true
  )
}

extension ClientFacts {
  /// Client N is process 10 + N of user 1000.
  static func plain(
    _ client: UInt64,
    process: Int32? = nil,
    domains: [String] = [],
    grantedShare: UInt32 = 100,
    grantedFloor: ByteCount = .zero
  ) -> ClientFacts {
    ClientFacts(
      name: "client-\(client)",
      process: ProcessID(process ?? Int32(10 + client)),
      user: 1_000,
      cgroup: domains.last,
      domains: domains.map { .cgroup($0) },
      grantedShare: grantedShare,
      grantedFloor: grantedFloor
    )
  }
}

extension CacheUsage {
  /// A cache of so many MiB, all of it reclaimable unless said otherwise.
  static func mebibytes(_ size: UInt64, reclaimable: UInt64? = nil) -> CacheUsage {
    CacheUsage(bytes: .mebibytes(size), reclaimable: .mebibytes(reclaimable ?? size))
  }
}

extension DomainReading {
  /// A domain of 1,000 MiB.
  static func plain(
    available: UInt64,
    some: UInt64 = 0,
    full: UInt64 = 0,
    scanned: UInt64? = nil,
    capacity: UInt64 = 1_000
  ) -> DomainReading {
    DomainReading(
      capacity: .mebibytes(capacity),
      available: .mebibytes(available),
      pressure: PressureReading(
        some: PressureLine(
          average10: 0,
          average60: 0,
          average300: 0,
          total: .milliseconds(some)
        ),
        full: PressureLine(average10: 0, average60: 0, average300: 0, total: .milliseconds(full))
      ),
      reclaimScanned: scanned
    )
  }
}
