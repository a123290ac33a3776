// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// Whole values small enough to rank by hand.
private struct Number: Ranked, Equatable {
  let value: Int

  func precedes(_ other: Number) -> Bool { value < other.value }
}

@Suite("Selection in place")
struct SelectionTests {
  private func numbers(_ values: [Int]) -> [Number] { values.map { Number(value: $0) } }

  @Test("partitions around one element")
  func partition() {
    var list = numbers([9, 5, 1, 8, 3, 7])
    let place = list.partition(0..<6)
    #expect(list[..<place].allSatisfy { $0.value < list[place].value })
    #expect(list[(place + 1)...].allSatisfy { $0.value > list[place].value })
  }

  @Test("brings the first few to the front, whatever the order", arguments: 0..<8)
  func select(count: Int) {
    for values in [[6, 2, 7, 1, 5, 3, 4], [1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1]] {
      var list = numbers(values)
      list.select(min(count, 7), in: 0..<7)
      #expect(Set(list.prefix(count).map(\.value)) == Set(1..<(count + 1)).subtracting([8]))
    }
  }

  @Test("sorts only the range it is given")
  func heapSort() {
    var list = numbers([9, 3, 2, 5, 1, 0])
    list.heapSort(1..<5)
    #expect(list == numbers([9, 1, 2, 3, 5, 0]))
    list.heapSort(2..<2)
    #expect(list == numbers([9, 1, 2, 3, 5, 0]))
  }

  @Test("makes room by doubling")
  func room() {
    var list: [Number] = []
    list.makeRoom(for: 10)
    let first = list.capacity
    #expect(first >= 10)
    list.makeRoom(for: first + 1)
    #expect(list.capacity >= 2 * first)
  }
}

@Suite("Level-down")
struct LevelDownTests {
  private func split(_ target: UInt64, _ claims: [Claim]) -> [UInt64] {
    var solver = LevelDown()
    var claims = claims
    let sum = solver.split(target, over: &claims, in: 0..<claims.count)
    #expect(sum == claims.reduce(0) { $0 + $1.part })
    return claims.map(\.part)
  }

  @Test("takes from the largest first, until all keep the same")
  func equalWeights() {
    let claims = [100, 60, 30].map { Claim(size: $0, cap: $0, weight: 1) }
    #expect(split(0, claims) == [0, 0, 0])
    #expect(split(40, claims) == [40, 0, 0])
    #expect(split(100, claims) == [70, 30, 0])
    #expect(split(130, claims) == [80, 40, 10])
    #expect(split(190, claims) == [100, 60, 30])
    #expect(split(500, claims) == [100, 60, 30])
  }

  @Test("leaves twice as much to twice the weight")
  func weights() {
    let claims = [
      Claim(size: 90, cap: 90, weight: 1), Claim(size: 90, cap: 90, weight: 2),
    ]
    #expect(split(90, claims) == [60, 30])
  }

  @Test("takes nothing above a cap, and the rest from the others")
  func caps() {
    let claims = [
      Claim(size: 100, cap: 10, weight: 1), Claim(size: 60, cap: 60, weight: 1),
      Claim(size: 50, cap: 0, weight: 1),
    ]
    #expect(split(40, claims) == [10, 30, 0])
  }

  @Test("gives odd bytes to the largest remainders, the earlier first")
  func remainders() {
    let equal = [Claim](repeating: Claim(size: 10, cap: 10, weight: 1), count: 3)
    #expect(split(1, equal) == [1, 0, 0])
    #expect(split(2, equal) == [1, 1, 0])
    #expect(split(4, equal) == [2, 1, 1])
    // Levels at 30/7 a unit of weight: kept 4.29, 8.57, 17.14.
    let weighted = [1, 2, 4].map { Claim(size: 20, cap: 20, weight: $0) }
    #expect(split(30, weighted) == [16, 11, 3])
  }

  @Test("touches only the range it is given")
  func range() {
    var claims = [Claim](repeating: Claim(size: 10, cap: 10, weight: 1, part: 3), count: 4)
    var solver = LevelDown()
    #expect(solver.split(8, over: &claims, in: 1..<3) == 8)
    #expect(claims.map(\.part) == [3, 4, 4, 3])
    #expect(solver.split(8, over: &claims, in: 2..<2) == 0)
  }
}

@Suite("The cost band")
struct CostBandTests {
  @Test(
    "takes the lower median",
    arguments: [
      (costs: [], median: 0), (costs: [7], median: 7), (costs: [9, 1], median: 1),
      (costs: [5, 1, 9], median: 5), (costs: [4, 4, 4, 9], median: 4),
    ] as [(costs: [UInt32], median: UInt32)]
  )
  func median(costs: [UInt32], median: UInt32) {
    var list = costs.enumerated().map { CostBand.Cost(value: $1, index: $0) }
    #expect(CostBand.median(of: &list) == median)
  }

  @Test(
    "counts a cost from half to twice the median",
    arguments: [
      (cost: 0, median: 100, band: 5_000), (cost: 49, median: 100, band: 5_000),
      (cost: 75, median: 100, band: 7_500), (cost: 100, median: 100, band: 10_000),
      (cost: 1_000_000_000, median: 1, band: 20_000), (cost: 5, median: 0, band: 10_000),
    ] as [(cost: UInt32, median: UInt32, band: UInt32)]
  )
  func band(cost: UInt32, median: UInt32, band: UInt32) {
    #expect(CostBand.band(of: cost, median: median) == Permyriad(band))
  }

  @Test(
    "believes a declared cost less the more was spared or given because of it",
    arguments: [
      // Nothing owed, or owed the other way: whole.
      (band: 20_000, balance: 0, believed: 20_000), (band: 20_000, balance: 50, believed: 20_000),
      (band: 5_000, balance: 0, believed: 5_000), (band: 5_000, balance: -50, believed: 5_000),
      (band: 10_000, balance: -50, believed: 10_000),
      // Half of the credit, all of it, more than it.
      (band: 20_000, balance: -50, believed: 15_000),
      (band: 20_000, balance: -100, believed: 10_000),
      (band: 20_000, balance: .min, believed: 10_000), (band: 5_000, balance: 25, believed: 6_250),
      (band: 5_000, balance: 100, believed: 10_000), (band: 5_000, balance: .max, believed: 10_000),
    ] as [(band: UInt32, balance: Int64, believed: UInt32)]
  )
  func believed(band: UInt32, balance: Int64, believed: UInt32) {
    let found = CostBand.believed(Permyriad(band), balance: balance, credit: 100)
    #expect(found == Permyriad(believed))
  }

  @Test("believes nothing of whom holds nothing, and does not overflow at the largest sizes")
  func believedEnds() {
    #expect(CostBand.believed(Permyriad(20_000), balance: -1, credit: 0) == .one)
    let half = CostBand.believed(Permyriad(20_000), balance: -(1 << 62), credit: 1 << 63)
    #expect(half == Permyriad(15_000))
  }
}
