// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One party to a split: how large it is, how much of that can be asked for, what it weighs.
struct Claim: Sendable, Equatable {
  /// Bytes it holds.
  var size: UInt64
  /// The most that can be taken; at most `size`.
  var cap: UInt64
  /// Twice the weight keeps twice as much: 1…2^32-1.
  var weight: UInt64
  /// What the last split takes from it.
  var part: UInt64 = 0
}

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
/// As the level falls, a party starts to give at size/weight and is exhausted at
/// (size - cap)/weight. Between two such marks the sum of all parts is a straight line, so μ is a
/// fraction of two sums: N = Σ exhausted caps + Σ giving sizes - T over D = Σ giving weights.
/// The marks around μ are found by selection, in time linear in the number of parties; nothing is
/// rounded before the last division, and the bytes that the divisions lose (fewer than there are
/// parties) go one each to the largest remainders, the earlier party first.
///
/// Sums are 128 bits wide: 2^14 parties of 2^64 bytes with weights of 2^32 cannot overflow them.
struct LevelDown: Sendable {
  private var marks: [Mark] = []
  private var remainders: [Remainder] = []

  /// Makes room for splits over `count` parties.
  mutating func reserve(_ count: Int) {
    marks.makeRoom(for: 2 * count)
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
    if range.count == 1 {
      let claim = claims[range.lowerBound]
      precondition(claim.cap <= claim.size, "a cap is a part of the size")
      claims[range.lowerBound].part = min(target, claim.cap)
      return min(target, claim.cap)
    }
    var capacity: UInt128 = 0
    for index in range {
      precondition(claims[index].cap <= claims[index].size, "a cap is a part of the size")
      capacity += UInt128(claims[index].cap)
    }
    guard UInt128(target) < capacity else {
      for index in range { claims[index].part = claims[index].cap }
      return UInt64(capacity)
    }
    guard target > 0 else {
      for index in range { claims[index].part = 0 }
      return 0
    }
    let level = level(target, claims, range)
    distribute(target, over: &claims, in: range, down: level)
    return target
  }

  /// The level at which the parts add up to `target`, as a fraction.
  private mutating func level(_ target: UInt64, _ claims: [Claim], _ range: Range<Int>) -> Level {
    marks.clear()
    for index in range where claims[index].cap > 0 {
      let claim = claims[index]
      precondition(claim.weight > 0 && claim.weight <= UInt32.max, "weights are 1...2^32-1")
      marks.append(Mark(claim: claim, index: index, isExhausted: false))
      marks.append(Mark(claim: claim, index: index, isExhausted: true))
    }
    var sums = Sums()
    var low = 0
    var high = marks.count
    var patience = [Mark].patience(for: high)
    while low < high {
      if patience == 0 {
        marks.heapSort(low..<high)
        while low < high, !sums.reach(target, at: marks[low]) {
          sums.pass(marks[low])
          low += 1
        }
        break
      }
      patience -= 1
      let place = marks.partition(low..<high)
      var ahead = sums
      for index in low..<place { ahead.pass(marks[index]) }
      if ahead.reach(target, at: marks[place]) {
        high = place
      } else {
        ahead.pass(marks[place])
        sums = ahead
        low = place + 1
      }
    }
    return sums.level(for: target)
  }

  private mutating func distribute(
    _ target: UInt64,
    over claims: inout [Claim],
    in range: Range<Int>,
    down level: Level
  ) {
    remainders.clear()
    var given: UInt64 = 0
    for index in range {
      let (kept, remainder) = level.kept(by: claims[index].weight)
      let size = UInt128(claims[index].size)
      let part = UInt64(size > kept ? min(size - kept, UInt128(claims[index].cap)) : 0)
      claims[index].part = part
      given += part
      if remainder > 0, size >= kept, part < claims[index].cap {
        remainders.append(Remainder(bytes: remainder, index: index))
      }
    }
    let left = Int(target - given)
    precondition(left <= remainders.count, "each party loses less than a byte to rounding")
    remainders.select(left, in: 0..<remainders.count)
    for remainder in remainders[..<left] { claims[remainder.index].part += 1 }
  }
}

/// Where the falling level meets a party: it starts to give, or is exhausted.
private struct Mark: Ranked, Sendable {
  let size: UInt64
  let cap: UInt64
  let weight: UInt64
  let index: Int
  let isExhausted: Bool

  init(claim: Claim, index: Int, isExhausted: Bool) {
    size = claim.size
    cap = claim.cap
    weight = claim.weight
    self.index = index
    self.isExhausted = isExhausted
  }

  /// The height of the mark times the weight.
  var height: UInt64 { isExhausted ? size - cap : size }

  /// From the highest mark down; a party starts before it is exhausted, the earlier party first.
  func precedes(_ other: Mark) -> Bool {
    let here = height.multipliedFullWidth(by: other.weight)
    let there = other.height.multipliedFullWidth(by: weight)
    if here.high != there.high { return here.high > there.high }
    if here.low != there.low { return here.low > there.low }
    if isExhausted != other.isExhausted { return other.isExhausted }
    return index < other.index
  }
}

/// Sums over the parties whose marks lie above the level.
///
/// A selection passes marks in any order, so that a party may seem exhausted before it starts: the
/// additions wrap around and come right once both marks are passed.
private struct Sums {
  var exhaustedCaps: UInt128 = 0
  var givingSizes: UInt128 = 0
  var givingWeights: UInt64 = 0

  /// Takes note that the level fell below `mark`.
  mutating func pass(_ mark: Mark) {
    if mark.isExhausted {
      givingSizes &-= UInt128(mark.size)
      givingWeights &-= mark.weight
      exhaustedCaps += UInt128(mark.cap)
    } else {
      givingSizes &+= UInt128(mark.size)
      givingWeights &+= mark.weight
    }
  }

  /// Whether the parts add up to `target` or more when the level stands at `mark`.
  func reach(_ target: UInt64, at mark: Mark) -> Bool {
    let whole = exhaustedCaps + givingSizes
    guard whole >= UInt128(target) else { return false }
    let kept = UInt128(mark.height) * UInt128(givingWeights)
    return (whole - UInt128(target)) * UInt128(mark.weight) >= kept
  }

  func level(for target: UInt64) -> Level {
    precondition(givingWeights > 0, "somebody gives at the level of a target below the capacity")
    return Level(
      numerator: exhaustedCaps + givingSizes - UInt128(target),
      denominator: givingWeights
    )
  }
}

/// μ as a fraction.
private struct Level {
  let numerator: UInt128
  let denominator: UInt64

  /// What a party of this weight keeps at least: the level times the weight, rounded up, and how
  /// much was added by rounding, in parts of the denominator.
  func kept(by weight: UInt64) -> (kept: UInt128, remainder: UInt64) {
    if numerator <= UInt128(UInt64.max) {
      // One machine division where the sums fit, as they do unless somebody lies.
      let product = UInt64(numerator).multipliedFullWidth(by: weight)
      if product.high < denominator {
        let (quotient, rest) = denominator.dividingFullWidth(product)
        return rest == 0 ? (UInt128(quotient), 0) : (UInt128(quotient) + 1, denominator - rest)
      }
    }
    let (quotient, rest) = (numerator * UInt128(weight))
      .quotientAndRemainder(dividingBy: UInt128(denominator))
    return rest == 0 ? (quotient, 0) : (quotient + 1, denominator - UInt64(rest))
  }
}

/// The fraction of a byte that rounding took from a party.
private struct Remainder: Ranked, Sendable {
  let bytes: UInt64
  let index: Int

  func precedes(_ other: Remainder) -> Bool {
    bytes != other.bytes ? bytes > other.bytes : index < other.index
  }
}
