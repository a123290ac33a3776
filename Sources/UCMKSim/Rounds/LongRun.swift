// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKControl

/// Many rounds with clients that do not all do what they are asked.
///
/// Ten clients of 512 MiB each, of which half the time only an eighth could go; two of them give
/// 30 % of what is asked. After each round all have refilled.
package struct LongRun: Sendable, Equatable {
  /// Jain's index of what was given by all, and by those that give what is asked.
  package var jain: Double, jainHonest: Double
  /// What a shirker gave over what an honest client gave.
  package var shirkers: Double
  /// Bytes delivered over bytes wanted, at most 1 in a round.
  package var delivered: Double

  /// How the rounds are split.
  package enum Rule: String, Sendable, CaseIterable {
    /// Everybody is asked for the same part of what it could free, and nobody remembers.
    case proportional = "proportional, no memory"
    /// The daemon's own core.
    case ucmkd
  }

  static let clients = 10, honest = 8, rounds = 200
  static let size = 512 * mebibyte

  /// Runs 200 rounds.
  static func run(_ rule: Rule, seed: UInt64) -> LongRun {
    var chance = Chance(seed: seed, stream: 4)
    let fractions = (0..<clients).map { $0 < honest ? 1 : 0.3 }
    let made = fractions.map { RoundBench.Client(size: size, reclaimable: size, fraction: $0) }
    var bench = RoundBench(rule == .ucmkd ? made : [])
    var total = [Double](repeating: 0, count: clients)
    var delivered = 0.0
    for _ in 0..<rounds {
      let caps = (0..<clients).map { _ in chance.fraction() < 0.5 ? size : size / 8 }
      let room = caps.reduce(0, +)
      let target = (room * chance.between(0.05, 0.4)).rounded(.down)
      let given: [Double]
      switch rule {
      case .proportional: given = zip(caps, fractions).map { $0 * target / room * $1 }
      case .ucmkd:
        for index in caps.indices { bench.resize(index, to: size, reclaimable: caps[index]) }
        given = bench.round(target)
      }
      for index in given.indices { total[index] += given[index] }
      delivered += min(1, given.reduce(0, +) / target) / Double(rounds)
    }
    let honestly = Array(total[..<honest])
    let shirked = total[honest...].reduce(0, +) / Double(clients - honest)
    return LongRun(
      jain: UCMKSim.jain(total),
      jainHonest: UCMKSim.jain(honestly),
      shirkers: shirked / (honestly.reduce(0, +) / Double(honest)),
      delivered: delivered
    )
  }

  /// The mean of `seeds` runs.
  package static func mean(_ rule: Rule, seeds: Int) async -> LongRun {
    let runs = await Study.inParallel(seeds) { run(rule, seed: UInt64($0)) }
    func mean(_ value: (LongRun) -> Double) -> Double {
      runs.reduce(0) { $0 + value($1) } / Double(max(1, runs.count))
    }
    return LongRun(
      jain: mean(\.jain),
      jainHonest: mean(\.jainHonest),
      shirkers: mean(\.shirkers),
      delivered: mean(\.delivered)
    )
  }

  /// The table of all rules for people.
  package static func lines(seeds: Int) async -> [String] {
    var table = Table([
      .words("split"), .numbers("Jain, all"), .numbers("Jain, honest"),
      .numbers("shirker/honest"), .numbers("delivered/T"),
    ])
    for rule in Rule.allCases {
      let run = await mean(rule, seeds: seeds)
      table.add([
        Table.Cell(rule.rawValue), Table.Cell(fixed(run.jain, 4)),
        Table.Cell(fixed(run.jainHonest, 4)), Table.Cell(fixed(run.shirkers, 3)),
        Table.Cell(fixed(run.delivered, 3)),
      ])
    }
    return table.lines(.plain, width: nil)
  }
}
