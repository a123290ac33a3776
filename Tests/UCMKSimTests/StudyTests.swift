// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl

@testable import UCMKSim

@Suite("Convergence study")
struct StudyTests {
  private func outcome(
    _ scenario: Scenario,
    _ policy: PolicyName,
    stress: Stress = .none,
    seed: UInt64 = 5
  ) -> RunOutcome {
    HostRun.run(RunSpec(scenario: scenario, stress: stress, policy: policy, seed: seed)).outcome
  }

  @Test(
    "the same seed gives the same bytes, alone and beside others",
    arguments: PolicyName.allCases
  )
  func sameBytes(policy: PolicyName) async {
    let specs = (0..<4).map {
      RunSpec(scenario: .ramp, stress: .none, policy: policy, seed: UInt64($0))
    }
    let together = await Study.run(specs).map(\.json.line)
    let alone = specs.map { HostRun.run($0).outcome.json.line }
    #expect(together == alone)
    #expect(Set(together).count == 4)
  }

  @Test("every policy meets the same demand and the same noise")
  func paired() {
    func used(_ policy: PolicyName) -> Double {
      HostRun.run(RunSpec(scenario: .sine, policy: policy, seed: 8)).plant.used
    }
    #expect(used(.none) == used(.dropAll))
    #expect(used(.none) == used(.ucmkd))
  }

  @Test("a host on which nobody is asked runs out of memory in a ramp and a sine")
  func none() {
    for scenario in [Scenario.ramp, .sine] {
      let result = outcome(scenario, .none)
      #expect(result.oomSteps > 0 && result.leastAvailable < 0)
      #expect(result.asks == 0 && result.freed == 0 && result.over == 0)
    }
    #expect(outcome(.step, .none).relief > 54)
  }

  @Test("everybody dropping everything frees far too much")
  func dropAll() {
    let result = outcome(.ramp, .dropAll)
    #expect(result.oomSteps == 0)
    #expect(result.over > 3 * gibibyte)
    #expect(result.asks == 8 * result.rounds)
  }

  @Test("a tenth at a time holds more and stalls longer")
  func fixedTenth() {
    let (all, tenth) = (outcome(.ramp, .dropAll), outcome(.ramp, .fixedTenth))
    #expect(tenth.cache > all.cache)
    #expect(tenth.stall > all.stall)
    #expect(tenth.asks > all.asks)
  }

  @Test("the plain deficit keeps the host out of danger")
  func deficit() {
    for scenario in [Scenario.step, .ramp, .sine] {
      let result = outcome(scenario, .deficit)
      #expect(result.oomSteps == 0 && result.stall < 0.05)
      #expect(result.relief < 2)
    }
  }

  @Test("nothing holds more cache through a ramp without danger than the oracle")
  func oracle() {
    let best = outcome(.ramp, .oracle)
    #expect(best.oomSteps == 0 && best.asks == 0)
    for policy in [PolicyName.dropAll, .fixedTenth, .deficit, .ucmkd] {
      #expect(outcome(.ramp, policy).cache < best.cache)
    }
  }

  @Test(
    "the core keeps every scenario out of danger",
    arguments: Scenario.allCases,
    Stress.allCases
  )
  func core(scenario: Scenario, stress: Stress) {
    let result = outcome(scenario, .ucmkd, stress: stress)
    #expect(result.oomSteps == 0)
    #expect(result.asks > 0)
    #expect(result.over < 1 * gibibyte)
  }

  @Test("a run is sampled four times a second")
  func samples() {
    let spec = RunSpec(scenario: .ramp, policy: .ucmkd, seed: 1)
    let run = HostRun.run(spec, isSampled: true)
    #expect(run.samples.count == 480)
    #expect(run.samples[4].at == 1)
    #expect(run.samples.contains { $0.letter == "R" } && run.samples.contains { $0.letter == "h" })
    #expect(run.outcome == HostRun.run(spec).outcome)
    #expect(HostRun.run(spec).samples.isEmpty)
  }

  @Test("the study has every policy in every scenario and the bad clients in the ramp")
  func specs() {
    let specs = StudyTable.specs(seeds: 2)
    #expect(specs.count == 2 * (4 * 6 + 3 * 2))
    #expect(specs[0].seed == 0 && specs[1].seed == 1)
    let bad = specs.filter { $0.stress != .none }
    #expect(bad.allSatisfy { $0.scenario == .ramp })
    #expect(StudyTable.specs(seeds: 1, policies: [.none]).count == 4)
  }

  @Test("a row has medians, and counts the runs in which the kernel would have killed")
  func rows() throws {
    func made(_ seed: UInt64, oom: Int, asks: Int) -> RunOutcome {
      var outcome = RunOutcome(RunSpec(scenario: .ramp, policy: .deficit, seed: seed))
      outcome.oomSteps = oom
      outcome.asks = asks
      outcome.cache = Double(seed) * gibibyte
      outcome.leastAvailable = 0
      return outcome
    }
    let other = RunOutcome(RunSpec(scenario: .step, policy: .deficit, seed: 1))
    let table = StudyTable([made(1, oom: 0, asks: 4), other, made(2, oom: 9, asks: 7)])
    #expect(table.rows.count == 2)
    let row = try #require(table.row(.ramp, .deficit))
    #expect(row.runs == 2 && row.oomRuns == 1)
    #expect(row.asks == 5.5 && row.cache == 1.5 * gibibyte)
    #expect(table.row(.ramp, .ucmkd) == nil)
    #expect(table.row(.ramp, .deficit, stress: .slow) == nil)
    let lines = table.lines
    #expect(lines.count == 3)
    #expect(lines[0].hasPrefix("scenario  stress  policy   OOM runs"))
    #expect(lines[1].contains("1/2") && lines[1].contains("5.5") && lines[1].contains("1.50"))
  }

  @Test("a run is one line of JSON")
  func json() {
    var outcome = RunOutcome(RunSpec(scenario: .spike, stress: .slow, policy: .fixedTenth, seed: 3))
    outcome.stall = 1.25
    outcome.over = 3 * mebibyte
    outcome.leastAvailable = -mebibyte
    #expect(
      outcome.json.line
        == #"{"scenario":"spike","stress":"latency-x5","policy":"fixed10","seed":3,"oom_steps":0,"#
        + #""stall_s":1.250,"relief_s":0.00,"over_mib":3.0,"rounds":0,"asks":0,"#
        + #""cache_gib":0.0000,"freed_gib":0.0000,"least_available_mib":-1.0}"#
    )
  }

  @Test("work in parallel comes back in order, and progress counts to the end")
  func parallel() async {
    #expect(await Study.inParallel(50) { $0 * $0 } == (0..<50).map { $0 * $0 })
    #expect(await Study.inParallel(0) { $0 } == [])
  }
}

@Suite("Baselines")
struct BaselineTests {
  @Test(
    "a fair split takes from the largest until all are level",
    arguments: [
      (0.0, [0.0, 0, 0]), (2, [2, 0, 0]), (4, [4, 0, 0]), (6, [5, 1, 0]), (12, [8, 4, 0]),
      (15, [9, 5, 1]), (18, [10, 6, 2]), (40, [10, 6, 2]),
    ] as [(Double, [Double])]
  )
  func fairSplit(target: Double, parts: [Double]) {
    let found = FairSplit().parts(of: target, sizes: [10, 6, 2])
    #expect(zip(found, parts).allSatisfy { abs($0 - $1) < 1e-9 }, "\(found)")
  }

  @Test("the order of the sizes does not matter to a fair split")
  func order() {
    #expect(FairSplit().parts(of: 6, sizes: [2, 10, 6]) == [0, 5, 1])
    #expect(FairSplit().parts(of: 3, sizes: []) == [])
  }

  @Test("requests of one instant are one round")
  func work() {
    var work = PolicyWork()
    work.count(at: 5)
    work.count(at: 5)
    work.count(at: 9)
    #expect(
      work
        == {
          var w = PolicyWork(); w.rounds = 2; w.asks = 3; w.lastAsked = 9; return w
        }()
    )
  }
}
