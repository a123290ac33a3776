// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKControl

/// What came of a fleet.
package struct FleetReport: Sendable, Equatable {
  /// How many hosts ran how many days each, under which policy.
  package var hosts: Int, days: Double, policy: PolicyName
  /// Times at which the kernel would have killed on a host in a year.
  package var killsPerHostYear: Double
  /// Times below the low mark of all hosts, and how long they were in seconds: the middle, one
  /// in a hundred, one in a thousand, the longest.
  package var shortages: Int
  package var relief: Double, relief99: Double, relief999: Double, reliefMost: Double
  /// Requests and seconds of stall of a host in a day, and the part of the caches it held.
  package var asksPerHostDay: Double, stallPerHostDay: Double, held: Double
  /// Steps of a host in a day.
  package var stepsPerHostDay: Double

  /// Runs a fleet; host number n has the seed `seed` + n.
  package static func run(
    hosts: Int,
    days: Double = 1,
    policy: PolicyName,
    seed: UInt64 = 0,
    progress: @Sendable (Int) -> Void = { _ in }
  ) async -> FleetReport {
    let outcomes = await Study.inParallel(hosts, progress: progress) { number in
      FleetHost.run(seed: seed &+ UInt64(number), policy: policy, days: days)
    }
    return FleetReport(outcomes, days: days, policy: policy)
  }

  init(_ outcomes: [FleetOutcome], days: Double, policy: PolicyName) {
    let reliefs = outcomes.flatMap(\.reliefs)
    let hostDays = max(1e-9, Double(outcomes.count) * days)
    hosts = outcomes.count
    self.days = days
    self.policy = policy
    killsPerHostYear = Double(outcomes.reduce(0) { $0 + $1.kills }) / hostDays * 365
    shortages = reliefs.count
    relief = quantile(0.5, of: reliefs)
    relief99 = quantile(0.99, of: reliefs)
    relief999 = quantile(0.999, of: reliefs)
    reliefMost = reliefs.max() ?? .nan
    asksPerHostDay = Double(outcomes.reduce(0) { $0 + $1.asks }) / hostDays
    stallPerHostDay = outcomes.reduce(0) { $0 + $1.stall } / hostDays
    held = outcomes.reduce(0) { $0 + $1.held } / Double(max(1, outcomes.count))
    stepsPerHostDay = Double(outcomes.reduce(0) { $0 + $1.steps }) / hostDays
  }

  /// The table of several fleets for people.
  package static func lines(_ reports: [FleetReport]) -> [String] {
    var table = Table([
      .words("policy"), .numbers("hosts"), .numbers("days"), .numbers("OOM/host-year"),
      .numbers("shortages"), .numbers("relief s"), .numbers("p99 s"), .numbers("p99.9 s"),
      .numbers("most s"), .numbers("asks/day"), .numbers("stall s/day"), .numbers("cache held"),
      .numbers("steps/day"),
    ])
    for report in reports {
      table.add([
        Table.Cell(report.policy.rawValue), Table.Cell("\(report.hosts)"),
        Table.Cell(fixed(report.days, 1)), Table.Cell(fixed(report.killsPerHostYear, 2)),
        Table.Cell("\(report.shortages)"), Table.Cell(fixed(report.relief, 2)),
        Table.Cell(fixed(report.relief99, 2)), Table.Cell(fixed(report.relief999, 2)),
        Table.Cell(fixed(report.reliefMost, 2)), Table.Cell(fixed(report.asksPerHostDay, 2)),
        Table.Cell(fixed(report.stallPerHostDay, 3)),
        Table.Cell(fixed(report.held * 100, 1) + "%"),
        Table.Cell(fixed(report.stepsPerHostDay, 0)),
      ])
    }
    return table.lines(.plain, width: nil)
  }

  /// The report as one object.
  package var json: JSONValue {
    [
      "policy": .string(policy.rawValue), "hosts": .integer(Int64(hosts)),
      "days": .number(fixed(days, 3)), "oom_per_host_year": .number(fixed(killsPerHostYear, 4)),
      "shortages": .integer(Int64(shortages)),
      "relief_p50_s": FleetReport.number(relief), "relief_p99_s": FleetReport.number(relief99),
      "relief_p999_s": FleetReport.number(relief999),
      "relief_max_s": FleetReport.number(reliefMost),
      "asks_per_host_day": .number(fixed(asksPerHostDay, 3)),
      "stall_s_per_host_day": .number(fixed(stallPerHostDay, 4)),
      "cache_held": .number(fixed(held, 5)),
    ]
  }

  private static func number(_ value: Double) -> JSONValue {
    value.isNaN ? .null : .number(fixed(value, 3))
  }
}
