// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// What costs are held against in one split, and whose count.
struct CostScale: Sendable {
  /// The median cost of all that take part.
  let median: UInt32
  /// How the target is split: the band's own rule weighs shares alone, and looks at cost
  /// afterwards.
  let rule: QuotaRule
  /// Whether costs that nobody vouches for count.
  let countsDeclared: Bool

  /// Gives every cache its band and its weight.
  ///
  /// - Parameters:
  ///   - caches: Those that take part.
  ///   - claims: The same places.
  ///   - clients: Whose they are.
  /// - Returns: Whether costs that nobody vouches for shift the split, or would if they counted.
  func weigh(
    _ caches: inout [PlannedCache],
    _ claims: inout [Claim],
    of clients: [PlannedClient]
  ) -> Bool {
    var isShifted = false
    // Not by the arrays: they would ask at each store whether they are the only owner.
    var planned = caches.mutableSpan
    var parts = claims.mutableSpan
    for client in clients {
      var credit: UInt64 = 0
      if client.ledger != 0 {
        var held = UInt128.zero
        for index in client.caches { held += UInt128(parts[index].size) }
        credit = UInt64(clamping: held) / Defaults.declaredCredit
      }
      for index in client.caches {
        let isVouched = planned[index].isVouched
        var band = CostBand.band(of: planned[index].cost, median: median, isVouched: isVouched)
        if !isVouched, band != .one {
          if client.ledger != 0 {
            band = CostBand.believed(band, balance: client.ledger, credit: credit)
          }
          isShifted = isShifted || rule != .band
        }
        planned[index].band = band
        let weighs = rule != .band && (countsDeclared || isVouched)
        let weight = weighs ? band.parts : Permyriad.one.parts
        parts[index].weight = UInt64(planned[index].share) * UInt64(weight)
        parts[index].cost = UInt64(band.parts)
      }
    }
    return isShifted
  }
}
