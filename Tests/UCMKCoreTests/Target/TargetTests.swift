// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("Watermarks")
struct WatermarksTests {
  private func marks(
    _ settings: WatermarkSettings = Defaults.watermarks,
    _ capacity: ByteCount,
    in domain: DomainID = .host,
    kernel: ByteCount = .zero
  ) -> [ByteCount] {
    let marks = Watermarks.resolved(settings, of: capacity, in: domain, kernelMarks: kernel)
    return [marks.low, marks.high, marks.grow]
  }

  @Test("are 5, 8 and 12 percent in the middle of the road")
  func percent() {
    #expect(
      marks(Defaults.watermarks, .mebibytes(20_000)) == [
        .mebibytes(1_000), .mebibytes(1_600), .mebibytes(2_400),
      ]
    )
  }

  @Test("of a small host are wider, of a large one narrower")
  func clamps() {
    #expect(
      marks(Defaults.watermarks, .mebibytes(512)) == [
        .mebibytes(64), .mebibytes(112), .mebibytes(176),
      ]
    )
    #expect(
      marks(Defaults.watermarks, .gibibytes(1_024)) == [
        .gibibytes(4), .gibibytes(6), .gibibytes(9),
      ]
    )
  }

  @Test("of a small cgroup are plain percentages")
  func cgroup() {
    #expect(
      marks(Defaults.watermarks, .mebibytes(64), in: .cgroup("/a")) == [
        ByteCount(3_355_443), ByteCount(5_368_709), ByteCount(8_053_063),
      ]
    )
    #expect(marks(Defaults.watermarks, .zero, in: .cgroup("/a")) == [.zero, .zero, .zero])
  }

  @Test("of the host lie above the kernel's own, as far as that makes sense")
  func kernel() {
    #expect(
      marks(Defaults.watermarks, .mebibytes(20_000), kernel: .mebibytes(1_100))[0]
        == .mebibytes(1_100)
    )
    #expect(
      marks(Defaults.watermarks, .mebibytes(512), kernel: .gibibytes(9))[0] == .mebibytes(256)
    )
  }

  @Test("that were written stand, in order")
  func explicit() {
    let written = WatermarkSettings(
      low: .bytes(.mebibytes(7)),
      high: .bytes(.mebibytes(3)),
      grow: .part(.percent(1)),
      isExplicit: true
    )
    #expect(
      marks(written, .mebibytes(1_000), kernel: .mebibytes(500)) == [
        .mebibytes(7), .mebibytes(7), .mebibytes(10),
      ]
    )
  }
}

@Suite("The fill rate")
struct FillRateTests {
  /// Readings in MiB, 250 ms apart, and what was freed before each.
  private func rate(_ readings: [UInt64], freed: [UInt64] = []) -> UInt64 {
    var fill = FillRate()
    for (index, reading) in readings.enumerated() {
      if index < freed.count { fill.credit(.mebibytes(freed[index])) }
      let now = MonotonicInstant(nanoseconds: UInt64(index) * 250_000_000)
      fill.observe(available: .mebibytes(reading), at: now)
    }
    return fill.bytesPerSecond >> 20
  }

  @Test("needs four samples that agree, and is the smallest of them")
  func sustained() {
    #expect(rate([100, 90, 80, 70]) == 0)
    #expect(rate([100, 90, 80, 70, 60]) == 40)
    #expect(rate([100, 90, 85, 70, 60]) == 20)
    #expect(rate([100, 90, 80, 80, 70]) == 0)
    #expect(rate([100, 20, 20, 20, 20]) == 0)
    #expect(rate([10, 20, 30, 40, 50]) == 0)
  }

  @Test("counts what clients freed as used up in between")
  func corrected() {
    #expect(rate([50, 50, 50, 50, 50], freed: [0, 10, 10, 10, 10]) == 40)
  }

  @Test("ignores readings that come too close together")
  func spacing() {
    var fill = FillRate()
    for step in 0..<10 {
      let now = MonotonicInstant(nanoseconds: UInt64(step) * 10_000_000)
      fill.observe(available: .mebibytes(UInt64(100 - step)), at: now)
    }
    #expect(fill.bytesPerSecond == 0)
  }

  @Test("survives the largest numbers")
  func hostile() {
    var fill = FillRate()
    for (index, reading) in [UInt64.max, 0, .max, 0, 0, 0].enumerated() {
      fill.credit(ByteCount(.max))
      let now = MonotonicInstant(nanoseconds: UInt64(index) * 250_000_000)
      fill.observe(available: ByteCount(reading), at: now)
    }
    #expect(fill.bytesPerSecond == 0)
    for index in 6..<10 {
      fill.credit(ByteCount(.max))
      let now = MonotonicInstant(nanoseconds: UInt64(index) * 250_000_000)
      fill.observe(available: .zero, at: now)
    }
    #expect(fill.growth(within: TimeSpan(nanoseconds: .max)) == ByteCount(.max))
  }

  @Test("is extrapolated over the lead")
  func growth() {
    var fill = FillRate()
    for index in 0..<5 {
      let now = MonotonicInstant(nanoseconds: UInt64(index) * 1_000_000_000)
      fill.observe(available: .mebibytes(UInt64(100 - 10 * index)), at: now)
    }
    #expect(fill.growth(within: .seconds(2)) == .mebibytes(20))
  }
}

@Suite("The target")
struct DeficitTargetTests {
  private func target(
    available: UInt64,
    growth: UInt64 = 0,
    inFlight: UInt64 = 0,
    capacity: UInt64 = 1_000
  ) -> DeficitTarget {
    DeficitTarget(
      capacity: .mebibytes(capacity),
      available: .mebibytes(available),
      marks: Watermarks(low: .mebibytes(50), high: .mebibytes(80), grow: .mebibytes(120)),
      growth: .mebibytes(growth),
      inFlight: .mebibytes(inFlight)
    )
  }

  @Test("is the deficit to the high watermark")
  func deficit() {
    #expect(target(available: 30).bytes == .mebibytes(50))
    #expect(target(available: 80).bytes == .zero)
    #expect(target(available: 500).bytes == .zero)
  }

  @Test("looks ahead by at most the band")
  func growth() {
    #expect(target(available: 30, growth: 10).bytes == .mebibytes(60))
    #expect(target(available: 30, growth: 900).bytes == .mebibytes(80))
  }

  @Test("asks for nothing twice")
  func inFlight() {
    #expect(target(available: 30, inFlight: 20).bytes == .mebibytes(30))
    #expect(target(available: 30, inFlight: 900).bytes == .zero)
    #expect(target(available: 30, inFlight: 20).deficit == .mebibytes(30))
  }

  @Test("ends at a quarter of the capacity, and below the dead band is nothing")
  func bounds() {
    #expect(target(available: 0, capacity: 200).bytes == .mebibytes(50))
    #expect(target(available: 73).bytes == .zero)
    #expect(target(available: 72).bytes == .mebibytes(8))
  }

  @Test("has a dead band that fits the domain")
  func deadBand() {
    #expect(DeficitTarget.deadBand(of: .mebibytes(64)) == .mebibytes(2))
    #expect(DeficitTarget.deadBand(of: .mebibytes(256)) == .mebibytes(8))
    #expect(DeficitTarget.deadBand(of: .mebibytes(8_000)) == .mebibytes(8))
    #expect(DeficitTarget.deadBand(of: .mebibytes(20_000)) == .mebibytes(20))
  }

  @Test("knows a shortage now and one that comes")
  func short() {
    #expect(target(available: 49).isShort)
    #expect(!target(available: 50).isShort)
    #expect(target(available: 100, growth: 51).isShort)
    #expect(!target(available: 100, growth: 50).isShort)
  }
}
