// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Finds the level of a split among the marks where its slope changes.
///
/// As the level falls, a party starts to give at size/weight and is exhausted at
/// (size - cap)/weight. Between two such marks the sum of all parts is a straight line, so μ is a
/// fraction of two sums: N = Σ exhausted caps + Σ giving sizes - T over D = Σ giving weights.
/// The marks around μ are found by selection; a heap sort ends the search of whoever chose numbers
/// that make selection slow, so that no input takes more than n log n.
struct MarkSearch: Sendable {
  private var marks: [Mark] = []

  /// Makes room for `count` parties.
  mutating func reserve(_ count: Int) { marks.makeRoom(for: 2 * count) }

  /// The level at which the parts add up to `target`, above zero and below the sum of the caps.
  mutating func level(_ target: UInt64, over claims: [Claim], in range: Range<Int>) -> QuotaLevel {
    marks.clear()
    for index in range where claims[index].cap > 0 {
      marks.append(Mark(claim: claims[index], index: index, isExhausted: false))
      marks.append(Mark(claim: claims[index], index: index, isExhausted: true))
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

  func level(for target: UInt64) -> QuotaLevel {
    precondition(givingWeights > 0, "somebody gives at the level of a target below the capacity")
    return QuotaLevel(
      numerator: exhaustedCaps + givingSizes - UInt128(target),
      denominator: givingWeights
    )
  }
}
