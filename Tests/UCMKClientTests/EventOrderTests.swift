// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClientTestKit
import UCMKModel

@testable import UCMKClient

@Suite("The order of status and events")
struct EventOrderTests {
  private func event(_ round: UInt64) -> PressureEvent {
    PressureEvent(level: .low, scope: .domain(.host), round: round)
  }

  @Test("a held event is told when it is delivered, not before")
  func held() async {
    let housekeeper = Housekeeper(wake: {})
    let service = Task { await housekeeper.serve() }
    let events = housekeeper.subscribe()
    housekeeper.hold(event(1))
    housekeeper.deliver()
    housekeeper.deliver()
    housekeeper.hold(event(2))
    // Another errand wakes the worker: what is held stays held.
    housekeeper.trim(token: 1)
    while housekeeper.takeTrimmed() == nil { await Task.yield() }
    var late = housekeeper.subscribe().makeAsyncIterator()
    housekeeper.hold(event(3))
    housekeeper.deliver()
    #expect(await late.next() == event(2))
    var iterator = events.makeAsyncIterator()
    for round in 1...3 as ClosedRange<UInt64> { #expect(await iterator.next() == event(round)) }
    housekeeper.hold(event(4))
    housekeeper.end()
    #expect(await iterator.next() == event(4))
    #expect(await iterator.next() == nil)
    await service.value
  }

  @Test("of more than eight that wait the newest are told")
  func bound() async {
    let housekeeper = Housekeeper(wake: {})
    let events = housekeeper.subscribe()
    for round in 1...6 as ClosedRange<UInt64> { housekeeper.hold(event(round)) }
    housekeeper.deliver()
    for round in 7...20 as ClosedRange<UInt64> { housekeeper.hold(event(round)) }
    housekeeper.end()
    await housekeeper.serve()
    var rounds: [UInt64] = []
    for await event in events { rounds.append(event.round) }
    #expect(rounds == [13, 14, 15, 16, 17, 18, 19, 20])
  }

  @Test("whoever has seen an event finds its level in the status, every time")
  func status() async throws {
    try await withFakeBroker { broker, client in
      let registration = client.register("thumbs", cache: FakeCache(bytes: .gibibytes(1)))
      let known = try await broker.registered("thumbs")
      var events = client.pressureEvents.makeAsyncIterator()
      let target = [ShrinkTarget(known, .mebibytes(1))]
      for turn in 1...40 {
        let level: PressureLevel = turn.isMultiple(of: 2) ? .critical : .low
        async let answer = broker.shrink(target, ShrinkTerms(level: level))
        #expect(await events.next()?.level == level)
        #expect(client.status().level == level, "turn \(turn)")
        _ = try await answer
        broker.relax()
        #expect(await events.next()?.isRelaxed == true)
        #expect(client.status().level == .none, "turn \(turn)")
      }
      withExtendedLifetime(registration) {}
    }
  }
}
