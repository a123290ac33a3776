// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("What people are shown")
struct ViewTests {
  private func plan(
    _ stage: Stage,
    _ mebibytes: UInt64?,
    level: PressureLevel = .medium,
    scope: Scope = .manual
  ) -> PlanView {
    stage.broker.plan(
      RoundRequest(
        bytes: mebibytes.map { .mebibytes($0) },
        level: level,
        scope: scope,
        dryRun: false
      )
    )
  }

  @Test("a plan shows everything that its parts are computed from")
  func inputs() {
    var stage = Stage()
    _ = stage.send(
      .joined(ClientID(1), .plain(1, grantedShare: 200, grantedFloor: .mebibytes(40)))
    )
    let dear = CacheDeclaration(
      name: "dear",
      share: 50,
      floor: .mebibytes(10),
      costMicrosecondsPerMiB: 90_000,
      usage: .mebibytes(300, reclaimable: 250)
    )
    let cheap = CacheDeclaration(
      name: "cheap",
      costMicrosecondsPerMiB: 10_000,
      usage: .mebibytes(100)
    )
    _ = stage.send(.registered(ClientID(1), CacheID(1), dear))
    _ = stage.send(.registered(ClientID(1), CacheID(2), cheap))
    _ = stage.send(.measured(ProcessID(11), ProcessReading(resident: .mebibytes(800))))
    let plan = plan(stage, 100)
    #expect(plan.medianCost == 10_000)
    #expect(plan.capacity == .mebibytes(340))
    #expect(plan.part == .mebibytes(100))
    let client = plan.clients[0]
    #expect(client.size == .mebibytes(400))
    #expect(client.cap == .mebibytes(340))
    // (300 × 100 × 20,000 + 100 × 200 × 10,000) / 400
    #expect(client.weight == 2_000_000)
    #expect(
      client.caches[0].inputs
        == QuotaInputs(
          bytes: .mebibytes(300),
          reclaimable: .mebibytes(250),
          measured: .mebibytes(600),
          share: 100,
          costMicrosecondsPerMiB: 90_000,
          costBand: Permyriad(20_000),
          trust: .one,
          ledger: 0,
          floor: .mebibytes(30),
          cap: .mebibytes(250),
          weight: 2_000_000,
          askable: .mebibytes(250)
        )
    )
    #expect(client.caches[1].inputs.floor == .mebibytes(10))
    #expect(client.caches[1].inputs.cap == .mebibytes(90))
    #expect(client.caches.map(\.part) == [.mebibytes(100), .zero])
    #expect(client.asked == .mebibytes(100))
  }

  @Test("a plan sends nothing and changes nothing")
  func pure() {
    var stage = Stage()
    stage.join(1, [100])
    let wake = stage.broker.nextWake
    #expect(plan(stage, 50) == plan(stage, 50))
    #expect(stage.broker.nextWake == wake)
    #expect(stage.broker.lastRound == nil)
  }

  @Test("a plan without a size takes the deficit of its scope")
  func deficit() {
    var stage = Stage()
    stage.join(1, [100], domains: ["/a"])
    _ = stage.send(.paused(until: nil))
    _ = stage.read(available: 60)
    _ = stage.read(.cgroup("/a"), available: 70)
    #expect(plan(stage, nil).target == .mebibytes(20))
    #expect(plan(stage, nil, scope: .domain(.cgroup("/a"))).target == .mebibytes(10))
    #expect(plan(stage, nil, scope: .domain(.cgroup("/b"))).target == .zero)
  }

  @Test("bytes are asked for in whole pages, and a limit is what is left")
  func pages() {
    var stage = Stage(page: 16_384)
    stage.join(1, [100])
    _ = stage.send(
      .requested(
        RequestToken(1),
        RoundRequest(bytes: ByteCount(1), level: .low, scope: .manual, dryRun: false)
      )
    )
    #expect(stage.round(1).part == ByteCount(1))
    #expect(stage.round(1).asked == ByteCount(16_384))
    #expect(stage.cache(1).limit == .mebibytes(100) - ByteCount(16_384))
    #expect(
      stage.broker.limits(of: ClientID(1)) == [
        CacheLimit(cache: CacheID(1), limit: .mebibytes(100) - ByteCount(16_384))
      ]
    )
    #expect(stage.broker.limits(of: ClientID(9)).isEmpty)
  }

  @Test("clients come by id, a page at a time, and detached ones do not show")
  func clients() {
    var stage = Stage()
    for client in 1...5 as ClosedRange<UInt64> { stage.join(client, [10]) }
    _ = stage.send(.detached(ClientID(2)))
    let ids = { (cursor: UInt64?, count: Int) in
      stage.broker.clients(after: cursor.map { ClientID($0) }, count: count) { _ in true }
        .map(\.client.ordinal)
    }
    #expect(ids(nil, 2) == [1, 3])
    #expect(ids(3, 2) == [4, 5])
    #expect(ids(5, 2) == [])
    #expect(ids(.max, 2) == [])
    #expect(
      stage.broker.clients(after: nil, count: 9) { $0.name == "client-4" }.map(\.client.ordinal)
        == [4]
    )
    #expect(stage.broker.client(ClientID(2)) == nil)
  }

  @Test("sums are over the caches of now and the rounds of all time")
  func totals() {
    var stage = Stage()
    stage.join(1, [100, 20])
    stage.join(2, [30])
    _ = stage.send(.reported(ClientID(2), CacheID(1), .mebibytes(30, reclaimable: 5)))
    _ = stage.ask(40)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    var totals = Totals()
    totals.clients = 2
    totals.caches = 3
    totals.rounds = 1
    totals.registered = .mebibytes(110)
    totals.reclaimable = .mebibytes(85)
    totals.asked = .mebibytes(40)
    totals.claimed = .mebibytes(40)
    totals.measured = .mebibytes(40)
    totals.byHand = 1
    #expect(stage.broker.totals == totals)
  }

  @Test("an open round shows how far it is")
  func open() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    _ = stage.ask(100)
    #expect(stage.broker.state == .round)
    stage.clock += 40
    _ = stage.answer(1)
    let round = stage.round(1)
    #expect(round.isOpen)
    #expect(round.took == .milliseconds(40))
    #expect(round.claimed == .mebibytes(50))
    #expect(round.clients.map(\.outcome) == [.done, .silent])
    #expect(stage.broker.rounds(count: 9).map(\.isOpen) == [true])
  }
}

@Suite("Sessions and administrators")
struct SessionTests {
  @Test("a client that comes back is told its limits, also those that were lifted meanwhile")
  func reattach() {
    var stage = Stage()
    stage.join(1, [100, 100])
    _ = stage.ask(100)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    _ = stage.send(.detached(ClientID(1)))
    #expect(
      stage.send(.reattached(ClientID(1), .plain(1, process: 40)))
        == ["limit c1 1<50M 2<50M"]
    )
    _ = stage.send(.detached(ClientID(1)))
    #expect(!stage.pass(milliseconds: 10_000).contains { $0.hasPrefix("relax") })
    #expect(
      stage.send(.reattached(ClientID(1), .plain(1, process: 41))) == ["limit c1 1<- 2<-"]
    )
    _ = stage.send(.detached(ClientID(1)))
    #expect(stage.send(.reattached(ClientID(1), .plain(1, process: 41))) == [])
    #expect(stage.send(.reattached(ClientID(1), .plain(1, process: 41))) == [])
  }

  @Test("nobody is asked while it is away, and its caches count in no plan")
  func away() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.send(.detached(ClientID(1)))
    #expect(stage.ask(50) == ["open r1", "accept 7 r1", "close r1"])
    #expect(stage.broker.totals.registered == .zero)
  }

  @Test("an override replaces share, floor and level until it ends")
  func override() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    let end = MonotonicInstant(nanoseconds: 5_000_000_000)
    let event = Event.overridden(
      ClientID(1),
      CacheID(1),
      CacheOverride(share: 300, floor: .mebibytes(90), minimumLevel: .medium, until: end)
    )
    #expect(stage.send(event) == [])
    #expect(stage.cache(1).share == 300)
    #expect(stage.cache(1).floor == .mebibytes(90))
    #expect(stage.cache(1).minimumLevel == .medium)
    #expect(stage.wakesIn == 5_000)
    #expect(stage.ask(40, level: .low).last == "ask c2 r1.1 low 1:40M<60M")
    _ = stage.answer(2)
    _ = stage.pass(milliseconds: 200)
    #expect(
      stage.ask(200, level: .medium).suffix(2) == [
        "ask c1 r2.1 medium 1:10M<90M", "ask c2 r2.1 medium 1:60M<0",
      ]
    )
    _ = stage.pass(milliseconds: 5_000)
    #expect(stage.cache(1).share == 100)
    #expect(stage.cache(1).floor == .zero)
    #expect(stage.cache(1).minimumLevel == .low)
  }

  @Test("an override leaves what it does not name")
  func partialOverride() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.send(.overridden(ClientID(1), CacheID(1), CacheOverride(share: 300)))
    _ = stage.send(
      .overridden(ClientID(1), CacheID(1), CacheOverride(floor: .mebibytes(7)))
    )
    #expect(stage.cache(1).share == 300)
    #expect(stage.cache(1).floor == .mebibytes(7))
  }

  @Test("share and cost decide who gives how much")
  func weights() {
    var stage = Stage()
    stage.join(1, [90], share: 50)
    stage.join(2, [90], share: 100)
    #expect(
      stage.ask(90).suffix(2) == [
        "ask c1 r1.1 medium 1:60M<30M", "ask c2 r1.1 medium 1:30M<60M",
      ]
    )
    var costs = Stage()
    costs.join(1, [90], cost: 10_000)
    costs.join(2, [90], cost: 10_000)
    costs.join(3, [90], cost: 900_000)
    // Three level at 45 : 45 : 90 would ask client 3 for nothing.
    #expect(
      costs.ask(90).suffix(2) == [
        "ask c1 r1.1 medium 1:45M<45M", "ask c2 r1.1 medium 1:45M<45M",
      ]
    )
  }

  @Test("ids that nobody has are ignored")
  func unknown() {
    var stage = Stage()
    stage.join(1, [100])
    let nobody = ClientID(99)
    let report = FreedReport(
      cache: CacheID(1),
      freed: .zero,
      bytes: .zero,
      reclaimable: .zero,
      more: true
    )
    let events: [Event] = [
      .registered(nobody, CacheID(1), CacheDeclaration(name: "cache")),
      .updated(nobody, CacheID(1), CacheDeclaration(name: "cache")),
      .updated(ClientID(1), CacheID(9), CacheDeclaration(name: "cache")),
      .unregistered(nobody, CacheID(1)), .unregistered(ClientID(1), CacheID(9)),
      .reported(nobody, CacheID(1), .zero), .reported(ClientID(1), CacheID(9), .zero),
      .relocated(nobody, .plain(99)), .detached(nobody), .reattached(nobody, .plain(99)),
      .reattached(ClientID(1), .plain(1)), .left(nobody), .joined(ClientID(1), .plain(1)),
      .freed(nobody, RoundID(7), attempt: 1, report), .answered(nobody, RoundID(7), attempt: 0),
      .refused(nobody, RoundID(7), attempt: 9, retryAfter: .seconds(1)),
      .undelivered(nobody, RoundID(7), attempt: 1), .measured(ProcessID(1), nil),
      .sampled(.cgroup("/x"), .plain(available: 1)), .domainLost(.cgroup("/x")),
      .overridden(nobody, CacheID(1), CacheOverride(share: 1)), .resumed, .ticked,
    ]
    let before = stage.broker.client(ClientID(1))
    for event in events { #expect(stage.send(event) == [], "\(event)") }
    #expect(stage.broker.client(ClientID(1)) == before)
  }
}
