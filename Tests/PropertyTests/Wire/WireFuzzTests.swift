// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("The broker behind the decoder")
struct WireFuzzTests {
  private static let length = 400

  @Test(
    "whatever the decoder accepts leaves every account in range",
    arguments: Array(UInt64(5_000)..<5_040),
    WireShell.Pace.allCases
  )
  func accounts(seed: UInt64, pace: WireShell.Pace) {
    var shell = WireShell(seed: seed, pace: pace)
    for step in 0..<Self.length {
      shell.step()
      if let complaint = shell.auditor.complaint {
        Issue.record("seed \(seed) \(pace) step \(step): \(complaint)")
        return
      }
    }
    #expect(shell.accepted > 60, "seed \(seed)")
    #expect(shell.refused > 10, "seed \(seed)")
  }

  @Test("what people are shown stays within what can be shown", arguments: [1, 2, 3] as [UInt64])
  func views(seed: UInt64) {
    var shell = WireShell(seed: seed, pace: .steady)
    var rounds = 0
    for _ in 0..<1_000 {
      shell.step()
      for view in shell.broker.rounds(count: 4) {
        #expect(view.part == min(view.target, view.capacity), "seed \(seed)")
        #expect(!view.isDryRun || view.measured == .zero, "seed \(seed)")
      }
      rounds = max(rounds, Int(shell.broker.totals.rounds))
      let totals = shell.broker.totals
      #expect(totals.reclaimable <= totals.registered, "seed \(seed)")
    }
    #expect(rounds > 20, "seed \(seed): \(rounds)")
  }

  @Test("time that jumps to its end ends every round and every wait")
  func endOfTime() {
    var shell = WireShell(seed: 77, pace: .leaping)
    for _ in 0..<3_000 { shell.step() }
    #expect(shell.auditor.complaint == nil)
    #expect(shell.broker.totals.rounds > 20)
  }
}
