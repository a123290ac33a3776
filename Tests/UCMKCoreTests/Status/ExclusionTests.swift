// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("Clients that are left out")
struct ExclusionTests {
  /// One that takes no requests to shrink, and one that does, of 100 MiB each.
  private func pair(domains: [String] = []) -> Stage {
    var stage = Stage()
    var deaf = ClientFacts.plain(1, domains: domains)
    deaf.takesRequests = false
    _ = stage.send(.joined(ClientID(1), deaf))
    let declaration = CacheDeclaration(name: "cache", usage: .mebibytes(100))
    _ = stage.send(.registered(ClientID(1), CacheID(1), declaration))
    stage.join(2, [100], domains: domains)
    return stage
  }

  private func plan(_ stage: Stage, level: PressureLevel = .medium) -> PlanView {
    stage.broker.plan(
      RoundRequest(bytes: .mebibytes(160), level: level, scope: .manual, dryRun: false)
    )
  }

  @Test("one that takes no requests counts in no capacity and has no part")
  func deaf() {
    var stage = pair()
    #expect(plan(stage).capacity == .mebibytes(100))
    #expect(plan(stage).clients.map(\.client) == [ClientID(2)])
    #expect(plan(stage).excluded.map(\.reason) == [.takesNoRequests])
    #expect(
      stage.ask(160)
        == ["open r1", "accept 7 r1", "measure 12", "ask c2 r1.1 medium 1:100M<0"]
    )
    #expect(stage.answer(2) == [])
    #expect(stage.pass(milliseconds: 200) == ["measure 12", "close r1"])
    let round = stage.round(1)
    #expect(round.part == .mebibytes(100))
    #expect(round.clients.map(\.client) == [ClientID(2)])
    #expect(round.unmet == .mebibytes(60))
    // It is there all the same, with its bytes.
    #expect(stage.broker.totals.clients == 2)
    #expect(stage.broker.totals.registered == .mebibytes(100))
  }

  @Test("with nobody else there is nobody to ask, and nothing to read the host for")
  func alone() {
    var stage = pair()
    _ = stage.send(.left(ClientID(2)))
    #expect(stage.wakesIn == nil)
    #expect(plan(stage).capacity == .zero)
    #expect(stage.ask(160) == ["open r1", "accept 7 r1", "close r1"])
    #expect(stage.read(available: 20) == ["level host none>medium", "state host idle>watching"])
    #expect(stage.round(1).clients.isEmpty)
  }

  @Test("one that turns out not to know the method is out from then on")
  func learned() {
    var stage = Stage()
    stage.join(1, [100], domains: ["/a"])
    stage.join(2, [100], domains: ["/a"])
    _ = stage.ask(100)
    // What the shell makes of an answer of -32601.
    var deaf = ClientFacts.plain(1, domains: ["/a"])
    deaf.takesRequests = false
    #expect(stage.send(.relocated(ClientID(1), deaf)) == [])
    #expect(stage.send(.undelivered(ClientID(1), RoundID(1), attempt: 1)) == [])
    // Its half is asked of the other, and of it no more.
    #expect(stage.answer(2) == ["ask c2 r1.2 medium 1:50M<0"])
    #expect(stage.answer(2) == [])
    _ = stage.pass(milliseconds: 200)
    #expect(stage.round(1).part == .mebibytes(100))
    #expect(stage.round(1).measured == .mebibytes(100))
    #expect(stage.round(1).clients.map(\.outcome) == [.silent, .done])
    #expect(plan(stage).capacity == .zero)
    #expect(plan(stage).excluded.map(\.reason) == [.takesNoRequests, .nothingLeft])
    // It takes requests again, say with a newer version of the program.
    _ = stage.send(.detached(ClientID(1)))
    _ = stage.send(.reattached(ClientID(1), .plain(1, domains: ["/a"])))
    #expect(plan(stage).capacity == .mebibytes(100))
  }

  @Test("nobody in a domain that takes requests: it is not polled; with one it is")
  func willing() {
    var stage = pair(domains: ["/a"])
    #expect(stage.broker.domainTable[.cgroup("/a")]?.willing == 1)
    #expect(stage.broker.domainTable[.host]?.willing == 1)
    _ = stage.send(.left(ClientID(2)))
    #expect(stage.broker.domainTable[.cgroup("/a")]?.willing == 0)
    _ = stage.send(.relocated(ClientID(1), .plain(1, domains: ["/a", "/a/b"])))
    #expect(stage.broker.domainTable[.cgroup("/a")]?.willing == 1)
    #expect(stage.broker.domainTable[.cgroup("/a/b")]?.willing == 1)
    #expect(stage.broker.domainTable[.host]?.willing == 1)
  }

  @Test("each is listed with the first of its reasons")
  func reasons() {
    var stage = pair()
    stage.join(3, [100])
    _ = stage.ask(30, scope: .domain(.host))
    for client in [2, 3] as [UInt64] {
      let refusal = Event.refused(
        ClientID(client),
        RoundID(1),
        attempt: 1,
        retryAfter: .seconds(5)
      )
      _ = stage.send(refusal)
    }
    stage.join(4, [])
    let gentle = CacheDeclaration(
      name: "gentle",
      minimumLevel: .critical,
      usage: .mebibytes(100)
    )
    _ = stage.send(.registered(ClientID(4), CacheID(1), gentle))
    stage.join(5, [0])
    stage.join(6, [])
    let reasons: [Exclusion] = [.takesNoRequests, .refuses, .refuses, .level, .nothingLeft]
    let excluded = plan(stage).excluded
    #expect(excluded.map(\.reason) == reasons)
    #expect(excluded.map(\.client) == (1...5).map { ClientID($0) })
    #expect(excluded.map(\.name) == (1...5).map { "client-\($0)" })
    #expect(excluded.map(\.process) == (11...15).map { ProcessID($0) })
    // Critical is asked of everybody who can be asked at all.
    #expect(plan(stage, level: .critical).clients.map(\.client) == [ClientID(4)])
    _ = stage.pass(milliseconds: 6_000)
    #expect(plan(stage).clients.map(\.client) == [ClientID(2), ClientID(3)])
  }
}
