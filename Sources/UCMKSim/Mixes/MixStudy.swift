// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKControl

/// What a way to split costs over many mixes.
package struct MixRow: Sendable, Equatable {
  /// How it is split, and which part of all cache is wanted: 0…1.
  package var policy: MixPolicy, part: Double
  /// Added miss cost over the optimum's: the middle, and nine of ten mixes are below.
  package var loss: Double, lossHigh: Double
  /// What the poorest keeps over an equal part of what is kept.
  package var leastKept: Double
  /// How evenly it takes: Jain's index of the parts that are kept, 1 where they are the same.
  package var jain: Double
  /// Bytes freed over bytes wanted.
  package var freed: Double
}

/// The study of splits: mixes of Zipf caches.
package struct MixStudy: Sendable, Equatable {
  /// By part and policy.
  package var rows: [MixRow]

  /// Parts of all cache that are wanted.
  package static let parts = [0.1, 0.3, 0.6]

  private struct Result: Sendable {
    var policy: MixPolicy, part: Double
    var loss: Double, leastKept: Double, jain: Double, freed: Double
  }

  /// Tries every policy on `count` mixes of 12 caches.
  ///
  /// - Parameters:
  ///   - count: How many mixes.
  ///   - progress: Told how many mixes are done.
  /// - Returns: Medians and ninth deciles.
  package static func run(
    mixes count: Int,
    progress: @Sendable (Int) -> Void = { _ in }
  ) async -> MixStudy {
    let library = CacheMix.Library()
    let found = await Study.inParallel(count, progress: progress) { number in
      results(of: CacheMix(number: UInt64(number), library: library))
    }
    var rows: [MixRow] = []
    for part in parts {
      for policy in MixPolicy.allCases {
        let own = found.joined().filter { $0.policy == policy && $0.part == part }
        rows.append(
          MixRow(
            policy: policy,
            part: part,
            loss: median(own.map(\.loss)),
            lossHigh: quantile(0.9, of: own.map(\.loss)),
            leastKept: median(own.map(\.leastKept)),
            jain: median(own.map(\.jain)),
            freed: median(own.map(\.freed))
          )
        )
      }
    }
    return MixStudy(rows: rows)
  }

  private static func results(of mix: CacheMix) -> [Result] {
    parts.flatMap { part in
      let target = (mix.total * part).rounded(.down)
      let best = mix.addedLoss(giving: MixPolicy.optimum.parts(of: target, from: mix))
      return MixPolicy.allCases.map { policy in
        let given = policy.parts(of: target, from: mix)
        let kept = zip(mix.caches, given).map { $0.size - $1 }
        let equal = (mix.total - target) / Double(kept.count)
        return Result(
          policy: policy,
          part: part,
          loss: mix.addedLoss(giving: given) / max(best, 1e-9),
          leastKept: (kept.min() ?? 0) / equal,
          jain: jain(zip(kept, mix.caches).map { $0 / $1.size }),
          freed: given.reduce(0, +) / target
        )
      }
    }
  }

  /// The row of a policy.
  package func row(_ policy: MixPolicy, _ part: Double) -> MixRow? {
    rows.first { $0.policy == policy && $0.part == part }
  }

  /// The table for people.
  package var lines: [String] {
    var columns: [Table.Column] = [.words("split")]
    for part in MixStudy.parts {
      columns += [.numbers("T=\(fixed(part * 100, 0))%"), .numbers("p90")]
    }
    columns += [.numbers("least kept"), .numbers("Jain"), .numbers("freed/T")]
    var table = Table(columns)
    for policy in MixPolicy.allCases {
      var cells = [Table.Cell(policy.rawValue)]
      for part in MixStudy.parts {
        let row = row(policy, part)
        cells.append(Table.Cell(fixed(row?.loss ?? .nan, 2)))
        cells.append(Table.Cell(fixed(row?.lossHigh ?? .nan, 2)))
      }
      let middle = row(policy, 0.3)
      cells.append(Table.Cell(fixed(middle?.leastKept ?? .nan, 3)))
      cells.append(Table.Cell(fixed(middle?.jain ?? .nan, 3)))
      cells.append(Table.Cell(fixed(middle?.freed ?? .nan, 2)))
      table.add(cells)
    }
    return table.lines(.plain, width: nil)
  }
}

/// Jain's index of fairness (Jain, Chiu, Hawe, 1984): 1 where all values are the same, 1/n where
/// one has everything.
func jain(_ values: [Double]) -> Double {
  let sum = values.reduce(0, +)
  let squares = values.reduce(0) { $0 + $1 * $1 }
  return squares > 0 ? sum * sum / (Double(values.count) * squares) : 1
}
