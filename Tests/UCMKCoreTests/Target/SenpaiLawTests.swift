// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("The step of senpai")
struct SenpaiLawTests {
  /// Worked by hand from the formula of `senpai.py`: set point 10 ms in 6 s, coefficients 20 and
  /// 10, at most twice and 1 %; a limit of 1,000,000,000 bytes.
  @Test(
    "moves the limit as senpai.py does",
    arguments: [
      // stall in µs: limit
      (0, 990_000_000),  // nothing stalls: the whole percent
      (1, 990_000_000),  // (10,000 / 1 / 10)² is above one
      (1_000, 990_000_000),  // ten times below: exactly one
      (2_000, 997_500_000),  // (10 / 2 / 10)² = 0.25
      (4_000, 999_375_000),  // (10 / 4 / 10)² = 0.0625
      (5_000, 999_600_000),  // (10 / 5 / 10)² = 0.04
      (9_999, 999_899_980),  // 1 % of a hundredth, and a little more
      (10_000, 1_002_500_000),  // at the point: (1 / 20)²
      (20_000, 1_010_000_000),  // (2 / 20)²
      (100_000, 1_250_000_000),  // (10 / 20)²
      (200_000, 2_000_000_000),  // twenty times above: as much again
      (6_000_000, 2_000_000_000),  // all of the interval
    ] as [(UInt64, UInt64)]
  )
  func golden(stall: UInt64, limit: UInt64) {
    let next = SenpaiLaw.step(ByteCount(1_000_000_000), stall: .microseconds(stall))
    let error = next.value > limit ? next.value - limit : limit - next.value
    #expect(error <= 1, "\(next.value), not \(limit)")
  }

  @Test("another set point scales the stall, nothing else")
  func setPoint() {
    for stall in [100, 1_000, 5_000, 70_000] as [UInt64] {
      let plain = SenpaiLaw.step(.gibibytes(4), stall: .microseconds(stall))
      let scaled = SenpaiLaw.step(
        .gibibytes(4),
        stall: .microseconds(3 * stall),
        point: .milliseconds(30)
      )
      #expect(plain == scaled)
    }
  }

  @Test("rises with stall and stays between 99 % and twice the limit, at any size")
  func bounds() {
    for limit in [0, 1, 99, 4_096, 1 << 40, 1 << 63, UInt64.max] {
      var before = ByteCount.zero
      for stall in stride(from: UInt64(0), through: 300_000, by: 777) {
        let next = SenpaiLaw.step(ByteCount(limit), stall: .microseconds(stall))
        #expect(next >= before)
        #expect(next >= ByteCount(limit - limit / 100 - min(1, limit)))
        #expect(next <= ByteCount(limit) + ByteCount(limit))
        before = next
      }
    }
    #expect(SenpaiLaw.step(.gibibytes(1), stall: TimeSpan(nanoseconds: .max)) == .gibibytes(2))
  }
}
