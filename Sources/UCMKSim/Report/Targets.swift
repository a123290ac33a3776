// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What the policy must reach on simulated hosts, and what it reaches.
package enum Targets {
  /// The convergence study against its targets.
  package static func results(of table: StudyTable) -> [SimResult] {
    var results: [SimResult] = []
    for scenario in [Scenario.ramp, .step, .sine] {
      guard let row = table.row(scenario, .ucmkd) else { continue }
      let name = scenario.rawValue
      results += [
        .atMost(0, "\(name): runs with OOM", Double(row.oomRuns), "runs"),
        .atMost(0.45, "\(name): longest below the low mark", row.relief, "s"),
        .atMost(0, "\(name): asked too much", row.over / mebibyte, "MiB"),
      ]
    }
    if let row = table.row(.spike, .ucmkd), let plain = table.row(.spike, .deficit) {
      let over = (row.over / mebibyte, plain.over / mebibyte)
      let cache = (row.cache / gibibyte, plain.cache / gibibyte)
      results += [
        .compared(
          "spike: asked too much",
          over.0,
          "MiB",
          with: ("deficit rule", over.1),
          isBetter: over.0 <= over.1,
          target: "no more than the deficit rule"
        ),
        .compared(
          "spike: mean cache held",
          cache.0,
          "GiB",
          with: ("deficit rule", cache.1),
          isBetter: row.held(of: plain) >= 1,
          ratio: row.held(of: plain),
          target: "no less than the deficit rule"
        ),
      ]
    }
    if let row = table.row(.ramp, .ucmkd, stress: .slow) {
      results.append(.atMost(300, "latency x5: asked too much", row.over / mebibyte, "MiB"))
    }
    if let row = table.row(.ramp, .ucmkd, stress: .lossy) {
      results.append(.atMost(60, "clients give 30 %: requests", row.asks, "asks"))
    }
    if let row = table.row(.ramp, .ucmkd), let best = table.row(.ramp, .oracle) {
      results.append(
        .compared(
          "ramp: mean cache held",
          row.cache / gibibyte,
          "GiB",
          with: ("instant oracle", best.cache / gibibyte),
          isBetter: row.held(of: best) >= 0.95,
          ratio: row.held(of: best),
          target: ">= 95 % of the oracle"
        )
      )
    }
    return results
  }

  /// The study of splits against its targets.
  package static func results(of study: MixStudy) -> [SimResult] {
    var results: [SimResult] = []
    if let row = study.row(.vouched, 0.3), let kernel = study.row(.kernelLRU, 0.3) {
      var result = SimResult.atMost(1.5, "T = 30 %, measured costs: miss cost", row.loss, "optima")
      result.baseline = "kernel-like LRU \(fixed(kernel.loss, 2))"
      result.ratio = row.loss / kernel.loss
      results.append(result)
    }
    if let row = study.row(.declared, 0.1), let kernel = study.row(.kernelLRU, 0.1) {
      results.append(
        .compared(
          "T = 10 %, declared costs: miss cost, p90",
          row.lossHigh,
          "optima",
          with: ("kernel-like LRU", kernel.lossHigh),
          isBetter: row.lossHigh <= kernel.lossHigh,
          target: "no more than kernel-like LRU"
        )
      )
    }
    return results
  }

  /// What lies gain against its target: 5 % after 20 rounds.
  package static func results(of liars: [LiarRow]) -> [SimResult] {
    liars.filter { !$0.afterRounds.isNaN }.map { row in
      .atMost(5, "\(row.lie.rawValue): kept more after 20 rounds", row.afterRounds * 100, "%")
    }
  }

  /// The speed of fleets: 10,000 host-days in 10 min on two processors.
  ///
  /// - Parameters:
  ///   - processorSeconds: What the run took, on all processors together.
  ///   - hostDays: How many were run in it.
  /// - Returns: The minutes that the fleet would take.
  package static func result(processorSeconds: Double, hostDays: Double) -> SimResult {
    let minutes = processorSeconds / max(1e-9, hostDays) * 10_000 / 2 / 60
    var result = SimResult.atMost(10, "fleet: 10,000 host-days on two processors", minutes, "min")
    result.note = "from \(fixed(hostDays, 0)) host-days"
    return result
  }
}
