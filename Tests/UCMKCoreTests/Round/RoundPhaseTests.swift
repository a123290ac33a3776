// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// One round over three clients, stopped in each of its phases while something happens to one.
@Suite("In every phase of a round")
struct RoundPhaseTests {
  /// Where the round stands when it happens.
  enum Phase: String, CaseIterable, Sendable {
    case asking, again, settling, measuring, closed

    /// Whether client 2 has answered everything that it was asked by then.
    var hasAnswered: Bool { self == .settling || self == .measuring || self == .closed }
  }

  /// 100, 100 and 40 MiB; 120 are wanted: 60 of each of the first two.
  private func stage(in phase: Phase) -> Stage {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    stage.join(3, [40])
    _ = stage.ask(120)
    switch phase {
    case .asking: break
    case .again:
      _ = stage.answer(1, part: 50, more: false)
      _ = stage.answer(2)
    case .settling, .measuring, .closed:
      _ = stage.answer(1)
      _ = stage.answer(2)
    }
    if phase == .measuring { stage.measuresAtOnce = false }
    if phase == .measuring || phase == .closed { _ = stage.pass(milliseconds: 200) }
    return stage
  }

  /// Everybody who is left answers; time passes until nothing is open.
  private func finish(_ stage: inout Stage, except silent: UInt64 = 0) {
    stage.measuresAtOnce = true
    for _ in 1...3 {
      for client in 1...3 as ClosedRange<UInt64>
      where stage.isThere(client) && client != silent {
        _ = stage.answer(client)
      }
    }
    _ = stage.pass(milliseconds: 2_600)
  }

  private func outcome(of client: UInt64, in stage: Stage) -> RoundOutcome? {
    stage.round(1).clients.first { $0.client == ClientID(client) }?.outcome
  }

  private func expectRest(_ stage: Stage, _ phase: Phase) {
    #expect(!stage.round(1).isOpen, "\(phase)")
    #expect(stage.broker.registry.accounts.allSatisfy { $0.inFlight == .zero }, "\(phase)")
    let round = stage.round(1)
    #expect(round.clients.reduce(ByteCount.zero) { $0 + $1.asked } == round.asked, "\(phase)")
    #expect(round.clients.reduce(ByteCount.zero) { $0 + $1.claimed } == round.claimed, "\(phase)")
    let measured = round.clients.reduce(ByteCount.zero) { $0 + $1.measured }
    #expect(measured == round.measured, "\(phase)")
  }

  @Test("a client may leave", arguments: Phase.allCases)
  func leaves(phase: Phase) {
    var stage = stage(in: phase)
    _ = stage.send(.left(ClientID(2)))
    finish(&stage)
    expectRest(stage, phase)
    #expect(outcome(of: 2, in: stage) == (phase == .closed ? .done : .gone))
    #expect(stage.broker.totals.clients == 2)
    #expect(stage.broker.history(of: ClientID(2)).count == 1)
    // Whoever is gone is not measured, whatever it claimed before.
    let row = stage.round(1).clients.first { $0.client == ClientID(2) }
    #expect(row?.measured == (phase == .closed ? .mebibytes(60) : .zero))
    // What it did not give is asked of the others while there is an attempt left.
    let asksMore = phase == .asking || phase == .again
    #expect((outcome(of: 3, in: stage) != nil) == asksMore)
  }

  @Test("a cache may be taken back", arguments: Phase.allCases)
  func unregisters(phase: Phase) {
    var stage = stage(in: phase)
    #expect(stage.send(.unregistered(ClientID(2), CacheID(1))) == [])
    finish(&stage)
    _ = stage.pass(milliseconds: 4_000)
    expectRest(stage, phase)
    // The client is still there; it owes an answer that never comes.
    #expect(outcome(of: 2, in: stage) == Self.outcomes[phase])
    #expect(stage.broker.totals.caches == 2)
    #expect(stage.cacheNumbers(2) == [])
  }

  private static let outcomes: [Phase: RoundOutcome] = [
    .asking: .silent, .again: .partial, .settling: .done, .measuring: .done, .closed: .done,
  ]

  @Test("a client may come back as another process", arguments: Phase.allCases)
  func returns(phase: Phase) {
    var stage = stage(in: phase)
    _ = stage.send(.detached(ClientID(2)))
    stage.resident[52] = 100 << 20
    let back = stage.send(.reattached(ClientID(2), .plain(2, process: 52)))
    // Nothing is asked of it again; it is told the limit that it may never have heard of.
    #expect(back.count == 1)
    #expect(back[0].hasPrefix("limit c2 1<"))
    finish(&stage)
    expectRest(stage, phase)
    let row = stage.round(1).clients.first { $0.client == ClientID(2) }
    #expect(row?.outcome == (phase == .closed ? .done : .gone))
    // The new process is not held to what the old one said.
    #expect(row?.process == ProcessID(12))
    #expect(row?.measured == (phase == .closed ? .mebibytes(60) : .zero))
    _ = stage.send(.reported(ClientID(2), CacheID(1), .mebibytes(100)))
    let lines = stage.ask(10)
    #expect(lines.contains("measure 52"), "\(phase) \(lines)")
    #expect(!lines.contains("measure 12"))
  }

  @Test("a client's process may be found to be another one", arguments: Phase.allCases)
  func anotherProcess(phase: Phase) {
    var stage = stage(in: phase)
    stage.resident[52] = 100 << 20
    #expect(stage.send(.relocated(ClientID(2), .plain(2, process: 52))) == [])
    finish(&stage)
    expectRest(stage, phase)
    let row = stage.round(1).clients.first { $0.client == ClientID(2) }
    // What was asked and answered stays with the process that was asked; one that shrinks
    // afterwards is not taken for it.
    #expect(row?.process == ProcessID(12))
    #expect(row?.outcome == .done)
    // In the second attempt it is asked for the 15 MiB that client 1 did not give.
    #expect(row?.claimed == .mebibytes(phase == .again ? 75 : 60))
    // While it is measured the reading is on its way, and here it gets lost.
    let isUnseen = phase == .asking || phase == .measuring
    #expect(row?.measured == (isUnseen ? .zero : .mebibytes(60)), "\(phase)")
    _ = stage.send(.reported(ClientID(2), CacheID(1), .mebibytes(100)))
    #expect(stage.ask(10).contains("measure 52"))
  }

  @Test("a cache may be taken back and registered anew", arguments: Phase.allCases)
  func registersAnew(phase: Phase) {
    var stage = stage(in: phase)
    #expect(stage.send(.unregistered(ClientID(2), CacheID(1))) == [])
    let declaration = CacheDeclaration(name: "cache-1", usage: .mebibytes(100))
    _ = stage.send(.registered(ClientID(2), CacheID(2), declaration))
    finish(&stage, except: 2)
    _ = stage.pass(milliseconds: 4_000)
    expectRest(stage, phase)
    let row = stage.round(1).clients.first { $0.client == ClientID(2) }
    #expect(row?.caches.map(\.id) == [CacheID(1)], "the new one was not asked")
    // It has nothing of the old one: neither its limit nor what was on its way.
    #expect(stage.cacheNumbers(2) == [2])
    #expect(stage.cache(2, CacheID(2)).limit == nil)
    #expect(stage.inFlight(2) == .zero)
    #expect(stage.ask(500).contains { $0.hasPrefix("ask c2 r2.1 medium 2:100M") })
  }

  @Test("an override is for the next split", arguments: Phase.allCases)
  func overridden(phase: Phase) {
    var stage = stage(in: phase)
    let override = CacheOverride(floor: .mebibytes(95))
    #expect(stage.send(.overridden(ClientID(2), CacheID(1), override)) == [])
    finish(&stage)
    expectRest(stage, phase)
    // 40 MiB are left of the cache, all of them below the floor.
    let lines = stage.ask(500)
    #expect(!lines.contains { $0.hasPrefix("ask c2") }, "\(phase) \(lines)")
  }

  @Test("an answer that comes twice counts once", arguments: Phase.allCases)
  func twice(phase: Phase) {
    var stage = stage(in: phase)
    _ = stage.answer(2)
    let claimed = stage.round(1).clients.first { $0.client == ClientID(2) }?.claimed
    _ = stage.answer(2)
    #expect(stage.round(1).clients.first { $0.client == ClientID(2) }?.claimed == claimed)
    finish(&stage)
    expectRest(stage, phase)
  }
}

extension Stage {
  /// Whether a client is connected and has a cache.
  func isThere(_ client: UInt64) -> Bool { !cacheNumbers(client).isEmpty }

  /// The ids of a client's caches; none where it is not connected.
  func cacheNumbers(_ client: UInt64) -> [UInt32] {
    broker.client(ClientID(client))?.caches.map(\.id.number) ?? []
  }
}
