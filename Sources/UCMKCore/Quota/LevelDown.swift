// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Weighted max-min of what is kept, exact in integers.
///
/// A target T is taken so that what everybody keeps comes as close to its weight as possible: a
/// water level μ falls on the sizes, each divided by its weight, and whoever stands above it gives
/// what stands out, but no more than its cap.
///
///     part_i = clamp(size_i - μ · weight_i, 0, cap_i)    Σ part_i = min(T, Σ cap_i)
///
///     size/weight   ▇▇▇▇▇▇▇▇▇▇▇▇▇▇      a gives the most
///        μ  ─ ─ ─ ─ ▇▇▇▇▇▇▇▇┊           b gives what stands above
///                   ▇▇▇     ┊           c is small and gives nothing
///
/// The level is found by settling parties (`LevelSearch`), in a few passes over fewer and fewer of
/// them; where numbers are too large for that or somebody chose them to make it slow, by selection
/// among the marks (`MarkSearch`). Both give the same fraction, and nothing is rounded before the
/// last division. The bytes that the divisions lose (fewer than there are parties) go one each to
/// the largest remainders, the earlier party first.
///
/// Sums are 128 bits wide: 2^31 parties of 2^64 bytes with weights of 2^32 cannot overflow them.
struct LevelDown: Sendable {
  /// The level of the last split; nil where it gave nothing.
  private(set) var level: QuotaLevel?

  private var search = LevelSearch()
  private var remainders: [Remainder] = []

  /// Makes room for splits over `count` parties.
  mutating func reserve(_ count: Int) {
    search.reserve(count)
    remainders.makeRoom(for: count)
  }

  /// Splits `target` over the claims in `range`, writing each `part`.
  ///
  /// - Returns: The sum of the parts: min(target, sum of the caps).
  mutating func split(
    _ target: UInt64,
    over claims: inout [Claim],
    in range: Range<Int>
  ) -> UInt64 {
    level = nil
    if range.count == 1 { return takeAlone(target, from: &claims[range.lowerBound]) }
    var capacity: UInt128 = 0
    for index in range {
      precondition(claims[index].cap <= claims[index].size, "a cap is a part of the size")
      capacity += UInt128(claims[index].cap)
    }
    guard UInt128(target) < capacity else {
      for index in range { claims[index].part = claims[index].cap }
      level = .ground
      return UInt64(capacity)
    }
    guard target > 0 else {
      for index in range { claims[index].part = 0 }
      return 0
    }
    let found = search.level(target, over: claims, in: range)
    level = found
    distribute(target, over: &claims, in: range, down: found)
    return target
  }

  /// A single party gives what is wanted, and the level is what it keeps over its weight.
  private mutating func takeAlone(_ target: UInt64, from claim: inout Claim) -> UInt64 {
    precondition(claim.cap <= claim.size, "a cap is a part of the size")
    claim.part = min(target, claim.cap)
    if claim.part > 0 {
      let kept = UInt128(claim.size - claim.part)
      level = QuotaLevel(numerator: kept, denominator: max(1, claim.weight))
    }
    return claim.part
  }

  private mutating func distribute(
    _ target: UInt64,
    over claims: inout [Claim],
    in range: Range<Int>,
    down level: QuotaLevel
  ) {
    remainders.clear()
    var given: UInt64 = 0
    var parties = claims.mutableSpan
    for index in range {
      let size = parties[index].size
      let cap = parties[index].cap
      let (kept, remainder) = level.kept(by: parties[index].weight)
      let part = UInt128(size) > kept ? min(size - UInt64(kept), cap) : 0
      parties[index].part = part
      given += part
      if remainder > 0, UInt128(size) >= kept, part < cap {
        remainders.append(Remainder(bytes: remainder, index: index))
      }
    }
    let left = Int(target - given)
    precondition(left <= remainders.count, "each party loses less than a byte to rounding")
    remainders.select(left, in: 0..<remainders.count)
    for place in 0..<left { claims[remainders[place].index].part += 1 }
  }
}
