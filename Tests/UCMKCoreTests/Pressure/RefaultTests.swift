// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// Tasks stall and the kernel scans, although memory is above the high watermark of 80 MiB.
@Suite("Stall that no cache can cure")
struct RefaultTests {
  /// Ten seconds of it with an alarm each second; returns what clients were asked for.
  private func play(available: UInt64 = 90, refaults: (UInt64) -> UInt64?) -> [String] {
    var stage = Stage()
    stage.join(1, [800])
    var lines: [String] = []
    for second in 0..<10 as Range<UInt64> {
      var reading = DomainReading.plain(
        available: available,
        some: 500 * second,
        scanned: 1_000 * second
      )
      reading.refaults = refaults(second)
      lines += stage.send(.alarmed(.host, .medium, .trigger, reading))
      stage.clock += 1_000
    }
    return lines.filter { $0.hasPrefix("ask") }
  }

  @Test("where what was dropped comes back, more is taken than is missing")
  func refaults() { #expect(!play { 7 * $0 }.isEmpty) }

  @Test("a host that does not count refaults is taken for one where they do")
  func uncounted() { #expect(!play { _ in nil }.isEmpty) }

  @Test("where nothing comes back, nothing is taken")
  func veto() { #expect(play { _ in 7 } == []) }

  @Test("what is missing is asked for all the same")
  func missing() { #expect(!play(available: 40) { _ in 7 }.isEmpty) }

  @Test("one refault within a stretch of stall is enough")
  func stretch() {
    let marks = Watermarks(low: .mebibytes(50), high: .mebibytes(80), grow: .mebibytes(120))
    var before = DomainReading.plain(available: 80)
    var after = before
    #expect(EventGuard.speaksForMore(after, after: before, marks: marks))
    (before.refaults, after.refaults) = (3, 3)
    #expect(!EventGuard.speaksForMore(after, after: before, marks: marks))
    after.refaults = 4
    #expect(EventGuard.speaksForMore(after, after: before, marks: marks))
    #expect(EventGuard.speaksForMore(after, after: nil, marks: marks))
    after.refaults = 3
    after.available = .mebibytes(79)
    #expect(EventGuard.speaksForMore(after, after: before, marks: marks))
  }
}
