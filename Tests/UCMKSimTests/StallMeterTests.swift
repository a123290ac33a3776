// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UCMKSim

@Suite("Stall")
struct StallMeterTests {
  private var meter = StallMeter()
  private var now: UInt64 = 0

  /// Steps of 50 ms with so much available of a mark of 100; the alarms with their milliseconds.
  private mutating func pass(_ seconds: Double, available: Double) -> [String] {
    var alarms: [String] = []
    for _ in 0..<Int(seconds * 20) {
      now += HostPlant.step
      meter.advance(0.05, to: now, available: available, mark: 100)
      if let alarm = meter.takeAlarm() { alarms.append("\(alarm) \(now / 1_000_000)") }
    }
    return alarms
  }

  @Test("above the mark nobody stalls")
  mutating func calm() {
    #expect(pass(10, available: 100) == [])
    #expect(meter.some == 0 && meter.someTotal == 0)
  }

  @Test("stall approaches its height within a second, and falls again")
  mutating func lags() {
    _ = pass(0.3, available: 0)
    #expect(abs(meter.some - 0.632) < 0.001)
    _ = pass(3, available: 0)
    #expect(meter.some > 0.999)
    _ = pass(0.3, available: 200)
    #expect(abs(meter.some - 0.368) < 0.001)
    _ = pass(10, available: 200)
    #expect(meter.some == 0)
  }

  @Test("half below the mark tasks stall a third of the time")
  mutating func height() {
    _ = pass(5, available: 50)
    #expect(abs(meter.some - 0.3536) < 0.001)
    _ = pass(5, available: -1_000)
    #expect(meter.some <= 1)
  }

  @Test("a deep fall raises the higher alarm first, each at most once a second")
  mutating func alarms() {
    let heard = pass(3, available: 0)
    #expect(
      heard == [
        "low 250", "critical 350", "low 1250", "critical 1350", "low 2250", "critical 2350",
      ]
    )
  }

  @Test("stall of 5 % of the time raises no alarm, of 8 % one a second")
  mutating func thresholds() {
    // (1 - available/100)^1.5
    #expect(pass(10, available: 100 - 13.57) == [])
    let heard = pass(10, available: 100 - 18.57)
    #expect(heard.allSatisfy { $0.hasPrefix("low") })
    #expect(heard.count >= 8 && heard.count <= 10, "\(heard)")
  }

  @Test("one long step counts as much as many short ones")
  mutating func coarse() {
    _ = pass(10, available: 50)
    var other = StallMeter()
    other.advance(10, to: 10_000_000_000, available: 50, mark: 100)
    #expect(abs(other.some - meter.some) < 1e-9)
    #expect(other.someTotal > 3.4 && other.someTotal < 3.6)
  }
}
