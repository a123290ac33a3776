// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UCMKSim

@Suite("Chance")
struct ChanceTests {
  @Test("the same seed and stream give the same numbers, any other gives others")
  func streams() {
    func first(_ seed: UInt64, _ stream: UInt64) -> [UInt64] {
      var chance = Chance(seed: seed, stream: stream)
      return (0..<4).map { _ in chance.next() }
    }
    #expect(first(7, 1) == first(7, 1))
    #expect(first(7, 1) != first(7, 2))
    #expect(first(7, 1) != first(8, 1))
    #expect(Set((0..<100).map { first(3, $0)[0] }).count == 100)
  }

  @Test("a fraction lies in 0..<1 and is a half on average")
  func fractions() {
    var chance = Chance(seed: 1)
    let values = (0..<10_000).map { _ in chance.fraction() }
    #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(values.reduce(0, +) / 10_000 - 0.5) < 0.01)
  }

  @Test("normal numbers have mean zero and deviation one")
  func normals() {
    var chance = Chance(seed: 2)
    let values = (0..<20_000).map { _ in chance.normal() }
    let mean = values.reduce(0, +) / 20_000
    let square = values.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(mean) < 0.02)
    #expect(abs(square - 1) < 0.03)
    #expect(values.allSatisfy { $0.isFinite })
  }

  @Test("waiting times have the mean that their rate says")
  func waiting() {
    var chance = Chance(seed: 3)
    let mean = (0..<20_000).reduce(0) { sum, _ in sum + chance.waiting(rate: 4) } / 20_000
    #expect(abs(mean - 0.25) < 0.01)
  }

  @Test("each choice comes about equally often")
  func choices() {
    var chance = Chance(seed: 4)
    var counts = [0, 0, 0]
    for _ in 0..<9_000 { counts[chance.choice(of: [0, 1, 2])] += 1 }
    #expect(counts.allSatisfy { abs($0 - 3_000) < 200 })
  }

  @Test(
    "numbers are written with so many digits",
    arguments: [
      (1.005, 2, "1.00"), (-0.25, 1, "-0.3"), (12.0, 0, "12"), (0.0004, 3, "0.000"),
      (99.96, 1, "100.0"), (Double.infinity, 2, "inf"), (-Double.infinity, 2, "-inf"),
      (Double.nan, 2, "-"), (1e30, 2, "inf"), (-0.05, 2, "-0.05"),
    ]
  )
  func digits(value: Double, digits: Int, text: String) {
    #expect(fixed(value, digits) == text)
  }

  @Test("the middle and the quantiles of some values")
  func middles() {
    #expect(median([3, 1, 2]) == 2)
    #expect(median([4, 1, 2, 3]) == 2.5)
    #expect(median([]).isNaN)
    #expect(quantile(0, of: [5, 1, 3]) == 1)
    #expect(quantile(1, of: [5, 1, 3]) == 5)
    #expect(quantile(0.75, of: [1, 2, 3, 4, 5]) == 4)
    #expect(quantile(0.9, of: [0, 10]) == 9)
    #expect(quantile(0.5, of: []).isNaN)
  }
}
