// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What came of one host of a fleet.
struct FleetOutcome: Sendable, Equatable {
  /// Times at which the kernel would have killed.
  var kills = 0
  /// Seconds of stall, and each time below the low mark in seconds.
  var stall = 0.0, reliefs: [Double] = []
  /// Requests, and the mean part of the caches that was held.
  var asks = 0, held = 0.0
  /// Steps that were computed.
  var steps = 0
}

/// A host of a fleet: its own size, clients, jobs and chance.
///
/// Far from the marks time jumps to the next change: a job that begins or ends, a moment at which
/// the policy wants to look, or the first at which memory could come near. Close to them it passes
/// in steps of 50 ms, as in the study.
struct FleetHost: Sendable {
  private var plant: HostPlant
  private var demand: FleetDemand
  private var policy: any HostPolicy
  private(set) var outcome = FleetOutcome()
  private var shortSince: Double?
  private var isDying = false

  /// A jump is at most this long: 60 s.
  private static let longest: UInt64 = 60_000_000_000
  /// This many seconds before memory could come to the low mark every reading is taken: four of
  /// the slowest, which come every 5 s.
  private static let approach = 20.0
  /// Whether readings that cannot change anything are left out.
  private let skipsReadings: Bool

  init(seed: UInt64, policy name: PolicyName, days: Double, skipsReadings: Bool = true) {
    self.skipsReadings = skipsReadings
    var chance = Chance(seed: seed, stream: 5)
    let capacity = chance.choice(of: [4.0, 8, 16, 32, 64]) * gibibyte
    let clients = (0..<chance.choice(of: [2, 4, 8, 12])).map { _ in
      ClientShape(
        size: chance.between(0.05, 1),
        latency: chance.between(0.02, 0.6) * (chance.fraction() < 0.05 ? 5 : 1),
        fraction: chance.choice(of: [1, 1, 1, 0.8, 0.5])
      )
    }
    // Caches are 20…50 % of memory together, and 10…18 % is available without jobs.
    let whole = chance.between(0.2, 0.5) * capacity / clients.reduce(0) { $0 + $1.size }
    let shape = HostShape(
      capacity: capacity,
      slack: chance.between(0.10, 0.18),
      noise: 0.001 * capacity,
      clients: clients.map { client in
        var client = client
        client.size *= whole
        return client
      }
    )
    plant = HostPlant(shape, seed: seed)
    demand = FleetDemand(capacity: capacity, days: days, chance: &chance)
    policy = name.make(for: plant)
  }

  /// Runs `days` to their end.
  static func run(
    seed: UInt64,
    policy: PolicyName,
    days: Double,
    skipsReadings: Bool = true
  ) -> FleetOutcome {
    var host = FleetHost(seed: seed, policy: policy, days: days, skipsReadings: skipsReadings)
    let end = UInt64(days * 86_400e9)
    var elapsed = HostPlant.step
    while host.plant.clock < end { elapsed = host.step(after: elapsed, until: end) }
    host.finish(days: days)
    return host.outcome
  }

  /// One step after one of `elapsed` nanoseconds; returns how long it was.
  private mutating func step(after elapsed: UInt64, until end: UInt64) -> UInt64 {
    let now = plant.seconds
    plant.sense(demand: demand.bytes(at: now), elapsed: elapsed)
    judge(at: now)
    policy.act(on: &plant)
    let next = min(jump(at: now), max(HostPlant.step, end - plant.clock))
    plant.advance(next)
    outcome.held += plant.cache / plant.cacheAtStart * Double(next) / 1e9
    outcome.steps += 1
    return next
  }

  private mutating func judge(at now: Double) {
    if plant.available < 0 {
      if !isDying { outcome.kills += 1 }
      isDying = true
      demand.killBiggest(at: now)
    } else {
      isDying = false
    }
    if plant.available < plant.marks.low {
      shortSince = shortSince ?? now
    } else if let since = shortSince {
      outcome.reliefs.append(now - since)
      shortSince = nil
    }
  }

  /// How long nothing can happen that anybody has to see: whole steps.
  private func jump(at now: Double) -> UInt64 {
    let step = HostPlant.step
    guard plant.stall.some == 0 else { return step }
    var rise = demand.rise(at: now)
    var isWorking = false
    for client in plant.clients {
      if !client.jobs.isEmpty { isWorking = true }
      if client.growth > 0, client.size < min(client.shape.size, client.limit ?? .infinity) {
        rise += client.growth
      }
    }
    guard !isWorking else { return step }
    // From its height to its depth the noise may take eight deviations at any moment.
    let spare = plant.available - plant.marks.low - 0.008 * plant.capacity
    guard spare > 0 else { return step }
    let safe = min(spare / max(1, rise), demand.change(after: now) - now)
    var longest = safe >= 60 ? FleetHost.longest : UInt64(max(0, safe) * 1e9)
    let mayOversleep = skipsReadings && policy.isOnlyWatching && safe > FleetHost.approach
    if mayOversleep {
      // Later readings begin in time to see how fast memory falls.
      longest = min(longest, UInt64((safe - FleetHost.approach) * 1e9))
    } else if let wake = policy.nextWake {
      longest = min(longest, wake - min(wake, plant.clock))
    }
    // Up to the step that follows what comes first.
    return max(step, (longest + step - 1) / step * step)
  }

  private mutating func finish(days: Double) {
    if let shortSince { outcome.reliefs.append(plant.seconds - shortSince) }
    outcome.stall = plant.stall.someTotal
    outcome.asks = policy.work.asks
    outcome.held /= days * 86_400
  }
}
