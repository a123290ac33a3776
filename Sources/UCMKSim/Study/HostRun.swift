// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A moment of a run, for pictures.
struct RunSample: Sendable, Equatable {
  /// Seconds since the start.
  var at: Double
  /// Bytes available and in caches.
  var available: Double, cache: Double
  /// The part of time in which tasks stall.
  var stall: Double
  var letter: Character
}

/// A policy on a host for two minutes.
struct HostRun: Sendable {
  private(set) var outcome: RunOutcome
  private(set) var samples: [RunSample] = []
  private(set) var plant: HostPlant
  private var policy: any HostPolicy
  private let shift: Double
  /// Since when less than the low mark was available.
  private var shortSince: Double?

  /// 120 s in steps of 50 ms.
  static let steps = 2_400
  /// A sample is kept every 250 ms.
  static let stepsPerSample = 5
  /// How long after a request headroom counts as taken too much.
  private static let overSeconds = 3.0

  private init(_ spec: RunSpec) {
    outcome = RunOutcome(spec)
    let shape = HostShape.study(seed: spec.seed, stress: spec.stress)
    shift = spec.shift
    plant = HostPlant(shape, seed: spec.seed)
    // Whoever decides starts with the demand of the beginning before its eyes.
    plant.sense(demand: spec.scenario.demand(at: 0), elapsed: HostPlant.step)
    policy = spec.policy.make(for: plant)
  }

  /// Runs `spec` to its end, keeping samples where `isSampled`.
  static func run(_ spec: RunSpec, isSampled: Bool = false) -> HostRun {
    var run = HostRun(spec)
    for step in 0..<HostRun.steps {
      let isKept = isSampled && step % HostRun.stepsPerSample == 0
      run.step(isSampled: isKept)
    }
    run.finish()
    return run
  }

  private mutating func step(isSampled: Bool) {
    let demand = outcome.spec.scenario.demand(at: max(0, plant.seconds - shift))
    plant.sense(demand: demand, elapsed: HostPlant.step)
    judge()
    policy.act(on: &plant)
    if isSampled { sample() }
    plant.advance(HostPlant.step)
    outcome.cache += plant.cache / Double(HostRun.steps)
  }

  private mutating func judge() {
    let available = plant.available
    let now = plant.seconds
    outcome.leastAvailable = min(outcome.leastAvailable, available)
    if available < 0 { outcome.oomSteps += 1 }
    if available < plant.marks.low {
      shortSince = shortSince ?? now
    } else if let since = shortSince {
      outcome.relief = max(outcome.relief, now - since)
      shortSince = nil
    }
    guard let asked = policy.work.lastAsked,
      now - Double(asked) / 1e9 < HostRun.overSeconds,
      available > plant.marks.high + 0.02 * plant.capacity
    else { return }
    outcome.over = max(outcome.over, available - plant.marks.high)
  }

  private mutating func sample() {
    samples.append(
      RunSample(
        at: plant.seconds,
        available: plant.available,
        cache: plant.cache,
        stall: plant.stall.some,
        letter: policy.letter
      )
    )
  }

  private mutating func finish() {
    if let shortSince { outcome.relief = max(outcome.relief, plant.seconds - shortSince) }
    outcome.stall = plant.stall.someTotal
    outcome.rounds = policy.work.rounds
    outcome.asks = policy.work.asks
    outcome.freed = plant.clients.reduce(0) { $0 + $1.freed }
  }
}

/// Many runs at once.
package enum Study {
  /// Runs `count` pieces of work on all processors and returns their results in order.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - progress: Told after each how many are done; not in order.
  ///   - work: The piece of this number; must depend on nothing else.
  /// - Returns: The results by number, whatever order they were computed in.
  package static func inParallel<Result: Sendable>(
    _ count: Int,
    progress: @Sendable (Int) -> Void = { _ in },
    _ work: @escaping @Sendable (Int) -> Result
  ) async -> [Result] {
    await withTaskGroup(of: (Int, Result).self) { group in
      var results = [Result?](repeating: nil, count: count)
      for index in 0..<count {
        group.addTask { @concurrent in (index, work(index)) }
      }
      var done = 0
      for await (index, result) in group {
        results[index] = result
        done += 1
        progress(done)
      }
      return results.map { result in
        guard let result else { preconditionFailure("every piece of work has a result") }
        return result
      }
    }
  }

  /// Runs each of `specs` and returns what came of them, in order.
  package static func run(
    _ specs: [RunSpec],
    progress: @Sendable (Int) -> Void = { _ in }
  ) async -> [RunOutcome] {
    await inParallel(specs.count, progress: progress) { HostRun.run(specs[$0]).outcome }
  }
}
