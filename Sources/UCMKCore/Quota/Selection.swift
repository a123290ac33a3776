// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A value with a total order in which it is worth asking only for the first few.
protocol Ranked {
  /// Whether this value comes before `other`; exactly one of two different values does.
  func precedes(_ other: Self) -> Bool
}

/// Selection in place: the standard library's sort borrows a buffer that grows with the array, and
/// a round must not allocate while memory is short.
extension Array where Element: Ranked {
  /// Puts one element of `range` where it belongs, everything that precedes it before it, the rest
  /// after it.
  ///
  /// - Returns: The place of that element.
  mutating func partition(_ range: Range<Int>) -> Int {
    precondition(!range.isEmpty, "an empty range has no pivot")
    let last = range.upperBound - 1
    swapAt(middleOfThree(range), last)
    let pivot = self[last]
    // Not by the array: it would ask at each swap whether it is the only owner.
    var elements = mutableSpan
    var place = range.lowerBound
    for index in range.lowerBound..<last where elements[index].precedes(pivot) {
      elements.swapAt(index, place)
      place += 1
    }
    elements.swapAt(place, last)
    return place
  }

  /// Moves the first `count` elements of `range`, by rank and in any order, to its front.
  mutating func select(_ count: Int, in range: Range<Int>) {
    var low = range.lowerBound
    var high = range.upperBound
    let border = low + count
    var patience = Self.patience(for: range.count)
    while low < border, border < high {
      guard patience > 0 else { return heapSort(low..<high) }
      patience -= 1
      let place = partition(low..<high)
      if place >= border { high = place } else { low = place + 1 }
    }
  }

  /// Sorts `range` by rank; never worse than n log n, whatever clients make of their numbers.
  mutating func heapSort(_ range: Range<Int>) {
    let base = range.lowerBound
    let count = range.count
    guard count > 1 else { return }
    for start in stride(from: count / 2 - 1, through: 0, by: -1) {
      sink(start, base: base, count: count)
    }
    for end in stride(from: count - 1, to: 0, by: -1) {
      swapAt(base, base + end)
      sink(0, base: base, count: end)
    }
  }

  /// Partitions that a selection among `count` may need before its luck counts as somebody's
  /// doing: about three times what random input takes.
  static func patience(for count: Int) -> Int { 4 * (Int.bitWidth - count.leadingZeroBitCount) + 8 }

  private func middleOfThree(_ range: Range<Int>) -> Int {
    let first = range.lowerBound
    let last = range.upperBound - 1
    let middle = first + (last - first) / 2
    if self[first].precedes(self[middle]) {
      if self[middle].precedes(self[last]) { return middle }
      return self[first].precedes(self[last]) ? last : first
    }
    if self[first].precedes(self[last]) { return first }
    return self[middle].precedes(self[last]) ? last : middle
  }

  private mutating func sink(_ start: Int, base: Int, count: Int) {
    var parent = start
    while 2 * parent + 1 < count {
      var child = 2 * parent + 1
      if child + 1 < count, self[base + child].precedes(self[base + child + 1]) { child += 1 }
      guard self[base + parent].precedes(self[base + child]) else { return }
      swapAt(base + parent, base + child)
      parent = child
    }
  }
}

extension Array {
  /// Makes room for `count` elements, doubling, so that a thousand registrations copy a buffer ten
  /// times and a round never.
  mutating func makeRoom(for count: Int) {
    if capacity < count { reserveCapacity(Swift.max(count, 2 * capacity)) }
  }

  /// Replaces the contents by nothing and keeps the storage.
  mutating func clear() {
    if !isEmpty { removeAll(keepingCapacity: true) }
  }
}
