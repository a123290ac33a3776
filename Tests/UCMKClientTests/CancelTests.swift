// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKModel

@Suite("requests that are taken back, on a clock of the test's own")
struct CancelTests {
  private func cancel(_ id: Int, in harness: EngineHarness) {
    harness.send(#"{"jsonrpc":"2.0","method":"$/cancel","params":{"id":\#(id)}}"#)
  }

  private func answers(_ harness: EngineHarness) -> [String] {
    harness.sent().filter { $0.contains("result") || $0.contains("error") }
      .map { line in
        let kind = line.contains("-32010") ? "cancelled" : line.contains("error") ? "error" : "done"
        return "\(harness.id(of: line)) \(kind)"
      }
  }

  @Test("one that waits for its turn is answered at once and never starts")
  func queued() {
    let harness = EngineHarness()
    let cell = harness.add("a", .mebibytes(10))
    harness.start()
    harness.shrink(id: 1, [(1, 1 << 20)])
    harness.shrink(id: 2, [(1, 2 << 20)])
    cancel(2, in: harness)
    #expect(answers(harness) == ["2 cancelled"])
    cell.complete(1, .done(freed: .mebibytes(1), more: true))
    harness.engine.collect(at: harness.now)
    #expect(answers(harness) == ["1 done"])
    harness.shrink(id: 3, [(1, 1 << 20)])
    cell.complete(2, .done(freed: .mebibytes(1), more: true))
    harness.engine.collect(at: harness.now)
    #expect(answers(harness) == ["3 done"])
  }

  @Test("one that runs is answered once; what its shrinker says later answers nothing")
  func running() {
    let harness = EngineHarness()
    let cell = harness.add("a", .mebibytes(10))
    harness.start()
    harness.shrink(id: 1, [(1, 1 << 20)])
    cancel(1, in: harness)
    #expect(answers(harness) == ["1 cancelled"])
    cancel(1, in: harness)
    #expect(answers(harness) == [])
    // The cache is still at work: the next request waits for it.
    harness.shrink(id: 2, [(1, 1 << 20)])
    cell.complete(1, .done(freed: .mebibytes(1), more: true))
    harness.engine.collect(at: harness.now)
    #expect(answers(harness) == [])
    cell.complete(2, .done(freed: .mebibytes(1), more: true))
    harness.engine.collect(at: harness.now)
    #expect(answers(harness) == ["2 done"])
    harness.wait(.seconds(2))
    #expect(answers(harness) == [])
  }

  @Test("one that is answered already, or was never sent, is nothing to take back")
  func over() {
    let harness = EngineHarness()
    let cell = harness.add("a", .mebibytes(10))
    harness.start()
    harness.shrink(id: 1, [(1, 1 << 20)])
    cell.complete(1, .done(freed: .mebibytes(1), more: true))
    harness.engine.collect(at: harness.now)
    #expect(answers(harness) == ["1 done"])
    for id in [0, 1, 2, 4_711] { cancel(id, in: harness) }
    #expect(answers(harness) == [])
  }

  @Test("one that is taken back when its time is almost over is not answered by the clock again")
  func nearDeadline() {
    let harness = EngineHarness()
    harness.add("a", .mebibytes(10))
    harness.start()
    harness.shrink(id: 1, [(1, 1 << 20)], deadline: 1_000)
    harness.wait(.milliseconds(799))
    _ = harness.sent()
    cancel(1, in: harness)
    #expect(answers(harness) == ["1 cancelled"])
    harness.wait(.milliseconds(1))
    harness.wait(.seconds(1))
    #expect(answers(harness) == [])
  }
}
