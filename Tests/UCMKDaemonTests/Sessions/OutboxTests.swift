// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("outbox")
struct OutboxTests {
  private func line(_ letter: Character, _ count: Int) -> ArraySlice<UInt8> {
    Array(String(repeating: letter, count: count - 1).utf8)[...] + [UInt8(ascii: "\n")]
  }

  /// What is sent when the socket takes `room` bytes in pieces of at most `piece`.
  private func drain(_ outbox: inout Outbox, room: Int = .max, piece: Int = .max) -> String {
    var sent: [UInt8] = []
    let isAlive = outbox.drain { bytes, start in
      let count = min(bytes.count - start, piece, room - sent.count)
      sent.append(contentsOf: bytes[start..<start + count])
      return count
    }
    #expect(isAlive)
    return String(decoding: sent, as: UTF8.self)
  }

  @Test("keeps the order of lines, whatever pieces the socket takes")
  func order() {
    for piece in 1...7 {
      var outbox = Outbox(limit: 100)
      #expect(outbox.append(line("a", 3), kind: .notification, sent: 0) == true)
      #expect(outbox.append(line("b", 3), kind: .request, sent: 0) == true)
      #expect(outbox.append(line("c", 3), kind: .response, sent: 0) == true)
      #expect(outbox.count == 9)
      #expect(drain(&outbox, piece: piece) == "aa\nbb\ncc\n")
      #expect(outbox.isEmpty)
      #expect(outbox.count == 0)
      #expect(outbox.responseCount == 0)
    }
  }

  @Test("the rest of a line of which a part was sent comes first and is never dropped")
  func partial() {
    var outbox = Outbox(limit: 10)
    #expect(outbox.append(line("a", 6), kind: .notification, sent: 2) == true)
    #expect(outbox.count == 4)
    for _ in 0..<5 { _ = outbox.append(line("b", 6), kind: .notification, sent: 0) }
    #expect(drain(&outbox) == "aaa\nbbbbb\n")
    #expect(outbox.dropped == 4)
  }

  @Test("a full queue drops its oldest notifications and counts them")
  func oldest() {
    var outbox = Outbox(limit: 12)
    for letter: Character in ["a", "b", "c", "d", "e"] {
      #expect(outbox.append(line(letter, 4), kind: .notification, sent: 0) == true)
    }
    #expect(outbox.count == 12)
    #expect(outbox.dropped == 2)
    #expect(drain(&outbox) == "ccc\nddd\neee\n")
  }

  @Test("exactly the limit fits")
  func exact() {
    var outbox = Outbox(limit: 8)
    #expect(outbox.append(line("a", 4), kind: .request, sent: 0) == true)
    #expect(outbox.append(line("b", 4), kind: .request, sent: 0) == true)
    #expect(outbox.append(line("c", 1), kind: .request, sent: 0) == false)
    #expect(outbox.dropped == 0)
  }

  @Test("a request makes room among notifications, and is refused where there is none")
  func request() {
    var outbox = Outbox(limit: 8)
    #expect(outbox.append(line("a", 4), kind: .notification, sent: 0) == true)
    #expect(outbox.append(line("b", 4), kind: .notification, sent: 0) == true)
    #expect(outbox.append(line("r", 6), kind: .request, sent: 0) == true)
    #expect(outbox.dropped == 2)
    #expect(outbox.append(line("s", 6), kind: .request, sent: 0) == false)
    #expect(drain(&outbox) == "rrrrr\n")
  }

  @Test("a notification larger than all that can be dropped is dropped itself")
  func tooLarge() {
    var outbox = Outbox(limit: 8)
    #expect(outbox.append(line("r", 6), kind: .request, sent: 0) == true)
    #expect(outbox.append(line("n", 4), kind: .notification, sent: 0) == false)
    #expect(outbox.dropped == 1)
    #expect(drain(&outbox) == "rrrrr\n")
  }

  @Test("answers are never dropped, and push notifications out")
  func answers() {
    var outbox = Outbox(limit: 8)
    #expect(outbox.append(line("n", 4), kind: .notification, sent: 0) == true)
    #expect(outbox.append(line("a", 6), kind: .response, sent: 0) == true)
    #expect(outbox.dropped == 1)
    #expect(!outbox.isFullOfResponses)
    #expect(outbox.append(line("b", 6), kind: .response, sent: 0) == true)
    #expect(outbox.isFullOfResponses)
    #expect(outbox.responseCount == 12)
    #expect(drain(&outbox, room: 5) == "aaaaa")
    #expect(!outbox.isFullOfResponses)
    #expect(drain(&outbox) == "\nbbbbb\n")
  }

  @Test("a connection that breaks is told")
  func broken() {
    var outbox = Outbox(limit: 8)
    #expect(outbox.append(line("a", 4), kind: .response, sent: 0) == true)
    #expect(outbox.drain { _, _ in nil } == false)
  }

  @Test("whatever comes, the limit and the counts hold", arguments: [1, 7, 4_711] as [UInt64])
  func random(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var outbox = Outbox(limit: 1_000)
    var queued: [LineKind: Int] = [:]
    for step in 0..<2_000 {
      let size = 1 + Int(random.next() % 300)
      let kind = [LineKind.response, .notification, .request][Int(random.next() % 3)]
      if kind != .response || !outbox.isFullOfResponses {
        let before = outbox.count
        let isQueued = outbox.append(line("x", size), kind: kind, sent: 0)
        queued[kind, default: 0] += isQueued ? 1 : 0
        if kind != .response {
          #expect(outbox.count <= max(1_000, before), "seed \(seed), step \(step)")
        }
      }
      #expect(outbox.count <= 1_000 + 1_000 + 300, "seed \(seed), step \(step)")
      #expect(outbox.responseCount <= outbox.count, "seed \(seed), step \(step)")
      if random.next() % 8 == 0 { _ = drain(&outbox, room: Int(random.next() % 2_000)) }
    }
    _ = drain(&outbox)
    #expect(outbox.count == 0 && outbox.responseCount == 0, "seed \(seed)")
  }
}

@Suite("request table")
struct RequestTableTests {
  @Test("ids rise and are never used again; 32 places")
  func places() {
    var table = RequestTable()
    for number in 1...32 as ClosedRange<UInt64> {
      #expect(table.open(.shrink(RoundID(number), attempt: 1)) == number)
    }
    #expect(table.open(.ping) == nil)
    #expect(table.close(7) == .shrink(RoundID(7), attempt: 1))
    #expect(table.close(7) == nil)
    #expect(table.open(.ping) == 33)
    #expect(table.count == 32)
  }

  @Test("finds what is open by what it is")
  func find() {
    var table = RequestTable()
    let first = table.open(.shrink(RoundID(1), attempt: 1))
    let second = table.open(.shrink(RoundID(1), attempt: 2))
    #expect(table.id(of: .shrink(RoundID(1), attempt: 2)) == second)
    #expect(table.id(of: .ping) == nil)
    #expect(first != second)
  }
}

@Suite("report budget")
struct ReportBudgetTests {
  private func at(_ milliseconds: UInt64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: 0) + .milliseconds(milliseconds)
  }

  @Test("a burst of 20, then one each 100 ms")
  func burst() {
    var budget = ReportBudget(at: at(0))
    var taken = 0
    for _ in 0..<30 where budget.take(at: at(0)) { taken += 1 }
    #expect(taken == 20)
    #expect(budget.take(at: at(99)) == false)
    #expect(budget.take(at: at(100)) == true)
    #expect(budget.take(at: at(199)) == false)
    #expect(budget.take(at: at(200)) == true)
  }

  @Test("never more than 20 are saved up, and no part of a step is lost")
  func saved() {
    var budget = ReportBudget(at: at(0))
    var taken = 0
    for _ in 0..<40 where budget.take(at: at(60_000)) { taken += 1 }
    #expect(taken == 20)
    for time in stride(from: 60_050, through: 70_000, by: 50) as StrideThrough<UInt64>
    where budget.take(at: at(time)) { taken += 1 }
    #expect(taken == 120)
  }
}

@Suite("resume table")
struct ResumeTableTests {
  private func entry(_ token: String, _ client: UInt64, expires: UInt64) -> ResumeTable.Entry {
    ResumeTable.Entry(
      token: token,
      user: 1_000,
      client: ClientID(client),
      expires: MonotonicInstant(nanoseconds: expires),
      caches: [SessionCache(id: CacheID(3), name: "x")],
      nextCache: 4
    )
  }
  private let start = MonotonicInstant(nanoseconds: 0)

  @Test("gives a session back once, to its user, in time")
  func take() {
    var table = ResumeTable(limit: 4)
    #expect(table.keep(entry("a", 1, expires: 10)) == nil)
    #expect(table.take("b", user: 1_000, at: start) == nil)
    #expect(table.take("a", user: 1_001, at: start) == nil)
    #expect(table.take("a", user: 1_000, at: MonotonicInstant(nanoseconds: 10)) == nil)
    #expect(
      table.take("a", user: 1_000, at: MonotonicInstant(nanoseconds: 9))
        == entry("a", 1, expires: 10)
    )
    #expect(table.take("a", user: 1_000, at: start) == nil)
    #expect(table.isEmpty)
  }

  @Test("lets go of what is over, oldest first")
  func expire() {
    var table = ResumeTable(limit: 4)
    _ = table.keep(entry("a", 1, expires: 10))
    _ = table.keep(entry("b", 2, expires: 20))
    #expect(table.nextExpiry == MonotonicInstant(nanoseconds: 10))
    let later = MonotonicInstant(nanoseconds: 15)
    #expect(table.expire(at: later) == ClientID(1))
    #expect(table.expire(at: later) == nil)
    #expect(table.nextExpiry == MonotonicInstant(nanoseconds: 20))
  }

  @Test("a full one gives up the session that would be over first")
  func full() {
    var table = ResumeTable(limit: 2)
    #expect(table.keep(entry("a", 1, expires: 10)) == nil)
    #expect(table.keep(entry("b", 2, expires: 20)) == nil)
    #expect(table.keep(entry("c", 3, expires: 30)) == ClientID(1))
    #expect(table.take("a", user: 1_000, at: start) == nil)
    #expect(table.take("c", user: 1_000, at: start)?.client == ClientID(3))
  }
}
