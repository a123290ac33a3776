// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// How many random villages are tried, in batches, and from which seed on: `$SEED` replaces it.
private let batches = 20, villagesInBatch: UInt64 = 100

@Suite("The broker among good and bad clients")
struct VillageTests {
  @Test("keeps every invariant after every event", arguments: 0..<batches)
  func invariants(batch: Int) {
    let first = (coreSeeds.count == 1 ? coreSeeds[0] : 1_000) + UInt64(batch) * villagesInBatch
    for seed in first..<first + villagesInBatch {
      var village = Village.random(seed: seed)
      while village.handled < 170, village.auditor.complaint == nil { village.live() }
      village.calm()
      if let complaint = village.auditor.complaint {
        Issue.record("seed \(seed), event \(village.handled): \(complaint)")
        return
      }
    }
  }

  @Test("every way in which a client can end a round is met, and rounds stay short")
  func reach() {
    var outcomes = Set<RoundOutcome>()
    var rounds = 0
    var settlements = 0
    var longest = TimeSpan.zero
    var (isAnyKept, isAnyLeftOut) = (false, false)
    for seed in UInt64(1_000)..<1_040 {
      var village = Village.random(seed: seed)
      while village.handled < 400 { village.live() }
      village.calm()
      outcomes.formUnion(village.auditor.outcomes)
      rounds += village.auditor.rounds
      settlements += village.auditor.settlements
      longest = max(longest, village.auditor.longest)
      isAnyKept = isAnyKept || !village.auditor.keepers.isEmpty
      isAnyLeftOut = isAnyLeftOut || !village.auditor.leftOut.isEmpty
    }
    #expect(outcomes == Set(RoundOutcome.allCases))
    #expect(rounds > 400, "\(rounds)")
    #expect(settlements > 200, "\(settlements)")
    // Three deadlines of 2 s, and what settling and measuring take.
    #expect(longest > .seconds(4) && longest <= .milliseconds(6_300), "\(longest.milliseconds) ms")
    #expect(isAnyKept && isAnyLeftOut)
  }
}
