// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("What is measured")
struct MeasuringTests {
  private func reading(_ resident: UInt64, lazy: UInt64? = nil, group: UInt64? = nil)
    -> ProcessReading
  {
    ProcessReading(
      resident: .mebibytes(resident),
      lazyFree: lazy.map { .mebibytes($0) },
      soleCgroupCurrent: group.map { .mebibytes($0) }
    )
  }

  private func process(_ before: ProcessReading?, _ after: ProcessReading?) -> RoundProcess {
    var process = RoundProcess(process: ProcessID(1))
    process.before = .some(before)
    process.after = .some(after)
    process.claimed = UInt128(ByteCount.mebibytes(100).value)
    return process
  }

  @Test("is the fall of what a process holds")
  func fall() {
    #expect(process(reading(300), reading(220)).fall == .mebibytes(80))
    #expect(process(reading(300), reading(320)).fall == .zero)
    #expect(process(reading(300), nil).fall == .zero)
    #expect(process(nil, reading(300)).fall == .zero)
    #expect(RoundProcess(process: ProcessID(1)).fall == .zero)
  }

  @Test("counts pages given back lazily where both readings know them")
  func lazy() {
    #expect(process(reading(300, lazy: 0), reading(300, lazy: 80)).fall == .mebibytes(80))
    #expect(process(reading(300), reading(300, lazy: 80)).fall == .zero)
  }

  @Test("believes the cgroup where that fell by more")
  func group() {
    #expect(
      process(reading(300, group: 400), reading(290, group: 310)).fall == .mebibytes(90)
    )
    #expect(
      process(reading(300, group: 400), reading(200, group: 390)).fall == .mebibytes(100)
    )
    #expect(process(reading(300, group: 400), reading(290)).fall == .mebibytes(10))
  }

  @Test("is split by claims, and is at most 5 % above a claim")
  func split() {
    var half = process(reading(300), reading(250))
    #expect(half.takeMeasured(of: .mebibytes(60)) == .mebibytes(30))
    #expect(half.takeMeasured(of: .mebibytes(40)) == .mebibytes(20))
    var double = process(reading(300), reading(100))
    #expect(double.takeMeasured(of: .mebibytes(60)) == .mebibytes(63))
    var unread = RoundProcess(process: ProcessID(1))
    #expect(unread.takeMeasured(of: .mebibytes(1)) == .zero)
  }

  @Test(
    "is split to the byte",
    arguments: [
      (fell: 10_000_000, claims: [7, 7, 7], shares: [3_333_333, 3_333_333, 3_333_334]),
      (fell: 8, claims: [3, 0, 3, 3], shares: [2, 0, 3, 3]),
      (fell: 1, claims: [1, 1, 1], shares: [0, 0, 1]),
      // 39 claimed are good for 40 at most, whatever the process gave back.
      (fell: 1_000, claims: [13, 13, 13], shares: [13, 13, 14]),
    ] as [(fell: UInt64, claims: [UInt64], shares: [UInt64])]
  )
  func exact(fell: UInt64, claims: [UInt64], shares: [UInt64]) {
    let factor: UInt64 = fell > 1_000 ? 1 << 20 : 1
    var process = RoundProcess(process: ProcessID(1))
    process.before = .some(ProcessReading(resident: ByteCount(fell)))
    process.after = .some(ProcessReading(resident: .zero))
    process.claimed = UInt128(claims.reduce(0, +) * factor)
    #expect(claims.map { process.takeMeasured(of: ByteCount($0 * factor)).value } == shares)
  }

  @Test("shows a liar: claimed and measured are two numbers")
  func liar() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    _ = stage.ask(100)
    _ = stage.answer(1)
    _ = stage.answer(2, real: 10)
    _ = stage.pass(milliseconds: 200)
    let round = stage.round(1)
    #expect(round.claimed == .mebibytes(100))
    #expect(round.measured == .mebibytes(55))
    #expect(round.unmet == .mebibytes(45))
    #expect(round.clients.map(\.measured) == [.mebibytes(50), .mebibytes(5)])
    #expect(stage.broker.totals.measured == .mebibytes(55))
  }

  @Test("absurd claims stand as claimed and do not spare the others")
  func absurd() {
    var stage = Stage()
    stage.join(1, [50])
    stage.join(2, [200])
    _ = stage.ask(200)
    let report = FreedReport(
      cache: CacheID(1),
      freed: ByteCount(.max),
      bytes: .zero,
      reclaimable: .zero,
      more: false
    )
    _ = stage.send(.freed(ClientID(1), RoundID(1), attempt: 1, report))
    _ = stage.send(.freed(ClientID(1), RoundID(1), attempt: 1, report))
    _ = stage.send(.answered(ClientID(1), RoundID(1), attempt: 1))
    let lines = stage.answer(2, part: 10)
    // 17.5 MiB really came, and at most 50 are believed of client 1.
    #expect(lines.last?.hasPrefix("ask c2 r1.2") == true)
    _ = stage.answer(2)
    _ = stage.pass(milliseconds: 200)
    #expect(stage.round(1).claimed == ByteCount(.max))
    #expect(stage.round(1).clients[0].outcome == .done)
  }

  @Test("of sessions of one process is one reading, split by what they claim")
  func sessions() {
    var stage = Stage()
    for client in [1, 2] as [UInt64] {
      _ = stage.send(.joined(ClientID(client), .plain(client, process: 50)))
      let declaration = CacheDeclaration(name: "cache", usage: .mebibytes(100))
      _ = stage.send(.registered(ClientID(client), CacheID(1), declaration))
    }
    stage.resident[50] = 250 << 20
    #expect(
      stage.ask(100).filter { $0.hasPrefix("measure") } == ["measure 50"]
    )
    _ = stage.answer(1)
    _ = stage.answer(2)
    stage.resident[50] = 160 << 20
    _ = stage.pass(milliseconds: 200)
    let round = stage.round(1)
    #expect(round.clients.map(\.measured) == [.mebibytes(45), .mebibytes(45)])
    #expect(
      round.clients.map(\.caches[0].inputs.measured) == [.mebibytes(125), .mebibytes(125)]
    )
  }

  @Test("of three sessions of one process loses no byte in the split")
  func thirds() {
    var stage = Stage()
    for client in 1...3 as ClosedRange<UInt64> {
      _ = stage.send(.joined(ClientID(client), .plain(client, process: 50)))
      let declaration = CacheDeclaration(name: "cache", usage: .mebibytes(100))
      _ = stage.send(.registered(ClientID(client), CacheID(1), declaration))
    }
    stage.resident[50] = 400 << 20
    _ = stage.ask(99)
    for client in 1...3 as ClosedRange<UInt64> { _ = stage.answer(client, real: 0) }
    stage.resident[50] = (400 << 20) - 10_000_000
    _ = stage.pass(milliseconds: 200)
    #expect(stage.round(1).claimed == .mebibytes(99))
    #expect(stage.round(1).measured == ByteCount(10_000_000))
    #expect(
      stage.round(1).clients.map(\.measured.value) == [3_333_333, 3_333_333, 3_333_334]
    )
  }

  @Test("of a session that is gone belongs to nobody; its process's others keep their own")
  func goneSession() {
    var stage = Stage()
    for client in 1...3 as ClosedRange<UInt64> {
      _ = stage.send(.joined(ClientID(client), .plain(client, process: 50)))
      let declaration = CacheDeclaration(name: "cache", usage: .mebibytes(100))
      _ = stage.send(.registered(ClientID(client), CacheID(1), declaration))
    }
    stage.resident[50] = 400 << 20
    _ = stage.ask(90)
    for client in 1...3 as ClosedRange<UInt64> { _ = stage.answer(client) }
    _ = stage.send(.left(ClientID(2)))
    _ = stage.pass(milliseconds: 200)
    let round = stage.round(1)
    #expect(round.clients.map(\.measured) == [.mebibytes(30), .zero, .mebibytes(30)])
    #expect(round.clients.map(\.outcome) == [.done, .gone, .done])
    #expect(round.measured == .mebibytes(60))
  }

  @Test("is waited for no longer than to the next tick")
  func lostReading() {
    var stage = Stage()
    stage.join(1, [100])
    stage.measuresAtOnce = false
    _ = stage.ask(50)
    _ = stage.answer(1)
    #expect(stage.pass(milliseconds: 200) == ["measure 11"])
    #expect(stage.wakesIn == 100)
    #expect(stage.pass(milliseconds: 100) == ["close r1"])
    #expect(stage.round(1).measured == .zero)
    #expect(stage.send(.measured(ProcessID(11), nil)) == [])
  }

  @Test("of a process that is gone is nothing")
  func gone() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(50)
    _ = stage.answer(1)
    stage.resident[11] = nil
    #expect(stage.pass(milliseconds: 200) == ["measure 11", "close r1"])
    #expect(stage.round(1).measured == .zero)
  }
}

@Suite("Sets of attempts")
struct AttemptSetTests {
  @Test("hold 1 to 8 and know nothing else")
  func members() {
    var set = AttemptSet()
    #expect(set.isEmpty)
    set.insert(1)
    set.insert(8)
    #expect(
      (0...9).map { set.contains(UInt8($0)) } == [
        false, true, false, false, false, false, false, false, true, false,
      ]
    )
    set.remove(1)
    set.remove(200)
    #expect(!set.contains(1) && set.contains(8) && !set.contains(255))
    set.removeAll()
    #expect(set.isEmpty)
  }
}

@Suite("The archive")
struct ArchiveTests {
  @Test("a ring keeps the last elements under their numbers")
  func ring() {
    var ring = Ring<Int>(capacity: 3)
    #expect(ring.start == 0 && ring.end == 0)
    for value in 10..<15 { ring.append(value) }
    #expect(ring.start == 2 && ring.end == 5)
    #expect((2..<5).map { ring[$0] } == [12, 13, 14])
  }

  @Test("remembers the last 256 rounds, newest first")
  func rounds() {
    var stage = Stage()
    for _ in 0..<260 { _ = stage.ask(1) }
    #expect(stage.broker.totals.rounds == 260)
    #expect(stage.broker.lastRound == RoundID(260))
    let all = stage.broker.rounds(count: 1_000)
    #expect(all.count == 256)
    #expect(all.first?.round == RoundID(260))
    #expect(all.last?.round == RoundID(5))
    #expect(stage.broker.rounds(count: 2).map(\.round.number) == [260, 259])
    #expect(stage.broker.rounds(count: 0).isEmpty)
    #expect(stage.broker.round(RoundID(4)) == nil)
    #expect(stage.broker.round(RoundID(5)) != nil)
  }

  @Test("forgets rows oldest first and keeps the sums")
  func rows() {
    var stage = Stage()
    for client in 1...90 as ClosedRange<UInt64> { stage.join(client, [100]) }
    for _ in 0..<100 {
      _ = stage.ask(90, level: .critical, dryRun: true)
      stage.clock += 500
      _ = stage.send(.ticked)
    }
    let old = stage.round(1)
    #expect(!old.remembersClients && old.clients.isEmpty)
    #expect(old.asked == .mebibytes(90))
    let young = stage.round(100)
    #expect(young.remembersClients && young.clients.count == 90)
    #expect(stage.broker.rounds(count: 100).filter(\.remembersClients).count == 91)
    #expect(stage.broker.history(of: ClientID(7)).count == 32)
  }

  @Test("holds a client's history, oldest first")
  func history() {
    var stage = Stage()
    stage.join(1, [100])
    _ = stage.ask(20)
    stage.clock += 15
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    _ = stage.ask(10)
    _ = stage.pass(milliseconds: 2_000)
    #expect(
      stage.broker.history(of: ClientID(1)) == [
        HistoryEntry(
          round: RoundID(1),
          asked: .mebibytes(20),
          claimed: .mebibytes(20),
          measured: .mebibytes(20),
          took: .milliseconds(15),
          outcome: .done
        ),
        HistoryEntry(
          round: RoundID(2),
          asked: .mebibytes(10),
          claimed: .zero,
          measured: .zero,
          took: .zero,
          outcome: .silent
        ),
      ]
    )
    #expect(stage.broker.history(of: ClientID(2)).isEmpty)
  }
}
