// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel

/// The daemon's own core on a simulated host: plays the shell and the wire.
///
/// What the plant does becomes events, what the broker wants is done to the plant. Every client is
/// a process with one cache. Nothing here decides anything.
struct BrokerPolicy: HostPolicy {
  private(set) var work = PolicyWork()
  private(set) var broker = Broker()
  /// Where the host stands, as the broker last said.
  private(set) var state = DomainState.idle
  /// The events of now that are still to be handled, in order.
  private var queue: [Event] = []
  private var reports: [UsageReport]
  private var now = MonotonicInstant(nanoseconds: 0)

  /// What a program uses beside its cache: 64 MiB.
  private static let overhead = 64 * mebibyte
  /// Clients report no more often than this: 200 ms.
  private static let reportSpacing: UInt64 = 200_000_000
  /// Handling this many events in one step means that two sides answer each other for ever.
  private static let patience = 10_000

  /// What a client told last.
  private struct UsageReport: Sendable {
    var size: Double
    var at: UInt64
  }

  /// Starts a daemon on `plant` whose clients have registered.
  init(on plant: HostPlant, configuration: Configuration = Configuration()) {
    reports = plant.clients.map { UsageReport(size: $0.size, at: 0) }
    var plant = plant
    now = MonotonicInstant(nanoseconds: plant.clock)
    send(.configured(configuration), on: &plant)
    send(
      .hostKnown(
        HostFacts(
          memoryTotal: BrokerPolicy.bytes(plant.capacity),
          pageSize: 4_096,
          kernelHighMarks: BrokerPolicy.bytes(plant.capacity / 128)
        )
      ),
      on: &plant
    )
    for index in plant.clients.indices { join(index, on: &plant) }
  }

  /// The state of the host in one letter: idle, watching, round, hold, grow.
  var letter: Character {
    switch state {
    case .idle: "·"
    case .watching: "w"
    case .round: "R"
    case .hold: "h"
    case .grow: "g"
    @unknown default: "?"
    }
  }

  var nextWake: UInt64? { broker.nextWake?.nanoseconds }

  /// No round, no hold and no growth: every reading ends where it began.
  var isOnlyWatching: Bool { state == .idle || state == .watching }

  mutating func act(on plant: inout HostPlant) {
    now = MonotonicInstant(nanoseconds: plant.clock)
    var patience = BrokerPolicy.patience
    while let wake = broker.nextWake, wake <= now {
      send(.ticked, on: &plant)
      precondition(patience > 0, "the broker wants to be woken again and again at one instant")
      patience -= 1
    }
    hearAnswers(on: &plant)
    reportUsage(of: &plant)
    if let alarm = plant.stall.takeAlarm() {
      let level: PressureLevel =
        switch alarm {
        case .low: .low
        case .medium: .medium
        case .critical: .critical
        }
      send(.alarmed(.host, level, .trigger, reading(of: plant)), on: &plant)
    }
    Refill.allow(Refill.together, on: &plant)
  }

  // MARK: - Events

  private mutating func join(_ index: Int, on plant: inout HostPlant) {
    let facts = ClientFacts(
      name: "client-\(index + 1)",
      process: ProcessID(Int32(1_000 + index)),
      user: 1_000,
      cgroup: nil
    )
    let declaration = CacheDeclaration(name: "cache", usage: usage(of: plant.clients[index]))
    send(.joined(BrokerPolicy.id(of: index), facts), on: &plant)
    send(.registered(BrokerPolicy.id(of: index), CacheID(1), declaration), on: &plant)
  }

  private mutating func hearAnswers(on plant: inout HostPlant) {
    let answers = plant.answers
    plant.answers.removeAll()
    for answer in answers {
      let client = BrokerPolicy.id(of: answer.client)
      let round = RoundID(answer.ticket.round)
      let usage = usage(of: plant.clients[answer.client])
      noteReport(of: answer.client, on: plant)
      let report = FreedReport(
        cache: CacheID(1),
        freed: BrokerPolicy.bytes(answer.claimed),
        bytes: usage.bytes,
        reclaimable: usage.reclaimable,
        more: usage.reclaimable > .zero
      )
      send(.freed(client, round, attempt: answer.ticket.attempt, report), on: &plant)
      send(.answered(client, round, attempt: answer.ticket.attempt), on: &plant)
    }
  }

  /// Reports what moved by a mebibyte or more (`docs/PROTOCOL.md` §5).
  private mutating func reportUsage(of plant: inout HostPlant) {
    for index in plant.clients.indices {
      guard abs(plant.clients[index].size - reports[index].size) >= mebibyte,
        plant.clock - reports[index].at >= BrokerPolicy.reportSpacing
      else { continue }
      noteReport(of: index, on: plant)
      let usage = usage(of: plant.clients[index])
      send(.reported(BrokerPolicy.id(of: index), CacheID(1), usage), on: &plant)
    }
  }

  private mutating func noteReport(of index: Int, on plant: HostPlant) {
    reports[index] = UsageReport(size: plant.clients[index].size, at: plant.clock)
  }

  /// Handles an event and whatever the plant answers to its effects.
  private mutating func send(_ event: Event, on plant: inout HostPlant) {
    queue.append(event)
    var next = 0
    while next < queue.count {
      precondition(next < BrokerPolicy.patience, "the broker and the plant answer each other")
      let effects = broker.handle(queue[next], at: now)
      for effect in effects { perform(effect, on: &plant) }
      next += 1
    }
    queue.removeAll(keepingCapacity: true)
  }

  // MARK: - Effects

  private mutating func perform(_ effect: Effect, on plant: inout HostPlant) {
    switch effect {
    case .sample(let domain):
      precondition(domain == .host, "the plant has no cgroups")
      queue.append(.sampled(domain, reading(of: plant)))
    case .measure(let process):
      let size = plant.clients[Int(process.number) - 1_000].size
      let resident = BrokerPolicy.bytes(size + BrokerPolicy.overhead)
      queue.append(.measured(process, ProcessReading(resident: resident)))
    case .ask(let order): ask(order, on: &plant)
    case .cancel(let client, let round, let attempt):
      let ticket = ShrinkJob.Ticket(round: round.number, attempt: attempt)
      plant.clients[BrokerPolicy.index(of: client)].cancel(ticket)
    case .limit(let client, let range): limit(client, to: broker.limits[range], on: &plant)
    case .relax(let client, _, _, let range): limit(client, to: broker.limits[range], on: &plant)
    case .stateChanged(_, _, let next): state = next
    case .watch, .unwatch, .leftOut, .keepsMemory, .exhausted, .relieved, .levelChanged,
      .roundOpened, .roundClosed, .accepted, .declined, .pauseChanged:
      return
    @unknown default:
      preconditionFailure("the simulator does not know what to do about \(effect)")
    }
  }

  private mutating func ask(_ order: ShrinkOrder, on plant: inout HostPlant) {
    let index = BrokerPolicy.index(of: order.client)
    let ticket = ShrinkJob.Ticket(round: order.round.number, attempt: order.attempt)
    for target in broker.targets[order.targets] {
      if let limit = target.limit { plant.clients[index].limit = Double(limit.value) }
      plant.clients[index].ask(Double(target.bytes.value), at: plant.clock, ticket: ticket)
    }
    work.count(at: plant.clock)
  }

  private func limit(
    _ client: ClientID,
    to limits: ArraySlice<CacheLimit>,
    on plant: inout HostPlant
  ) {
    for limit in limits {
      plant.clients[BrokerPolicy.index(of: client)].limit = limit.limit.map { Double($0.value) }
    }
  }

  // MARK: - Readings

  private func usage(of client: SimulatedClient) -> CacheUsage {
    CacheUsage(
      bytes: BrokerPolicy.bytes(client.size),
      reclaimable: BrokerPolicy.bytes(client.reclaimable)
    )
  }

  private func reading(of plant: HostPlant) -> DomainReading {
    let stall = plant.stall
    return DomainReading(
      capacity: BrokerPolicy.bytes(plant.capacity),
      available: BrokerPolicy.bytes(plant.available),
      pressure: PressureReading(
        some: BrokerPolicy.line(stall.someTotal),
        full: BrokerPolicy.line(stall.fullTotal)
      ),
      // The kernel scans as long as tasks stall: 4 GiB of pages a second of stall.
      reclaimScanned: UInt64(stall.someTotal * 0x1p20),
      refaults: UInt64(stall.someTotal * 0x1p16)
    )
  }

  private static func line(_ total: Double) -> PressureLine {
    PressureLine(
      average10: 0,
      average60: 0,
      average300: 0,
      total: .microseconds(UInt64(total * 1e6))
    )
  }

  private static func bytes(_ value: Double) -> ByteCount { ByteCount(UInt64(max(0, value))) }
  private static func id(of index: Int) -> ClientID { ClientID(UInt64(index + 1)) }
  private static func index(of client: ClientID) -> Int { Int(client.ordinal) - 1 }
}
