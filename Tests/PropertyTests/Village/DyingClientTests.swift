// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// One client dies in one phase of a round, and comes back in one way or not at all.
@Suite("A client that dies in the middle of a round")
struct DyingClientTests {
  struct Death: Sendable, CustomTestStringConvertible {
    var phase: DeathPhase, afterlife: Afterlife
    var testDescription: String { "\(phase.rawValue), then \(afterlife.rawValue)" }
  }

  static let deaths = DeathPhase.allCases.flatMap { phase in
    Afterlife.allCases.map { Death(phase: phase, afterlife: $0) }
  }

  /// A mortal with 100 MiB among three honest ones, one of them slow to answer, in group `/a`.
  private func village(_ death: Death) -> (village: Village, mortal: Int) {
    var village = Village(seed: 7)
    let mortal = village.settle(.mortal, mebibytes: [60, 40], groups: ["/a"])
    village.sessions[mortal].deathPhase = death.phase
    village.sessions[mortal].afterlife = death.afterlife
    for _ in 0..<2 { _ = village.settle(.honest, mebibytes: [100], groups: ["/a"]) }
    _ = village.settle(.lossy, mebibytes: [100], groups: ["/a"])
    village.room["/a"] = 400 << 20
    return (village, mortal)
  }

  @Test("leaves nothing behind, and the others give what is missing", arguments: deaths)
  func death(_ death: Death) throws {
    var (village, mortal) = village(death)
    let client = village.sessions[mortal].id
    let before = village.broker.behaviour(of: client)
    // 80 MiB are missing to the high mark.
    village.room["/a"] = 0
    village.send(.sampled(.cgroup("/a"), village.reading(of: .cgroup("/a"))))
    let round = try #require(village.broker.lastRound)
    #expect(village.sessions[mortal].timesAsked == 1 || death.phase == .beforeRequest)
    for _ in 0..<200 where village.broker.runs(round) { village.pass(atMost: 100_000_000) }
    let view = try #require(village.broker.round(round))
    #expect(!view.isOpen)
    #expect(view.target == .mebibytes(80) && view.part == .mebibytes(80))
    let row = try #require(view.clients.first { $0.client == client })
    switch death.phase {
    // It was told nothing, said nothing and was taken for silent before it was seen to be gone.
    case .beforeRequest: #expect([.silent, .gone].contains(row.outcome))
    // Its connection ends with the last reading, when the round is over.
    case .measuring: #expect(row.outcome == .partial)
    default: #expect(row.outcome == .gone)
    }
    #expect(row.measured == .zero)
    // Whoever is left gives at least what the mortal was meant to, as far as they can.
    #expect(view.claimed >= .mebibytes(40))
    #expect(village.broker.inFlight(in: Membership(scope: .manual, byPath: false)) == .zero)
    if death.phase != .measuring, death.phase != .beforeRequest {
      #expect(village.broker.behaviour(of: client)?.trust == before?.trust, "nothing was learnt")
      #expect(village.auditor.booked[client] == nil)
    }
    village.calm()
    #expect(village.auditor.complaint == nil)
  }

  @Test("comes back to its caches and their limits, or is forgotten", arguments: Afterlife.allCases)
  func afterlife(_ afterlife: Afterlife) {
    var (village, mortal) = village(Death(phase: .afterMore, afterlife: afterlife))
    let client = village.sessions[mortal].id
    village.room["/a"] = 0
    village.send(.sampled(.cgroup("/a"), village.reading(of: .cgroup("/a"))))
    village.pass(milliseconds: 15_000)
    #expect(village.auditor.complaint == nil)
    switch afterlife {
    case .never:
      #expect(village.broker.registry.index(of: client) == nil)
      #expect(village.auditor.present.count == 3)
    case .sameProcess, .otherProcess:
      #expect(village.broker.client(client)?.caches.map(\.id.number) == [1, 2])
      #expect(village.auditor.present[client] == true)
    case .stranger:
      #expect(village.broker.registry.index(of: client) == nil)
      #expect(village.auditor.present.count == 4)
      let heir = village.sessions[village.sessions.count - 1].id
      #expect(heir > client)
      #expect(village.broker.client(heir)?.ledger == 0)
    }
  }

  @Test("everybody dies at once: the round ends, and nobody is waited for")
  func everybody() throws {
    var village = Village(seed: 3)
    for _ in 0..<4 {
      let mortal = village.settle(.mortal, mebibytes: [50])
      village.sessions[mortal].deathPhase = .afterRequest
      village.sessions[mortal].afterlife = .never
    }
    let request = RoundRequest(
      bytes: .mebibytes(100),
      level: .medium,
      scope: .manual,
      dryRun: false
    )
    village.send(.requested(RequestToken(1), request))
    village.pass(milliseconds: 1_000)
    let view = try #require(village.broker.round(RoundID(1)))
    #expect(!view.isOpen)
    #expect(view.clients.map(\.outcome) == [.gone, .gone, .gone, .gone])
    #expect(view.claimed == .zero && view.unmet == .mebibytes(100))
    #expect(view.took < .seconds(1), "the last death ends it, not the deadline")
    #expect(village.broker.totals.timeouts == 0)
    village.calm()
    #expect(village.auditor.complaint == nil)
  }
}
