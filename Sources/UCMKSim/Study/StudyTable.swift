// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKControl

/// What a policy reaches in a scenario: medians over seeds.
package struct StudyRow: Sendable, Equatable {
  /// The demand, what is wrong with the clients, who decides.
  package var scenario: Scenario, stress: Stress, policy: PolicyName
  /// How many runs, and in how many of them the kernel would have killed.
  package var runs: Int, oomRuns: Int
  /// Seconds of stall, and the longest below the low mark.
  package var stall: Double, relief: Double
  /// Bytes asked too much, mean bytes held, bytes freed, least bytes available.
  package var over: Double, cache: Double, freed: Double, leastAvailable: Double
  /// Times at which somebody was asked, and requests.
  package var rounds: Double, asks: Double
  /// Mean bytes held in each run.
  var caches: [Double]

  /// The row of outcomes of the same scenario, stress and policy.
  init(_ outcomes: [RunOutcome]) {
    guard let first = outcomes.first?.spec else { preconditionFailure("a row has a run") }
    scenario = first.scenario
    stress = first.stress
    policy = first.policy
    runs = outcomes.count
    oomRuns = outcomes.count { $0.oomSteps > 0 }
    stall = median(outcomes.map(\.stall))
    relief = median(outcomes.map(\.relief))
    over = median(outcomes.map(\.over))
    cache = median(outcomes.map(\.cache))
    freed = median(outcomes.map(\.freed))
    leastAvailable = median(outcomes.map(\.leastAvailable))
    rounds = median(outcomes.map { Double($0.rounds) })
    asks = median(outcomes.map { Double($0.asks) })
    caches = outcomes.map(\.cache)
  }

  /// The cache it held of what another policy held on the same host: the median over seeds, since
  /// hosts differ by more than policies do.
  package func held(of other: StudyRow) -> Double {
    median(zip(caches, other.caches).map { $0 / $1 })
  }
}

/// The convergence study: every policy in every scenario, and in `ramp` with bad clients.
package struct StudyTable: Sendable, Equatable {
  /// By scenario, stress and policy.
  package private(set) var rows: [StudyRow]

  /// The rows of outcomes, in the order in which each kind comes first.
  package init(_ outcomes: [RunOutcome]) {
    var groups: [[RunOutcome]] = []
    for outcome in outcomes {
      let place = groups.firstIndex { group in
        group[0].spec.scenario == outcome.spec.scenario
          && group[0].spec.stress == outcome.spec.stress
          && group[0].spec.policy == outcome.spec.policy
      }
      if let place { groups[place].append(outcome) } else { groups.append([outcome]) }
    }
    rows = groups.map(StudyRow.init)
  }

  /// The row of a policy, where it was run.
  package func row(
    _ scenario: Scenario,
    _ policy: PolicyName,
    stress: Stress = .none
  ) -> StudyRow? {
    rows.first { $0.scenario == scenario && $0.policy == policy && $0.stress == stress }
  }

  /// All runs of the study with seeds 0..<seeds.
  ///
  /// - Parameters:
  ///   - seeds: How many of each kind.
  ///   - policies: Which policies.
  ///   - isAligned: Whether the demand begins to move with the policy's first look.
  /// - Returns: The four scenarios with every policy, then `ramp` under every stress with those
  ///   that ask for amounts.
  package static func specs(
    seeds: UInt64,
    policies: [PolicyName] = PolicyName.allCases,
    isAligned: Bool = false
  ) -> [RunSpec] {
    var specs: [RunSpec] = []
    func add(_ scenario: Scenario, _ stress: Stress, _ policy: PolicyName) {
      specs += (0..<seeds).map {
        RunSpec(
          scenario: scenario,
          stress: stress,
          policy: policy,
          seed: $0,
          isAligned: isAligned
        )
      }
    }
    for scenario in Scenario.allCases {
      for policy in policies { add(scenario, .none, policy) }
    }
    for stress in Stress.allCases where stress != .none {
      for policy in policies where policy == .deficit || policy == .ucmkd {
        add(.ramp, stress, policy)
      }
    }
    return specs
  }

  /// The table for people.
  package var lines: [String] {
    var table = Table([
      .words("scenario"), .words("stress"), .words("policy"), .numbers("OOM runs"),
      .numbers("stall s"), .numbers("relief s"), .numbers("over MiB"), .numbers("rounds"),
      .numbers("asks"), .numbers("cache GiB"), .numbers("freed GiB"), .numbers("least MiB"),
    ])
    for row in rows {
      table.add([
        Table.Cell(row.scenario.rawValue), Table.Cell(row.stress.rawValue),
        Table.Cell(row.policy.rawValue), Table.Cell("\(row.oomRuns)/\(row.runs)"),
        Table.Cell(fixed(row.stall, 2)), Table.Cell(fixed(row.relief, 2)),
        Table.Cell(fixed(row.over / mebibyte, 0)), Table.Cell(fixed(row.rounds, 1)),
        Table.Cell(fixed(row.asks, 1)), Table.Cell(fixed(row.cache / gibibyte, 2)),
        Table.Cell(fixed(row.freed / gibibyte, 2)),
        Table.Cell(fixed(row.leastAvailable / mebibyte, 0)),
      ])
    }
    return table.lines(.plain, width: nil)
  }
}
