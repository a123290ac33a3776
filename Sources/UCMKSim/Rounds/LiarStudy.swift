// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKControl

/// What a client gains by a lie, over many mixes.
package struct LiarRow: Sendable, Equatable {
  /// What it says, and how costs are known.
  package var lie: Lie, vouched: Bool
  /// Cache kept more than with the truth, as a part of its size: on average, and at most.
  package var gain: Double, gainMost: Double
  /// Cache kept after 20 rounds over that of the same client with the truth, less 1.
  package var afterRounds: Double
}

/// What lies are worth, in one round and in many.
package enum LiarStudy {
  private struct Gain: Sendable {
    var once: Double, rounds: Double
  }

  static let rounds = 20
  /// Each of the rounds wants this part of all cache at the start.
  static let part = 0.02
  /// In one round this part is wanted.
  static let partOnce = 0.3

  /// Tries every lie on `count` mixes, each time with another client as the liar.
  package static func run(mixes count: Int) async -> [LiarRow] {
    let library = CacheMix.Library()
    var rows: [LiarRow] = []
    for vouched in [true, false] {
      for lie in Lie.allCases {
        let gains = await Study.inParallel(count) { number in
          let mix = CacheMix(number: UInt64(number), library: library)
          let index = number % mix.caches.count
          return Gain(
            once: once(lie, by: index, in: mix, vouched: vouched),
            rounds: vouched ? 0 : manyRounds(lie, by: index, in: mix)
          )
        }
        rows.append(
          LiarRow(
            lie: lie,
            vouched: vouched,
            gain: gains.reduce(0) { $0 + $1.once } / Double(count),
            gainMost: gains.map(\.once).max() ?? 0,
            afterRounds: vouched ? .nan : gains.reduce(0) { $0 + $1.rounds } / Double(count)
          )
        )
      }
    }
    return rows
  }

  static func once(_ lie: Lie, by index: Int, in mix: CacheMix, vouched: Bool) -> Double {
    let costs: BrokerSplit.Costs = vouched ? .vouched : .declared
    let target = mix.total * partOnce
    let truth = BrokerSplit(mix, costs: costs).parts(of: target)[index]
    let lied = BrokerSplit(mix, costs: costs, liar: (index, lie)).parts(of: target)[index]
    return (truth - lied) / mix.caches[index].size
  }

  /// How much more of its cache the liar has after 20 rounds in which it answers as it is asked.
  static func manyRounds(_ lie: Lie, by liar: Int, in mix: CacheMix) -> Double {
    let middle = median(mix.caches.map(\.density))
    let honest = mix.caches.map { cache in
      let cost = 10_000 * cache.density / middle
      return RoundBench.Client(
        size: cache.size,
        reclaimable: cache.size,
        cost: UInt32(min(1e9, max(1, cost)))
      )
    }
    func kept(isLying: Bool) -> Double {
      var clients = honest
      if isLying, lie == .topCost { clients[liar].cost = 10_000_000 }
      if isLying, lie == .hidesHalf { clients[liar].reclaimable /= 2 }
      var bench = RoundBench(clients)
      for _ in 0..<rounds {
        if isLying, lie == .hidesHalf {
          let size = bench.clients[liar].size
          bench.resize(liar, to: size, reclaimable: size / 2)
        }
        let given = bench.round(mix.total * part)
        precondition(given.allSatisfy { $0 >= 0 }, "nobody takes in a round")
      }
      return bench.clients[liar].size
    }
    let truth = kept(isLying: false)
    return truth > 0 ? kept(isLying: true) / truth - 1 : 0
  }

  /// The table for people.
  package static func lines(_ rows: [LiarRow]) -> [String] {
    var table = Table([
      .words("lie"), .words("costs"), .numbers("keeps more, mean"), .numbers("at most"),
      .numbers("after 20 rounds"),
    ])
    for row in rows {
      table.add([
        Table.Cell(row.lie.rawValue), Table.Cell(row.vouched ? "vouched, 1/8..8" : "declared"),
        Table.Cell(fixed(row.gain, 3)), Table.Cell(fixed(row.gainMost, 3)),
        Table.Cell(row.afterRounds.isNaN ? "-" : fixed(row.afterRounds, 3)),
      ])
    }
    return table.lines(.plain, width: nil)
  }
}
