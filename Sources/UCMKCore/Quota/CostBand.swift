// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// The band in which the cost that clients declare or measure counts, around the median of those
/// that take part.
///
///     band = clamp(cost / median, ½, 2)      weight = share × band
///
/// A median rather than a mean: one client that declares the highest cost must not cheapen all
/// others. Half to twice, since an unchecked declaration may shift the split, not decide it; an
/// eighth to eight times where the cost is measured and vouched for (`CostVoucher`).
enum CostBand {
  /// One cost among those of a round.
  struct Cost: Ranked, Sendable {
    let value: UInt32
    let index: Int

    func precedes(_ other: Cost) -> Bool {
      value != other.value ? value < other.value : index < other.index
    }
  }

  /// The median, the lower one of an even number; zero of none.
  ///
  /// Leaves `costs` in another order.
  static func median(of costs: inout [Cost]) -> UInt32 {
    guard !costs.isEmpty else { return 0 }
    let middle = (costs.count - 1) / 2
    costs.select(middle + 1, in: 0..<costs.count)
    var median = costs[0].value
    for cost in costs[...middle] { median = max(median, cost.value) }
    return median
  }

  /// The cost as a part of the median, within the band; one whole where the median is zero.
  ///
  /// - Parameters:
  ///   - cost: As measured, else as declared, in µs per MiB.
  ///   - median: Of all that take part.
  ///   - isVouched: Whether it was measured by a client that is seen to do what it says: then an
  ///     eighth to eight times counts.
  /// - Returns: Parts of the median.
  static func band(of cost: UInt32, median: UInt32, isVouched: Bool = false) -> Permyriad {
    guard median > 0 else { return .one }
    let parts = UInt64(cost) * 10_000 / UInt64(median)
    let least = isVouched ? Defaults.vouchedCostMinimum : Defaults.costMinimum
    let most = isVouched ? Defaults.vouchedCostMaximum : Defaults.costMaximum
    return Permyriad(UInt32(min(max(parts, UInt64(least.parts)), UInt64(most.parts))))
  }

  /// What is left of a declared band for a client whose ledger is not even.
  ///
  ///     believed = 1 + (band - 1) · (credit - |balance|) / credit
  ///
  /// A declaration buys time, not memory: whoever was spared for a high cost and owes for it, and
  /// whoever was asked for more because of a low one, counts as if it had said nothing until that
  /// is made good. Without it a client that declares the highest cost keeps 37 % more after 20
  /// rounds than with the truth, with it nothing (`ucmk-sim`, 300 mixes).
  ///
  /// - Parameters:
  ///   - band: Of the cost that was declared.
  ///   - balance: What the client gave beyond its fair parts.
  ///   - credit: The balance at which nothing of the band is left.
  /// - Returns: Parts of the median.
  static func believed(_ band: Permyriad, balance: Int64, credit: UInt64) -> Permyriad {
    guard band > .one ? balance < 0 : balance > 0 else { return band }
    let left = UInt128(credit - min(credit, balance.magnitude))
    guard left > 0 else { return .one }
    let one = Permyriad.one.parts
    let away = UInt128(band > .one ? band.parts - one : one - band.parts)
    let believed = UInt32(away * left / UInt128(credit))
    return Permyriad(band > .one ? one + believed : one - believed)
  }
}
