// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a host and its clients are like.
struct HostShape: Sendable {
  /// All memory, in bytes.
  var capacity = 16 * gibibyte
  /// What is available with all caches full and no demand, as a part of the capacity.
  var slack = 0.13
  /// The deviation of the noise, which forgets itself within 2.5 s, in bytes.
  var noise = 30 * mebibyte
  var clients: [ClientShape]

  /// The host of the convergence study: 16 GiB, 8 clients of ¼…2 GiB that answer within
  /// 20…600 ms, some of which give 80 or 50 % of what is asked.
  static func study(seed: UInt64, stress: Stress) -> HostShape {
    var chance = Chance(seed: seed, stream: 1)
    let clients = (0..<8).map { _ in
      let size = chance.choice(of: [0.25, 0.5, 1, 2]) * gibibyte
      let latency = chance.between(0.02, 0.6) * stress.latencyFactor
      let fraction = chance.choice(of: [1, 1, 1, 0.8, 0.5])
      return ClientShape(size: size, latency: latency, fraction: stress.fraction ?? fraction)
    }
    return HostShape(clients: clients)
  }
}

/// The three marks by which results are judged, and the kernel's own.
struct PlantMarks: Sendable, Equatable {
  let low: Double, high: Double, grow: Double
  /// Below it the kernel reclaims and tasks stall.
  let kernel: Double

  init(capacity: Double) {
    low = 0.05 * capacity
    high = 0.08 * capacity
    grow = 0.12 * capacity
    kernel = 0.03 * capacity
  }
}

/// A host whose demand moves and whose clients free and grow.
struct HostPlant: Sendable {
  let capacity: Double
  let marks: PlantMarks
  var clients: [SimulatedClient]
  /// Nanoseconds since the start.
  private(set) var clock: UInt64 = 0
  /// What can be had; below zero the kernel kills.
  private(set) var available = 0.0
  /// Demand and noise of now.
  private(set) var used = 0.0
  var stall = StallMeter()
  /// Answers that nobody took yet.
  var answers: [ShrinkAnswer] = []
  /// All caches at the start.
  let cacheAtStart: Double

  private let base: Double
  private let deviation: Double
  private var noise = 0.0
  private var chance: Chance

  /// The step of the study: 50 ms.
  static let step: UInt64 = 50_000_000
  /// How much of the noise remains after a step.
  private static let memory = 0.98

  init(_ shape: HostShape, seed: UInt64) {
    capacity = shape.capacity
    marks = PlantMarks(capacity: shape.capacity)
    deviation = shape.noise
    chance = Chance(seed: seed, stream: 2)
    clients = shape.clients.enumerated().map { index, client in
      SimulatedClient(client, chance: Chance(seed: seed, stream: 100 + UInt64(index)))
    }
    cacheAtStart = shape.clients.reduce(0) { $0 + $1.size }
    base = capacity - cacheAtStart - shape.slack * capacity
    available = shape.slack * capacity
  }

  /// All caches of now.
  var cache: Double {
    var sum = 0.0
    for client in clients { sum += client.size }
    return sum
  }

  /// Seconds since the start.
  var seconds: Double { Double(clock) / 1e9 }

  /// What the caches could hold if `spare` bytes were to stay available.
  func room(leaving spare: Double) -> Double { capacity - base - used - spare }

  /// Looks at the memory of now with so much demand, after `elapsed` nanoseconds.
  mutating func sense(demand: Double, elapsed: UInt64) {
    let seconds = Double(elapsed) / 1e9
    let isStep = elapsed == HostPlant.step
    let kept = isStep ? HostPlant.memory : pow(HostPlant.memory, seconds / 0.05)
    noise = kept * noise + deviation * sqrt(1 - kept * kept) * chance.normal()
    used = demand + noise
    available = capacity - base - used - cache
    stall.advance(seconds, to: clock, available: available, mark: marks.kernel)
  }

  /// Lets the clients work for so many nanoseconds, and moves the clock.
  mutating func advance(_ elapsed: UInt64) {
    let seconds = Double(elapsed) / 1e9
    for index in clients.indices {
      clients[index].advance(seconds, from: clock, as: index, &answers)
    }
    clock += elapsed
  }
}
