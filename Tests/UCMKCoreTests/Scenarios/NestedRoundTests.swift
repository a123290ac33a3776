// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// Rounds of domains that lie in each other: what is on its way for one counts for the other.
@Suite("Nested domains")
struct NestedRoundTests {
  private let inner = DomainID.cgroup("/a/b"), outer = DomainID.cgroup("/a")

  /// Client 1 in the inner cgroup, 2 in the outer, 3 elsewhere, 200 MiB each.
  private func stage() -> Stage {
    var stage = Stage()
    stage.join(1, [200], domains: ["/a", "/a/b"])
    stage.join(2, [200], domains: ["/a"])
    stage.join(3, [200])
    return stage
  }

  private func asks(_ lines: [String]) -> [String] { lines.filter { $0.hasPrefix("ask") } }

  /// The members answer what each of the two rounds asks of them.
  private func answerAll(_ stage: inout Stage) {
    for round in [1, 2] as [UInt64] {
      for client in [1, 2] as [UInt64] { _ = stage.answer(client, in: round) }
    }
  }

  @Test("what the inner one asks for is on its way for the outer one too, once")
  func rest() {
    var stage = stage()
    // 60 MiB to the high mark of 80, all of the one member.
    #expect(asks(stage.read(inner, available: 20)) == ["ask c1 r1.1 medium 1:60M<140M"])
    // The outer lacks 80: 20 more, of whichever of its two members.
    #expect(!asks(stage.read(outer, available: 0)).isEmpty)
    #expect(stage.round(2).target == .mebibytes(20))
    #expect(stage.round(2).part == .mebibytes(20))
    #expect(stage.inFlight(1) + stage.inFlight(2) == .mebibytes(80))
    // The host lacks 80 as well: that is what the two give together.
    #expect(asks(stage.read(available: 0)) == [])
    #expect(stage.broker.totals.rounds == 2)
    answerAll(&stage)
    #expect(stage.inFlight(1) + stage.inFlight(2) == .zero)
    _ = stage.pass(milliseconds: 200)
    #expect(stage.round(1).claimed == .mebibytes(60))
    #expect(stage.round(2).claimed == .mebibytes(20))
    #expect(stage.round(1).unmet + stage.round(2).unmet == .zero)
    #expect(stage.broker.totals.asked == .mebibytes(80))
    #expect(stage.broker.totals.claimed == .mebibytes(80))
  }

  @Test("an outer round first: the inner one asks its member for what is still missing there")
  func outerFirst() {
    var stage = stage()
    // 60 MiB of two equal members.
    #expect(
      asks(stage.read(outer, available: 20))
        == ["ask c1 r1.1 medium 1:30M<170M", "ask c2 r1.1 medium 1:30M<170M"]
    )
    // Of the 60 that the inner one lacks 30 are on their way.
    #expect(asks(stage.read(inner, available: 20)) == ["ask c1 r2.1 medium 1:30M<140M"])
    #expect(stage.round(2).target == .mebibytes(30))
    #expect(stage.inFlight(1) == .mebibytes(60))
    // Answered in the order in which it was asked: each answer lands its own part alone.
    let first = FreedReport(
      cache: CacheID(1),
      freed: .mebibytes(30),
      bytes: .mebibytes(170),
      reclaimable: .mebibytes(170),
      more: true
    )
    _ = stage.send(.freed(ClientID(1), RoundID(1), attempt: 1, first))
    _ = stage.send(.answered(ClientID(1), RoundID(1), attempt: 1))
    #expect(stage.inFlight(1) == .mebibytes(30))
    _ = stage.answer(1)
    #expect(stage.inFlight(1) == .zero)
    #expect(stage.cache(1).declaration.usage.bytes == .mebibytes(140))
  }

  @Test("what the inner one is not given is the outer one's to ask of others, after a reading")
  func refused() {
    var stage = stage()
    _ = stage.read(inner, available: 20)
    #expect(asks(stage.read(outer, available: 20)) == [], "60 MiB are on their way")
    let refusal = Event.refused(ClientID(1), RoundID(1), attempt: 1, retryAfter: .seconds(60))
    _ = stage.send(refusal)
    #expect(stage.inFlight(1) == .zero)
    #expect(!stage.round(1).isOpen)
    #expect(asks(stage.read(outer, available: 20)) == ["ask c2 r2.1 medium 1:60M<140M"])
  }

  @Test("whoever is silent is not expected any more when its time is over")
  func silent() {
    var stage = Stage()
    stage.join(1, [200], domains: ["/a", "/a/b"])
    stage.join(2, [200], domains: ["/a", "/a/b"])
    stage.join(3, [200], domains: ["/a"])
    #expect(
      asks(stage.read(inner, available: 20))
        == ["ask c1 r1.1 medium 1:30M<170M", "ask c2 r1.1 medium 1:30M<170M"]
    )
    _ = stage.answer(2)
    #expect(stage.inFlight(1) == .mebibytes(30))
    #expect(asks(stage.pass(milliseconds: 2_000)) == ["ask c2 r1.2 medium 1:30M<140M"])
    #expect(stage.inFlight(1) == .zero)
    #expect(stage.inFlight(2) == .mebibytes(30))
    // The outer one lacks 80, of which 30 come, not 60.
    _ = stage.read(outer, available: 0)
    #expect(stage.round(2).target == .mebibytes(50))
    // An answer that comes late all the same counts, and lands nothing twice.
    _ = stage.answer(1, in: 1)
    #expect(stage.inFlight(1) + stage.inFlight(2) + stage.inFlight(3) == .mebibytes(80))
    #expect(stage.broker.round(RoundID(1))?.claimed == .mebibytes(60))
  }

  /// Client 1 is asked by the outer round and by the inner one, 30 MiB each; client 2 answers.
  private func twice() -> Stage {
    var stage = stage()
    _ = stage.read(outer, available: 20)
    _ = stage.read(inner, available: 20)
    _ = stage.answer(2, in: 1)
    return stage
  }

  private func measured(_ stage: Stage, _ round: UInt64, _ client: UInt64) -> UInt64? {
    stage.round(round).clients.first { $0.client == ClientID(client) }
      .map { $0.measured.value / Stage.mebibyte }
  }

  @Test("what a process gives for both rounds is measured half in each")
  func bothMeasured() {
    var stage = twice()
    _ = stage.answer(1, in: 1)
    _ = stage.answer(1, in: 2)
    _ = stage.pass(milliseconds: 200)
    #expect(measured(stage, 1, 1) == 30)
    #expect(measured(stage, 2, 1) == 30)
    #expect(stage.broker.totals.measured == .mebibytes(90))
    #expect(stage.broker.totals.claimed == .mebibytes(90))
  }

  @Test("one fall of a process is measured in one of two rounds")
  func onceMeasured() {
    var stage = twice()
    _ = stage.answer(1, in: 1)
    _ = stage.answer(1, in: 2, real: 0)
    _ = stage.pass(milliseconds: 200)
    // In the one that ends first.
    #expect(measured(stage, 1, 1) == 0)
    #expect(measured(stage, 2, 1) == 30)
    #expect(stage.round(1).claimed == .mebibytes(60))
    #expect(stage.broker.totals.measured == .mebibytes(60))
  }

  @Test("the round that ends later counts what the other one left")
  func leftOver() {
    var stage = twice()
    _ = stage.answer(1, in: 1, real: 50)
    stage.clock += 100
    _ = stage.answer(1, in: 2)
    // At the end of the first 45 MiB are gone, 30 of them claimed there.
    _ = stage.pass(milliseconds: 300)
    #expect(measured(stage, 1, 1) == 30)
    #expect(measured(stage, 2, 1) == 15)
    #expect(stage.broker.totals.measured == .mebibytes(75))
  }

  @Test("what fell before a round began is no matter of that round")
  func before() {
    var stage = stage()
    _ = stage.read(outer, available: 20)
    _ = stage.answer(2)
    _ = stage.answer(1)
    stage.clock += 100
    // The inner one begins while the outer one waits for the kernel's counters.
    #expect(asks(stage.read(inner, available: 20)) == ["ask c1 r2.1 medium 1:60M<110M"])
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 300)
    #expect(measured(stage, 1, 1) == 30)
    #expect(measured(stage, 2, 1) == 60)
    #expect(stage.broker.totals.measured == .mebibytes(120))
  }

  @Test("of three rounds each counts its own", arguments: [100, 0] as [UInt64])
  func three(real: UInt64) {
    var stage = twice()
    _ = stage.answer(1, in: 1)
    _ = stage.answer(1, in: 2)
    // The third begins when 60 MiB are gone, that still count in the two before it.
    stage.clock += 100
    #expect(asks(stage.ask(30, scope: .domain(inner))) == [])
    _ = stage.ask(90)
    for client in [1, 2, 3] as [UInt64] { _ = stage.answer(client, in: 3, real: real) }
    _ = stage.pass(milliseconds: 400)
    #expect(measured(stage, 1, 1) == 30)
    #expect(measured(stage, 2, 1) == 30)
    let round = stage.round(3)
    #expect(round.claimed == .mebibytes(90))
    #expect(round.measured == (real == 0 ? .zero : round.claimed))
  }

  @Test("a dry run beside a round takes nothing from it")
  func dryRun() {
    var stage = stage()
    _ = stage.ask(60, dryRun: true)
    _ = stage.read(inner, available: 20)
    for client in [1, 2, 3] as [UInt64] { _ = stage.answer(client, in: 1, real: 0) }
    _ = stage.answer(1, in: 2)
    _ = stage.pass(milliseconds: 300)
    #expect(measured(stage, 1, 1) == 0)
    #expect(measured(stage, 2, 1) == 60)
  }

  @Test("a bystander is asked by the host alone")
  func bystander() {
    var stage = stage()
    // Larger than all that the outer cgroup holds: a cgroup counts as one.
    stage.join(4, [600])
    _ = stage.read(inner, available: 20)
    _ = stage.read(outer, available: 0)
    #expect(stage.inFlight(4) == .zero)
    answerAll(&stage)
    _ = stage.pass(milliseconds: 200)
    let lines = asks(stage.read(available: 20))
    #expect(lines.contains { $0.hasPrefix("ask c4 r3.1") })
    #expect(stage.round(3).target == .mebibytes(60))
  }
}
