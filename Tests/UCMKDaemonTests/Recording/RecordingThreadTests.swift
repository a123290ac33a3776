// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import Testing
import UCMKCore
import UCMKModel
import UCMKProtocol

@testable import UCMKDaemon

@Suite("recording beside the loop")
struct RecordingThreadTests {
  /// A file that can be made to wait and to fail.
  private final class File: Sendable {
    struct State: Sendable {
      var text: [UInt8] = []
      var writes = 0
      var isStuck = false, isBroken = false
    }

    let state = Mutex(State())

    func write(_ lines: [UInt8]) -> Bool {
      let isBroken = state.withLock { state in
        state.writes += 1
        if !state.isBroken { state.text += lines }
        return state.isBroken
      }
      // The disk takes its time until somebody lets it go on.
      while state.withLock({ $0.isStuck }) { usleep(1_000) }
      return !isBroken
    }

    var text: [UInt8] { state.withLock { $0.text } }
    func set(_ change: @Sendable (inout State) -> Void) { state.withLock { change(&$0) } }
  }

  private func recorder(_ file: File) throws -> Recorder {
    Recorder(thread: try RecordingThread { file.write($0) }, waitingMaximum: 32 << 10)
  }

  private func at(_ number: Int) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: UInt64(number))
  }

  /// Events as a round has them, with others between them.
  private func event(_ number: Int) -> UCMKCore.Event {
    let client = ClientID(UInt64(number))
    switch number % 3 {
    case 0: return .ticked
    case 1: return .answered(client, RoundID(1), attempt: 1)
    default:
      let report = FreedReport(
        cache: CacheID(1),
        freed: ByteCount(UInt64(number)),
        bytes: .zero,
        reclaimable: .zero,
        more: false
      )
      return .freed(client, RoundID(1), attempt: 1, report)
    }
  }

  private func line(_ number: Int) -> [UInt8] {
    var writer = JSONWriter()
    EventWriter.write(event(number), at: at(number), to: &writer)
    return writer.bytes
  }

  @Test("every event comes to the file, in its order, with a turn now and then", arguments: [1, 7])
  func order(turn: Int) throws {
    let file = File()
    var recorder = try recorder(file)
    recorder.markHead()
    for number in 1...300 {
      recorder.record(event(number), at: at(number))
      if number % turn == 0 { recorder.flush() }
    }
    recorder.finish(at: at(301))
    let isSame = file.text == (1...300).flatMap { line($0) }
    #expect(isSame, "\(file.text.count) bytes")
    #expect(recorder.takeFailure() == false)
  }

  @Test("where the disk is too slow the recording says how much is missing, and is refused")
  func gap() throws {
    let file = File()
    file.set { $0.isStuck = true }
    var recorder = try recorder(file)
    recorder.markHead()
    let count = 3_000
    for number in 1...count {
      recorder.record(event(number), at: at(number))
      recorder.flush()
    }
    file.set { $0.isStuck = false }
    recorder.finish(at: at(count + 1))
    let lines = file.text.split(separator: UInt8(ascii: "\n"))
    let last = String(decoding: lines[lines.count - 1], as: UTF8.self)
    let lost = count - (lines.count - 1)
    #expect(lost > 0)
    #expect(last == #"{"at":\#(count + 1),"event":"gap","lost":\#(lost)}"#)
    #expect(lines.count < 2_000, "what waits is bounded")
    let kept = (1..<lines.count).flatMap { line($0) }
    let isSame = file.text.starts(with: kept)
    #expect(isSame, "the first \(lines.count - 1) events are there, in their order")

    var replay = Replay()
    do throws(Replay.Fault) {
      try replay.run(file.text) { _ in }
      Issue.record("a gap is refused")
    } catch {
      #expect(error.wanted == "the \(lost) events for which the disk was too slow")
      #expect(error.offset == file.text.count - lines[lines.count - 1].count - 1)
    }
  }

  @Test("after a gap the recording goes on")
  func afterGap() throws {
    let file = File()
    file.set { $0.isStuck = true }
    var recorder = try recorder(file)
    recorder.markHead()
    var number = 0
    for _ in 0..<3_000 {
      number += 1
      recorder.record(event(number), at: at(number))
      recorder.flush()
    }
    file.set { $0.isStuck = false }
    // The thread gives a buffer back some time later.
    while String(decoding: file.text.suffix(4_000), as: UTF8.self).contains("gap") == false {
      number += 1
      recorder.record(event(number), at: at(number))
      recorder.flush()
      usleep(1_000)
    }
    recorder.finish(at: at(number))
    #expect(String(decoding: file.text.suffix(200), as: UTF8.self).contains("\"at\":\(number),"))
  }

  @Test("a file that fails is told once, and given up")
  func failure() throws {
    let file = File()
    file.set { $0.isBroken = true }
    var recorder = try recorder(file)
    recorder.markHead()
    var number = 0
    var hasFailed = false
    while !hasFailed {
      number += 1
      recorder.record(event(number), at: at(number))
      recorder.flush()
      hasFailed = recorder.takeFailure()
      usleep(1_000)
    }
    let writes = file.state.withLock { $0.writes }
    #expect(writes == 1)
    for _ in 0..<10 {
      recorder.record(.ticked, at: at(number))
      recorder.flush()
    }
    #expect(recorder.takeFailure() == false)
    recorder.finish(at: at(number))
    #expect(file.state.withLock { $0.writes } == 1)
  }
}
