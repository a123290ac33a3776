// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel

/// A broker with clients that answer at once, for rounds that an administrator asks for.
///
/// There is no plant and no shortage: only what rounds leave behind in accounts matters.
struct RoundBench: Sendable {
  /// One client with one cache.
  struct Client: Sendable {
    /// Bytes held, and how much of them it says it could free.
    var size: Double, reclaimable: Double
    /// The part of what is asked that it gives; what it claims over that.
    var fraction = 1.0, boast = 1.0
    var share: UInt32 = 100
    var cost: UInt32 = CacheDeclaration.defaultCost
  }

  private(set) var clients: [Client]
  /// What each gave so far.
  private(set) var given: [Double]
  private var broker = Broker()
  private var now = MonotonicInstant(nanoseconds: 0)
  private var queue: [Event] = []
  private var orders: [(order: ShrinkOrder, bytes: UInt64)] = []

  /// From request to answer: 20 ms.
  private static let latency = TimeSpan.milliseconds(20)
  /// Events at one instant, or wake-ups in one pause, beyond which something never ends.
  private static let patience = 100_000

  init(_ clients: [Client]) {
    self.clients = clients
    given = clients.map { _ in 0 }
    send(.configured(Configuration()))
    let memory = ByteCount.gibibytes(256)
    send(.hostKnown(HostFacts(memoryTotal: memory, pageSize: 4_096, kernelHighMarks: .zero)))
    for index in clients.indices {
      let facts = ClientFacts(
        name: "client-\(index + 1)",
        process: ProcessID(Int32(1_000 + index)),
        user: 1_000,
        cgroup: nil,
        grantedShare: clients[index].share
      )
      let declaration = CacheDeclaration(
        name: "cache",
        costMicrosecondsPerMiB: clients[index].cost,
        usage: usage(index)
      )
      send(.joined(RoundBench.id(index), facts))
      send(.registered(RoundBench.id(index), CacheID(1), declaration))
    }
  }

  /// Changes the size of a client and what it says it could free, and reports it.
  mutating func resize(_ index: Int, to size: Double, reclaimable: Double) {
    clients[index].size = size
    clients[index].reclaimable = min(size, reclaimable)
    send(.reported(RoundBench.id(index), CacheID(1), usage(index)))
  }

  /// Runs a round for `bytes` to its end and waits a minute; returns what each gave in it.
  mutating func round(_ bytes: Double) -> [Double] {
    let before = given
    let request = RoundRequest(
      bytes: ByteCount(UInt64(bytes)),
      level: .medium,
      scope: .manual,
      dryRun: false
    )
    send(.requested(RequestToken(1), request))
    pass(.seconds(60))
    return zip(given, before).map { $0 - $1 }
  }

  private mutating func pass(_ span: TimeSpan) {
    let end = now + span
    var patience = RoundBench.patience
    while patience > 0 {
      patience -= 1
      if !orders.isEmpty {
        now = now + RoundBench.latency
        let open = orders
        orders.removeAll()
        for order in open { answer(order.order, order.bytes) }
        continue
      }
      guard let wake = broker.nextWake, wake <= end else {
        now = max(now, end)
        return
      }
      now = max(now, wake)
      send(.ticked)
    }
    preconditionFailure("a pause of \(span.milliseconds) ms never ends")
  }

  private mutating func answer(_ order: ShrinkOrder, _ bytes: UInt64) {
    let index = Int(order.client.ordinal) - 1
    let part = min(Double(bytes) * clients[index].fraction, clients[index].size)
    clients[index].size -= part
    clients[index].reclaimable = min(clients[index].reclaimable, clients[index].size)
    given[index] += part
    let usage = usage(index)
    let report = FreedReport(
      cache: CacheID(1),
      freed: ByteCount(UInt64(part * clients[index].boast)),
      bytes: usage.bytes,
      reclaimable: usage.reclaimable,
      more: usage.reclaimable > .zero
    )
    send(.freed(order.client, order.round, attempt: order.attempt, report))
    send(.answered(order.client, order.round, attempt: order.attempt))
  }

  private mutating func send(_ event: Event) {
    queue.append(event)
    var next = 0
    while next < queue.count {
      precondition(next < RoundBench.patience, "the broker and its clients answer each other")
      let effects = broker.handle(queue[next], at: now)
      for effect in effects { perform(effect) }
      next += 1
    }
    queue.removeAll(keepingCapacity: true)
  }

  private mutating func perform(_ effect: Effect) {
    switch effect {
    case .sample(let domain):
      let memory = ByteCount.gibibytes(256)
      queue.append(
        .sampled(domain, DomainReading(capacity: memory, available: .gibibytes(128)))
      )
    case .measure(let process):
      let size = clients[Int(process.number) - 1_000].size
      queue.append(.measured(process, ProcessReading(resident: ByteCount(UInt64(size)))))
    case .ask(let order):
      let bytes = broker.targets[order.targets].reduce(0) { $0 + $1.bytes.value }
      orders.append((order, bytes))
    case .declined: preconditionFailure("a round begins after the last one ended")
    case .watch, .unwatch, .cancel, .limit, .relax, .leftOut, .keepsMemory, .exhausted, .relieved,
      .levelChanged, .stateChanged, .roundOpened, .roundClosed, .accepted, .pauseChanged:
      return
    @unknown default:
      preconditionFailure("the simulator does not know what to do about \(effect)")
    }
  }

  private func usage(_ index: Int) -> CacheUsage {
    CacheUsage(
      bytes: ByteCount(UInt64(clients[index].size)),
      reclaimable: ByteCount(UInt64(clients[index].reclaimable))
    )
  }

  private static func id(_ index: Int) -> ClientID { ClientID(UInt64(index + 1)) }
}
