// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// What an administrator or a client changes while a round runs.
@Suite("In the middle of a round")
struct MidRoundTests {
  private func sums(_ round: RoundView) -> (part: ByteCount, asked: ByteCount, claimed: ByteCount) {
    round.clients.reduce((.zero, .zero, .zero)) { sum, client in
      (sum.0 + client.part, sum.1 + client.asked, sum.2 + client.claimed)
    }
  }

  /// The parts, the bytes asked and the bytes claimed of a round's clients are the round's.
  private func expectSums(_ stage: Stage, _ number: UInt64 = 1) {
    let round = stage.round(number)
    let sums = sums(round)
    #expect(sums.part == round.part)
    #expect(sums.asked == round.asked)
    #expect(sums.claimed == round.claimed)
    #expect(round.part == min(round.target, round.capacity))
    #expect(stage.broker.registry.accounts.allSatisfy { $0.inFlight == .zero })
  }

  // MARK: - Pause

  @Test("a pause lets an automatic round end, its later attempts included, and starts no other")
  func pause() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    // 60 MiB are missing to the high mark.
    _ = stage.read(available: 20)
    #expect(stage.send(.paused(until: nil)) == ["pause"])
    #expect(stage.answer(1, part: 50, more: false) == [])
    // Half of its 30 MiB did not come: the other is asked for them.
    #expect(stage.answer(2) == ["ask c2 r1.2 medium 1:15M<55M"])
    #expect(stage.answer(2) == [])
    #expect(stage.pass(milliseconds: 200).contains("close r1"))
    expectSums(stage)
    #expect(stage.round(1).claimed == .mebibytes(60))
    #expect(stage.round(1).unmet == .zero)
    // Still short, and nothing begins.
    _ = stage.pass(milliseconds: 2_000)
    _ = stage.read(available: 20)
    _ = stage.pass(milliseconds: 1_000)
    _ = stage.alarm(.medium, available: 20, some: 500)
    #expect(stage.broker.totals.rounds == 1)
    // One by hand does.
    #expect(stage.ask(10).contains("accept 7 r2"))
    _ = stage.answer(1)
    _ = stage.answer(2)
    _ = stage.pass(milliseconds: 200)
    expectSums(stage, 2)
    #expect(stage.send(.resumed) == ["resume"])
    #expect(stage.read(available: 20).contains("open r3"))
  }

  @Test("a pause keeps the limits of the round that ran, until memory is back")
  func pauseKeepsLimits() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.read(available: 40)
    _ = stage.send(.paused(until: nil))
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    #expect(stage.broker.domains[0].state == .hold)
    #expect(stage.cache(1).limit == .mebibytes(60))
    var lines: [String] = []
    for _ in 0..<40 {
      lines += stage.pass(milliseconds: 250)
      lines += stage.read(available: 500)
    }
    #expect(lines.filter { $0.hasSuffix("<-") } == ["relax c1 r1 none 1<-"])
    #expect(stage.broker.isPaused)
  }

  // MARK: - Reload

  @Test("new watermarks are for the next round; the one that runs keeps its target")
  func watermarks() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    _ = stage.read(available: 20)
    var configuration = Configuration()
    configuration.watermarks = WatermarkSettings(
      low: .bytes(.mebibytes(100)),
      high: .bytes(.mebibytes(150)),
      grow: .bytes(.mebibytes(200)),
      isExplicit: true
    )
    #expect(stage.send(.configured(configuration)) == [])
    #expect(stage.round(1).isOpen)
    _ = stage.answer(1, part: 0, more: false)
    // What client 1 did not give comes from client 2, as the first plan wanted it.
    #expect(stage.answer(2) == ["ask c2 r1.2 medium 1:30M<40M"])
    _ = stage.answer(2)
    _ = stage.pass(milliseconds: 200)
    expectSums(stage)
    #expect(stage.round(1).target == .mebibytes(60))
    #expect(stage.round(1).unmet == .zero)
    // 80 MiB available are below the new low mark: 70 to the new high one.
    _ = stage.pass(milliseconds: 250)
    #expect(stage.read(available: 80).contains("open r2"))
    #expect(stage.round(2).target == .mebibytes(70))
  }

  @Test("a new grant counts for what is still asked, not for the parts that were given")
  func grants() {
    var stage = Stage()
    for client in 1...3 as ClosedRange<UInt64> { stage.join(client, [100]) }
    #expect(stage.ask(90).count { $0.hasPrefix("ask") } == 3)
    // What a reload makes of a rule for client 3: it may keep nearly everything.
    let precious = ClientFacts.plain(3, grantedShare: 10_000)
    #expect(stage.send(.relocated(ClientID(3), precious)) == [])
    _ = stage.answer(1, part: 0, more: false)
    _ = stage.answer(2)
    // 30 MiB are missing. The two that are left hold 70 each; of equal ones each would give 15.
    #expect(stage.answer(3) == ["ask c2 r1.2 medium 1:30M<40M"])
    _ = stage.answer(2)
    _ = stage.pass(milliseconds: 200)
    expectSums(stage)
    let round = stage.round(1)
    #expect(round.clients.map(\.part) == [.mebibytes(30), .mebibytes(30), .mebibytes(30)])
    #expect(round.clients.map(\.asked) == [.mebibytes(30), .mebibytes(60), .mebibytes(30)])
    #expect(round.clients.map(\.outcome) == [.partial, .done, .done])
    #expect(round.measured == .mebibytes(90))
    #expect(round.unmet == .zero)
  }

  @Test("a floor that is granted in the middle is kept from then on; the rest stays unmet")
  func floor() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    _ = stage.ask(120)
    let kept = ClientFacts.plain(2, grantedFloor: .mebibytes(40))
    #expect(stage.send(.relocated(ClientID(2), kept)) == [])
    _ = stage.answer(1, part: 0, more: false)
    // It holds 40 of its 100 MiB after what it gave, and these are its floor.
    #expect(stage.answer(2) == [])
    _ = stage.pass(milliseconds: 200)
    expectSums(stage)
    #expect(stage.round(1).claimed == .mebibytes(60))
    #expect(stage.round(1).unmet == .mebibytes(60))
  }

  @Test("a domain's thresholds that change in the middle open its sources anew, and no round")
  func thresholds() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.read(available: 40)
    var configuration = Configuration()
    configuration.watermarks = .plain
    configuration.thresholds.low.stall = .milliseconds(90)
    #expect(stage.send(.configured(configuration)) == ["unwatch host", "watch host"])
    #expect(stage.broker.domains[0].state == .round)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    expectSums(stage)
    #expect(stage.broker.domains[0].state == .hold)
  }

  // MARK: - Taking caches back

  @Test("one of several caches taken back: the others answer, its part comes from others")
  func oneOfMany() {
    var stage = Stage()
    stage.join(1, [40, 40, 40])
    stage.join(2, [120])
    #expect(
      stage.ask(120).filter { $0.hasPrefix("ask") } == [
        "ask c1 r1.1 medium 1:20M<20M 2:20M<20M 3:20M<20M", "ask c2 r1.1 medium 1:60M<60M",
      ]
    )
    _ = stage.answer(2)
    #expect(stage.send(.unregistered(ClientID(1), CacheID(2))) == [])
    #expect(stage.inFlight(1) == .mebibytes(40))
    // It answers for the two caches that are left.
    for cache in [1, 3] as [UInt32] {
      let report = FreedReport(
        cache: CacheID(cache),
        freed: .mebibytes(20),
        bytes: .mebibytes(20),
        reclaimable: .mebibytes(20),
        more: true
      )
      #expect(stage.send(.freed(ClientID(1), RoundID(1), attempt: 1, report)) == [])
    }
    // 20 MiB are missing; both hold as much as they weigh: 40 and 60 MiB.
    let lines = stage.send(.answered(ClientID(1), RoundID(1), attempt: 1))
    #expect(lines == ["ask c2 r1.2 medium 1:20M<40M"])
    _ = stage.answer(2)
    stage.shrink(1, by: 40 << 20)
    _ = stage.pass(milliseconds: 200)
    expectSums(stage)
    let round = stage.round(1)
    #expect(round.clients.map(\.part) == [.mebibytes(60), .mebibytes(60)])
    #expect(round.clients.map(\.claimed) == [.mebibytes(40), .mebibytes(80)])
    #expect(round.clients.map(\.measured) == [.mebibytes(40), .mebibytes(80)])
    #expect(
      round.clients[0].caches.map(\.claimed) == [.mebibytes(20), .zero, .mebibytes(20)]
    )
    #expect(round.unmet == .zero)
    #expect(stage.cacheNumbers(1) == [1, 3])
  }

  @Test("a claim for a cache that was taken back meanwhile counts: it did go")
  func claimOfGone() {
    var stage = Stage()
    stage.join(1, [50, 50])
    _ = stage.ask(50)
    #expect(stage.send(.unregistered(ClientID(1), CacheID(2))) == [])
    // The whole client answers as if nothing had happened.
    for cache in [1, 2] as [UInt32] {
      let report = FreedReport(
        cache: CacheID(cache),
        freed: .mebibytes(25),
        bytes: .mebibytes(25),
        reclaimable: .mebibytes(25),
        more: true
      )
      _ = stage.send(.freed(ClientID(1), RoundID(1), attempt: 1, report))
    }
    stage.shrink(1, by: 50 << 20)
    #expect(stage.send(.answered(ClientID(1), RoundID(1), attempt: 1)) == [])
    _ = stage.pass(milliseconds: 200)
    expectSums(stage)
    #expect(stage.round(1).claimed == .mebibytes(50))
    #expect(stage.round(1).measured == .mebibytes(50))
    #expect(stage.broker.totals.registered == .mebibytes(25))
  }

  @Test("a cache that is registered in the middle is asked in the next round")
  func newCache() {
    var stage = Stage()
    stage.join(1, [50])
    _ = stage.ask(80)
    let declaration = CacheDeclaration(name: "late", usage: .mebibytes(100))
    _ = stage.send(.registered(ClientID(1), CacheID(2), declaration))
    #expect(stage.answer(1) == [])
    _ = stage.pass(milliseconds: 200)
    expectSums(stage)
    #expect(stage.round(1).part == .mebibytes(50))
    #expect(stage.ask(80).last == "ask c1 r2.1 medium 2:80M<20M")
  }
}

extension Stage {
  /// What is asked of a client and still to come.
  func inFlight(_ client: UInt64) -> ByteCount {
    broker.registry.index(of: ClientID(client)).map { broker.registry.accounts[$0].inFlight }
      ?? .zero
  }
}
