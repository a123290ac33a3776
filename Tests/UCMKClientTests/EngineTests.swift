// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKModel

@Suite("the engine, on a clock of its own")
struct EngineTests {
  /// A change of usage and when it is told; less than zero: never.
  struct Change: Sendable {
    var from: UInt64
    var to: UInt64
    var seconds: Int
  }

  private func usage(_ bytes: ByteCount) -> CacheUsage {
    CacheUsage(bytes: bytes, reclaimable: bytes)
  }

  @Test("hello comes first, registrations after its answer, eight at a time")
  func greeting() {
    let harness = EngineHarness()
    for number in 1...10 { harness.add(CacheName("c\(number)") ?? "c", .mebibytes(1)) }
    #expect(harness.sent().isEmpty)
    harness.goLive()
    let lines = harness.sent()
    #expect(lines.count == 2)
    #expect(lines[0].hasPrefix(#"{"jsonrpc":"2.0","id":2,"method":"cache.register","params":"#))
    #expect(lines[0].split(separator: #"{"name":"#).count - 1 == 8)
    #expect(lines[1].split(separator: #"{"name":"#).count - 1 == 2)
    #expect(harness.engine.phase == .live(session: "c1"))
  }

  @Test("the answer leaves at four fifths of the time, not before, with what is done")
  func overdue() {
    let harness = EngineHarness()
    harness.add("a", .mebibytes(10))
    let other = harness.add("b", .mebibytes(10))
    harness.start()
    harness.shrink([(1, 5 << 20), (2, 5 << 20)], deadline: 1_000)
    #expect(harness.engine.nextDeadline(after: harness.now) == harness.now + .milliseconds(800))
    other.noteUsage(usage(.mebibytes(5)))
    other.complete(2, .done(freed: .mebibytes(5), more: false))
    harness.engine.collect(at: harness.now)
    #expect(harness.sent().isEmpty)
    harness.cells[0].progress.note(freed: .mebibytes(2), generation: 1)
    harness.wait(.milliseconds(799))
    // The smaller cache is reported meanwhile; the answer is not there yet.
    #expect(!harness.sent().contains { $0.contains("result") })
    harness.wait(.milliseconds(1))
    #expect(
      harness.sent().first == #"{"jsonrpc":"2.0","id":1,"result":{"round":7,"targets":["#
        + #"{"id":1,"freed":2097152,"bytes":10485760,"reclaimable":10485760,"more":true},"#
        + #"{"id":2,"freed":5242880,"bytes":5242880,"reclaimable":5242880,"more":false}],"#
        + #""took_ms":800}}"#
    )
  }

  @Test("a result that comes after the answer is told by a report, whatever it changed")
  func lateResult() {
    let harness = EngineHarness()
    let cell = harness.add("a", .mebibytes(10))
    harness.start()
    harness.shrink([(1, 5 << 20)])
    harness.wait(.milliseconds(800))
    #expect(harness.sent().count == 1)
    cell.noteUsage(usage(.mebibytes(10) - ByteCount(1)))
    cell.complete(1, .done(freed: ByteCount(1), more: false))
    harness.engine.collect(at: harness.now)
    harness.wait(.milliseconds(100))
    #expect(
      harness.sent() == [
        #"{"jsonrpc":"2.0","method":"cache.report","params":{"caches":["#
          + #"{"id":1,"bytes":10485759,"reclaimable":10485759}]}}"#
      ]
    )
  }

  @Test("a request for a cache at work waits for it, and starts when it is done")
  func queued() {
    let harness = EngineHarness()
    let cell = harness.add("a", .mebibytes(10))
    harness.start()
    harness.shrink(id: 1, [(1, 1 << 20)])
    harness.shrink(id: 2, [(1, 2 << 20)])
    cell.complete(1, .done(freed: .mebibytes(1), more: true))
    harness.engine.collect(at: harness.now)
    #expect(harness.sent().map(harness.id(of:)) == [1])
    cell.complete(2, .done(freed: .mebibytes(2), more: true))
    harness.engine.collect(at: harness.now)
    #expect(harness.sent().map(harness.id(of:)) == [2])
  }

  @Test("a cache that leaves in the middle of a request holds nobody up")
  func leaves() {
    let harness = EngineHarness()
    let cell = harness.add("a", .mebibytes(10))
    harness.start()
    harness.shrink([(1, 1 << 20)])
    cell.cancel()
    harness.engine.adopt([], at: harness.now)
    let lines = harness.sent()
    #expect(lines.count == 2)
    #expect(lines.contains { $0.contains(#""targets":[{"id":1,"freed":0,"bytes":0"#) })
    #expect(lines.contains { $0.contains(#""method":"cache.unregister","params":{"ids":[1]}"#) })
  }

  @Test(
    "a change is told at once from 1 MiB or 5 % on, any other after 30 s",
    arguments: [
      Change(from: 104_857_600, to: 105_906_176, seconds: 0),
      Change(from: 104_857_600, to: 103_809_024, seconds: 0),
      Change(from: 1_048_576, to: 1_101_006, seconds: 0),
      Change(from: 104_857_600, to: 105_906_175, seconds: 30),
      Change(from: 1_048_576, to: 1_101_000, seconds: 30),
      Change(from: 0, to: 1, seconds: 0),
      Change(from: 5, to: 5, seconds: -1),
    ]
  )
  func significant(change: Change) {
    let seconds = change.seconds
    let harness = EngineHarness(reportInterval: .seconds(3_600))
    let cell = harness.add("a", ByteCount(change.from))
    harness.start()
    cell.noteUsage(usage(ByteCount(change.to)))
    harness.engine.tick(at: harness.now)
    let first = harness.sent().count { $0.contains("cache.report") }
    #expect(first == (seconds == 0 ? 1 : 0))
    // The daemon's pings keep the connection alive in between.
    for _ in 1...29 {
      harness.wait(.seconds(1))
      harness.send(#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#)
    }
    #expect(!harness.sent().contains { $0.contains("cache.report") })
    harness.wait(.seconds(1))
    #expect(harness.sent().count { $0.contains("cache.report") } == (seconds == 30 ? 1 : 0))
  }

  @Test("ten reports a second at most, with everything that changed in one")
  func spacing() {
    let harness = EngineHarness()
    let first = harness.add("a", .zero)
    let second = harness.add("b", .zero)
    harness.start()
    harness.wait(.seconds(1))
    _ = harness.sent()
    var reports = 0
    for step in 1...1_000 {
      first.noteUsage(usage(.mebibytes(UInt64(step))))
      second.noteUsage(usage(.mebibytes(UInt64(step * 2))))
      harness.wait(.milliseconds(1))
      for line in harness.sent() where line.contains("cache.report") {
        reports += 1
        #expect(line.contains(#""id":1"#) && line.contains(#""id":2"#))
      }
    }
    #expect(reports == 10)
  }

  @Test("an overloaded daemon hears from a client once a second")
  func overloaded() {
    let harness = EngineHarness()
    let cell = harness.add("a", .zero)
    harness.start()
    harness.send(#"{"jsonrpc":"2.0","method":"notice","params":{"kind":"overloaded"}}"#)
    var reports = 0
    for step in 1...30 {
      cell.noteUsage(usage(.mebibytes(UInt64(step))))
      harness.wait(.milliseconds(100))
      reports += harness.sent().count { $0.contains("cache.report") }
    }
    #expect(reports == 3)
  }

  @Test("caches that do not change are asked less and less often, down to every 30 s")
  func polling() {
    let harness = EngineHarness()
    harness.add("a", .zero)
    harness.start(extra: #","heartbeat_ms":10000000"#)
    var waits: [UInt64] = []
    for _ in 1...7 {
      guard let next = harness.engine.nextDeadline(after: harness.now) else { break }
      waits.append(next.since(harness.now).milliseconds)
      harness.wait(next.since(harness.now))
    }
    #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  }

  @Test("two heartbeats of silence bring a ping, a third ends the connection")
  func heartbeat() {
    let harness = EngineHarness()
    harness.start(extra: #","heartbeat_ms":1000"#)
    harness.wait(.milliseconds(1_999))
    #expect(harness.sent().isEmpty)
    harness.wait(.milliseconds(1))
    #expect(harness.sent().first?.contains(#""method":"ping""#) == true)
    harness.wait(.milliseconds(999))
    #expect(harness.engine.verdict == .stay)
    harness.wait(.milliseconds(1))
    #expect(harness.engine.verdict == .close)
  }

  @Test("a greeting that is not answered ends the connection")
  func noGreeting() {
    let harness = EngineHarness()
    harness.engine.connected(at: harness.now)
    harness.wait(.milliseconds(14_999))
    #expect(harness.engine.verdict == .stay)
    harness.wait(.milliseconds(1))
    #expect(harness.engine.verdict == .close)
  }

  @Test("the resume token is shown within ten seconds and not later")
  func resumeWindow() {
    for (wait, isShown) in [(TimeSpan.seconds(9), true), (.seconds(10), false)] {
      let harness = EngineHarness()
      harness.start()
      harness.engine.disconnected(at: harness.now)
      harness.now = harness.now + wait
      harness.engine.connected(at: harness.now)
      #expect(harness.sent()[0].contains(#""resume":"t1""#) == isShown)
    }
  }

  @Test("a request that the connection took with it is answered to nobody")
  func lostRequest() {
    let harness = EngineHarness()
    let cell = harness.add("a", .mebibytes(10))
    harness.start()
    harness.shrink([(1, 1 << 20)])
    harness.engine.disconnected(at: harness.now)
    harness.goLive(resumed: true)
    _ = harness.sent()
    cell.noteUsage(usage(.mebibytes(9)))
    cell.complete(1, .done(freed: .mebibytes(1), more: false))
    harness.engine.collect(at: harness.now)
    harness.wait(.milliseconds(100))
    let lines = harness.sent()
    #expect(!lines.contains { $0.contains("result") })
    #expect(lines.contains { $0.contains("cache.report") })
  }

  @Test("a registration that the daemon refuses is not repeated on this session")
  func refusedRegistration() {
    let harness = EngineHarness()
    harness.add("a", .mebibytes(10))
    harness.goLive()
    let line = harness.sent()[0]
    harness.send(
      #"{"jsonrpc":"2.0","id":\#(harness.id(of: line)),"error":{"code":-32005,"message":"m"}}"#
    )
    harness.engine.synchronize()
    #expect(harness.sent().isEmpty)
    #expect(harness.engine.records[0]?.standing == .refused)
  }

  @Test("a request for the own pressure file's sake asks every cache and answers nobody")
  func localPressure() {
    let harness = EngineHarness()
    let cells = [harness.add("a", .mebibytes(10)), harness.add("b", .mebibytes(20))]
    harness.engine.admitLocalPressure(scope: .domain(.cgroup("/x")), at: harness.now)
    #expect(harness.engine.level == .medium)
    for (token, cell) in cells.enumerated() {
      cell.complete(UInt64(token) + 1, .done(freed: .mebibytes(1), more: true))
    }
    // A second event while the first is at work changes nothing.
    harness.engine.admitLocalPressure(scope: .domain(.cgroup("/x")), at: harness.now)
    harness.engine.collect(at: harness.now)
    harness.wait(.seconds(2))
    #expect(harness.engine.answered == 1)
    #expect(harness.engine.freed == .mebibytes(2))
    #expect(harness.sent().isEmpty)
    harness.engine.endLocalPressure()
    #expect(harness.engine.level == .none)
  }

  @Test("an answer is refused where every cache refused: with the longest wait")
  func refusals() {
    let harness = EngineHarness()
    let cells = [harness.add("a", .mebibytes(10)), harness.add("b", .mebibytes(20))]
    harness.start()
    harness.shrink([(1, 1), (2, 1)])
    cells[0].complete(1, .refused(ShrinkRefusal(retryAfter: .seconds(9), reason: "a \"b\"")))
    cells[1].complete(2, .refused(ShrinkRefusal(retryAfter: .seconds(3))))
    harness.engine.collect(at: harness.now)
    let line = harness.sent().first ?? ""
    #expect(line.contains(#""code":-32009"#))
    #expect(line.contains(#""retry_after_ms":9000,"reason":"a \"b\"""#))
  }

  @Test("an engine takes every prefix and every broken byte of a request without harm")
  func broken() {
    let request =
      #"{"jsonrpc":"2.0","id":1,"method":"shrink","params":{"round":7,"attempt":1,"level":"low","#
      + #""scope":{"kind":"cgroup","path":"/a"},"deadline_ms":1000,"#
      + #""targets":[{"id":1,"bytes":9}]}}"#
    let bytes = Array(request.utf8)
    let harness = EngineHarness()
    harness.add("a", .mebibytes(10))
    harness.start()
    for index in bytes.indices {
      for replacement in [UInt8(ascii: "\""), UInt8(ascii: "9"), 0x80, 0] {
        var broken = bytes
        broken[index] = replacement
        harness.engine.receive(broken, in: 0..<broken.count, at: harness.now)
        harness.engine.receive(bytes, in: 0..<index, at: harness.now)
        // A good line in between: it is the eighth bad one in a row that ends a connection.
        harness.send(#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#)
        harness.wait(.seconds(1))
        #expect(harness.engine.verdict == .stay)
        #expect(harness.sent().contains { $0.contains("monotonic_ns") })
      }
    }
  }
}
