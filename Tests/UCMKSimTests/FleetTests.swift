// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl

@testable import UCMKSim

@Suite("Fleets")
struct FleetTests {
  @Test(
    "a job rises, stays and falls",
    arguments: [
      (9.0, 0.0), (10, 0), (12, 4), (15, 10), (16, 10), (34, 10), (37, 6), (40, 0), (50, 0),
    ]
  )
  func job(seconds: Double, demand: Double) {
    let job = FleetJob(starts: 10, slope: 5, stays: 20, height: 10)
    #expect(job.demand(at: seconds) == demand)
    #expect(job.ends == 40)
    #expect(job.rise(at: seconds) == (seconds >= 10 && seconds < 15 ? 2 : 0))
  }

  @Test(
    "a job says when its slope changes next",
    arguments: [
      (0.0, 10.0), (10, 15), (15, 35), (34, 35), (35, 40), (39, 40),
    ]
  )
  func changes(after: Double, next: Double) {
    let job = FleetJob(starts: 10, slope: 5, stays: 20, height: 10)
    #expect(job.change(after: after) == next)
  }

  @Test("demand is the same for the same chance, and nothing changes before it says so")
  func demand() {
    var chance = Chance(seed: 6)
    var demand = FleetDemand(capacity: gibibyte, days: 1, chance: &chance)
    var again = Chance(seed: 6)
    var other = FleetDemand(capacity: gibibyte, days: 1, chance: &again)
    var at = 0.0
    var jobs = 0
    while at < 86_400 {
      #expect(demand.bytes(at: at) == other.bytes(at: at))
      let next = demand.change(after: at)
      #expect(next > at)
      if next < .infinity {
        // Halfway to the next change the demand lies within its greatest rise.
        let half = (at + next) / 2
        let before = other.bytes(at: at)
        let rise = demand.rise(at: at) * (half - at)
        #expect(other.bytes(at: half) <= before + rise + 1)
        _ = demand.bytes(at: half)
      }
      at = next
      jobs += 1
    }
    #expect(jobs > 40, "about 24 jobs with four changes each")
  }

  @Test("the kernel kills the job that needs most")
  func kills() {
    var chance = Chance(seed: 12)
    var demand = FleetDemand(capacity: gibibyte, days: 1, chance: &chance)
    var most = (at: 0.0, bytes: 0.0)
    var copy = demand
    for second in stride(from: 0.0, to: 86_400, by: 20) {
      let bytes = copy.bytes(at: second)
      if bytes > most.bytes { most = (second, bytes) }
    }
    #expect(demand.bytes(at: most.at) == most.bytes)
    demand.killBiggest(at: most.at)
    #expect(demand.bytes(at: most.at) < most.bytes - 0.004 * gibibyte)
  }

  @Test("a host is the same for the same seed, under every policy", arguments: PolicyName.allCases)
  func sameSeed(policy: PolicyName) {
    let once = FleetHost.run(seed: 3, policy: policy, days: 0.02)
    #expect(once == FleetHost.run(seed: 3, policy: policy, days: 0.02))
    #expect(once.steps > 0 && once.held > 0 && once.held <= 1 + 1e-9)
  }

  @Test("time jumps where nothing is near")
  func jumps() {
    let quiet = FleetHost.run(seed: 1, policy: .none, days: 0.25)
    #expect(quiet.steps < 432_000 / 2, "steps of 50 ms would be 432,000")
    let core = FleetHost.run(seed: 1, policy: .ucmkd, days: 0.05)
    #expect(core.steps > 200, "the daemon looks where memory could come near")
  }

  @Test("readings that change nothing are left out, and what came of a host stays")
  func skipped() {
    for seed in UInt64(20)..<23 {
      let some = FleetHost.run(seed: seed, policy: .ucmkd, days: 0.25)
      let all = FleetHost.run(seed: seed, policy: .ucmkd, days: 0.25, skipsReadings: false)
      #expect(some.steps < all.steps, "seed \(seed)")
      #expect(some.kills == all.kills, "seed \(seed)")
      #expect(abs(some.held - all.held) < 0.01, "seed \(seed)")
    }
  }

  @Test("a fleet adds up what came of its hosts")
  func report() {
    var one = FleetOutcome()
    one.kills = 2
    one.reliefs = [1, 2, 3]
    one.asks = 10
    one.held = 0.5
    one.stall = 4
    one.steps = 100
    let report = FleetReport([one, FleetOutcome()], days: 2, policy: .deficit)
    #expect(report.hosts == 2)
    #expect(report.killsPerHostYear == 182.5)
    #expect(report.shortages == 3 && report.relief == 2 && report.reliefMost == 3)
    #expect(report.asksPerHostDay == 2.5 && report.stallPerHostDay == 1)
    #expect(report.held == 0.25 && report.stepsPerHostDay == 25)
    #expect(
      report.json.line
        == #"{"policy":"deficit","hosts":2,"days":2.000,"oom_per_host_year":182.5000,"#
        + #""shortages":3,"relief_p50_s":2.000,"relief_p99_s":2.980,"relief_p999_s":2.998,"#
        + #""relief_max_s":3.000,"asks_per_host_day":2.500,"stall_s_per_host_day":1.0000,"#
        + #""cache_held":0.25000}"#
    )
    let lines = FleetReport.lines([report])
    #expect(lines.count == 2 && lines[1].contains("182.50") && lines[1].contains("25.0%"))
  }

  @Test("a fleet without a shortage has no tails")
  func calm() {
    let report = FleetReport([FleetOutcome()], days: 1, policy: .none)
    #expect(report.relief999.isNaN)
    #expect(report.json.line.contains(#""relief_p999_s":null"#))
  }

  @Test("the core keeps a fleet better than nobody does")
  func compared() async {
    let core = await FleetReport.run(hosts: 4, days: 0.05, policy: .ucmkd, seed: 100)
    let none = await FleetReport.run(hosts: 4, days: 0.05, policy: .none, seed: 100)
    #expect(core.stallPerHostDay <= none.stallPerHostDay)
    #expect(core.killsPerHostYear <= none.killsPerHostYear)
    #expect(none.asksPerHostDay == 0)
    #expect(core.held > 0.9)
  }
}
