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
}
