// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UCMKSim

@Suite("Traces")
struct TraceTests {
  private func read(_ text: String) throws(TraceError) -> [TraceRequest] {
    try TraceReader.read(Array(text.utf8))
  }

  @Test("are read line by line, with spaces, comments and columns that nobody needs")
  func reading() throws {
    let text = "# time, object, size\n0, 7,100,5\r\n\n  1,8 , 20\n2,18446744073709551615,0"
    #expect(
      try read(text) == [
        TraceRequest(object: 7, size: 100), TraceRequest(object: 8, size: 20),
        TraceRequest(object: .max, size: 1),
      ]
    )
    #expect(try TraceReader.read(Array(text.utf8), limit: 2).count == 2)
    #expect(try read("") == [])
  }

  @Test(
    "what is wrong is told with line and column",
    arguments: [
      ("0,1,2\nx,1,2", 2, 1, "the time, a whole number"),
      ("0;1;2", 1, 2, "a comma before the object"), ("0,1", 1, 4, "a comma before the size"),
      ("0,,2", 1, 3, "the object, a whole number"),
      ("0,1,2 3", 1, 7, "a comma or the end of the line"),
      ("\n\n0,1,-2", 3, 5, "the size, a whole number"),
      ("0,18446744073709551616,2", 1, 3, "the object below 2^64"),
    ] as [(String, Int, Int, String)]
  )
  func errors(text: String, line: Int, column: Int, wanted: String) {
    #expect(throws: TraceError(line: line, column: column, wanted: wanted)) { try read(text) }
  }

  @Test("a cache lets go what was not used for longest")
  func recency() {
    var cache = RecencyCache(capacity: 30)
    func use(_ object: UInt64, _ size: UInt64 = 10, at moment: Int) -> Bool {
      cache.use(TraceRequest(object: object, size: size), at: moment)
    }
    for object in 1...3 as ClosedRange<UInt64> {
      let isHit = use(object, at: Int(object))
      #expect(!isHit)
    }
    let again = use(1, at: 4)
    #expect(again && cache.oldestUse == 2)
    let fourth = use(4, at: 5)
    let second = use(2, at: 6)
    #expect(!fourth && !second, "the second went for the fourth")
    let first = use(1, at: 7)
    #expect(first && cache.bytes == 30)
    let large = use(9, 31, at: 8)
    #expect(!large && cache.bytes == 30, "too large to be kept")
    cache.capacity = 15
    cache.trim()
    #expect(cache.bytes == 10 && cache.oldestUse == 7)
    let dropped = [cache.dropOldest(), cache.dropOldest()]
    #expect(dropped == [10, 0] && cache.oldestUse == nil)
  }

  @Test("every policy takes what was asked for, within an object for each cache")
  func study() {
    // 400 objects of 100 bytes in turn, every second request to one of 40.
    let requests = (0..<8_000).map { (index: Int) -> TraceRequest in
      let count = index % 2 == 0 ? 400 : 40
      return TraceRequest(object: UInt64(index / 2 % count), size: 100)
    }
    let study = TraceStudy(caches: 4, bytes: 20_000, percent: 30)
    let outcomes = study.run(requests)
    #expect(outcomes.map(\.policy) == [.levelDown, .proportional, .recency])
    for outcome in outcomes {
      #expect(outcome.held == 40_000)
      #expect((12_000...12_400).contains(outcome.given), "\(outcome)")
      #expect(outcome.before == 10_000, "everything fits at first")
      #expect(outcome.after < 10_000 && outcome.after >= 5_000, "\(outcome)")
    }
    #expect(outcomes == study.run(requests))
    let lines = TraceStudy.lines(outcomes)
    #expect(lines.count == 4)
    #expect(lines[1].hasPrefix("level-down       100.00 %"))
  }

  @Test("nothing of nothing")
  func empty() {
    let outcomes = TraceStudy(caches: 2, bytes: 1, percent: 50).run([])
    #expect(outcomes.allSatisfy { $0.before == 0 && $0.after == 0 && $0.given == 0 })
  }
}
