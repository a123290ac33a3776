// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// Waldspurger's experiment (OSDI 2002, §5.3) with caches: two clients of equal shares and 400 MiB
/// each, of which one is idle and has 100 MiB in use.
@Suite("The experiment with the idle tax")
struct IdleTaxExperimentTests {
  private let inUse: UInt64 = 100

  /// What idle and busy keep, in MiB, when `target` MiB are taken from both together.
  private func kept(tax: UInt64, target: UInt64) -> (idle: UInt64, busy: UInt64) {
    var policy = LevelDownPolicy(tax: tax)
    var claims = [
      Claim(size: 400 << 20, cap: 400 << 20, weight: 100, cold: (400 - inUse) << 20),
      Claim(size: 400 << 20, cap: 400 << 20, weight: 100),
    ]
    let given = policy.split(target << 20, over: &claims, in: 0..<2)
    #expect(given == target << 20)
    return (400 - claims[0].part >> 20, 400 - claims[1].part >> 20)
  }

  @Test("without a tax idle and busy keep the same", arguments: [100, 300, 500] as [UInt64])
  func none(target: UInt64) {
    let (idle, busy) = kept(tax: 1, target: target)
    #expect(idle == 400 - target / 2)
    #expect(busy == 400 - target / 2)
  }

  @Test(
    "at 75 % the idle one goes down to near its working set, and the busy one keeps the rest",
    arguments: [
      // target: idle, busy
      (200, 200, 400), (225, 175, 400), (300, 160, 340), (400, 140, 260), (500, 120, 180),
      (550, 110, 140),
    ] as [(UInt64, UInt64, UInt64)]
  )
  func quarters(target: UInt64, idle: UInt64, busy: UInt64) {
    let result = kept(tax: 4, target: target)
    #expect(result.idle == idle)
    #expect(result.busy == busy)
    guard result.busy < 400 else { return }
    // Both pay the same for what they keep: S / (P · (f + k · (1 - f))), with k = 1 / (1 - 0.75).
    let price = inUse + 4 * (result.idle - inUse)
    #expect(price == result.busy)
  }

  @Test("our tax of 87.5 % leaves the busy one more", arguments: [225, 300, 550] as [UInt64])
  func eighths(target: UInt64) {
    let (idle, busy) = kept(tax: Defaults.idleTax, target: target)
    let (idleBefore, busyBefore) = kept(tax: 4, target: target)
    #expect(idle < idleBefore || idle == 175)
    #expect(busy > busyBefore || busy == 400)
    #expect(idle >= inUse)
  }

  @Test("through a whole round: the idle one is asked first")
  func round() {
    var stage = Stage()
    stage.join(1, [400])
    stage.join(2, [400])
    let usage = CacheUsage(
      bytes: .mebibytes(400),
      reclaimable: .mebibytes(400),
      cold: .mebibytes(300)
    )
    _ = stage.send(.reported(ClientID(1), CacheID(1), usage))
    #expect(
      stage.ask(300).filter { $0.hasPrefix("ask") }
        == ["ask c1 r1.1 medium 1:273068K<136532K", "ask c2 r1.1 medium 1:34136K<375464K"]
    )
  }
}
