// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKControl

/// One run of the convergence study.
package struct RunSpec: Sendable, Equatable {
  /// The demand, what is wrong with the clients, who decides.
  package var scenario: Scenario, stress: Stress, policy: PolicyName
  /// Everything that is left to chance follows from it.
  package var seed: UInt64
  /// Whether the demand begins to move with the policy's first look; otherwise up to 5 s later, by
  /// chance, so that nobody's polls fall together with a step.
  package var isAligned: Bool

  /// Makes a run.
  package init(
    scenario: Scenario,
    stress: Stress = .none,
    policy: PolicyName,
    seed: UInt64,
    isAligned: Bool = false
  ) {
    self.scenario = scenario
    self.stress = stress
    self.policy = policy
    self.seed = seed
    self.isAligned = isAligned
  }

  /// By how much later the demand moves than the clock, in seconds: whole steps.
  var shift: Double {
    guard !isAligned else { return 0 }
    var chance = Chance(seed: seed, stream: 6)
    return Double(Int(chance.between(0, 100))) * 0.05
  }
}

/// What came of a run of two minutes.
package struct RunOutcome: Sendable, Equatable {
  /// What was run.
  package let spec: RunSpec
  /// Steps of 50 ms in which the kernel would have killed.
  package var oomSteps = 0
  /// Seconds in which tasks stalled.
  package var stall = 0.0
  /// The longest time below the low mark, in seconds.
  package var relief = 0.0
  /// The most that was available above the high mark within 3 s of a request, in bytes; zero
  /// unless it was above it by more than 2 % of the capacity.
  package var over = 0.0
  /// Times at which somebody was asked, and requests.
  package var rounds = 0, asks = 0
  /// The mean of all caches over time, what was freed, and the least available, in bytes.
  package var cache = 0.0, freed = 0.0, leastAvailable = Double.infinity

  init(_ spec: RunSpec) { self.spec = spec }

  /// One line of `results.jsonl`.
  package var json: JSONValue {
    [
      "scenario": .string(spec.scenario.rawValue),
      "stress": .string(spec.stress.rawValue),
      "policy": .string(spec.policy.rawValue),
      "seed": .integer(Int64(clamping: spec.seed)),
      "oom_steps": .integer(Int64(oomSteps)),
      "stall_s": .number(fixed(stall, 3)),
      "relief_s": .number(fixed(relief, 2)),
      "over_mib": .number(fixed(over / mebibyte, 1)),
      "rounds": .integer(Int64(rounds)),
      "asks": .integer(Int64(asks)),
      "cache_gib": .number(fixed(cache / gibibyte, 4)),
      "freed_gib": .number(fixed(freed / gibibyte, 4)),
      "least_available_mib": .number(fixed(leastAvailable / mebibyte, 1)),
    ]
  }
}

/// A number with so many digits behind the point, the same on every machine.
package func fixed(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite else { return value.isNaN ? "-" : value > 0 ? "inf" : "-inf" }
  var scale: Int64 = 1
  for _ in 0..<digits { scale *= 10 }
  let scaled = (value * Double(scale)).rounded()
  guard abs(scaled) < 9e18 else { return value > 0 ? "inf" : "-inf" }
  let whole = Int64(scaled)
  let sign = whole < 0 ? "-" : ""
  guard digits > 0 else { return "\(whole)" }
  let fraction = String(whole.magnitude % scale.magnitude)
  let padding = String(repeating: "0", count: digits - fraction.count)
  return "\(sign)\(whole.magnitude / scale.magnitude).\(padding)\(fraction)"
}

/// The middle of several values, or the mean of the two in the middle; NaN of none.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return .nan }
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// The value below which `part` of the values lie, between neighbours by a straight line; NaN of
/// none.
func quantile(_ part: Double, of values: [Double]) -> Double {
  let sorted = values.sorted()
  guard let last = sorted.last else { return .nan }
  let place = part * Double(sorted.count - 1)
  let low = Int(place)
  guard low + 1 < sorted.count else { return last }
  return sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low])
}
