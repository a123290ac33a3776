// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKProtocol

@testable import UCMKDaemon

@Suite("flight recorder")
struct FlightRecorderTests {
  private func text(_ recorder: FlightRecorder) -> String {
    String(decoding: recorder.dump(), as: UTF8.self)
  }

  @Test("gives up the older half of the room at once, and counts its lines")
  func halves() {
    var recorder = FlightRecorder(capacity: 14)
    for line in ["aaa\n", "bb\n", "cc\n"] { recorder.append(Array(line.utf8)) }
    #expect(text(recorder) == "aaa\nbb\ncc\n")
    #expect(recorder.forgotten == 0)
    recorder.append(Array("dddd\n".utf8))
    #expect(text(recorder) == "cc\ndddd\n")
    #expect(recorder.forgotten == 2)
    recorder.append(Array("e\n".utf8))
    #expect(text(recorder) == "cc\ndddd\ne\n")
    recorder.append(Array("f\n".utf8))
    #expect(text(recorder) == "dddd\ne\nf\n")
    #expect(recorder.forgotten == 3)
  }

  @Test("a line as large as half of the room fits, a larger one does not")
  func large() {
    var recorder = FlightRecorder(capacity: 8)
    recorder.append(Array("abc\n".utf8))
    #expect(text(recorder) == "abc\n")
    recorder.append(Array("abcd\n".utf8))
    #expect(text(recorder) == "abc\n")
    #expect(recorder.forgotten == 1)
  }

  @Test("the head stays for ever")
  func head() {
    var recorder = FlightRecorder(capacity: 8)
    recorder.keepHead(Array("head\n".utf8))
    for number in 0..<10 { recorder.append(Array("\(number)\n".utf8)) }
    #expect(text(recorder) == "head\n6\n7\n8\n9\n")
  }

  private func answer(_ number: UInt64) -> [UCMKCore.Event] {
    let client = ClientID(number)
    let report = FreedReport(
      cache: CacheID(7),
      freed: ByteCount(number),
      bytes: .mebibytes(3),
      reclaimable: .mebibytes(2),
      more: number % 2 == 1
    )
    return [
      .freed(client, RoundID(9), attempt: 2, report), .answered(client, RoundID(9), attempt: 2),
    ]
  }

  private func lines(_ events: [UCMKCore.Event]) -> String {
    var writer = JSONWriter()
    for event in events {
      EventWriter.write(event, at: MonotonicInstant(nanoseconds: 5), to: &writer)
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test("answers are kept without being written, and become the same lines in their order")
  func rounds() {
    var recorder = Recorder()
    recorder.markHead()
    let now = MonotonicInstant(nanoseconds: 5)
    var events: [UCMKCore.Event] = [.ticked, .resumed]
    for number in 1...3 as ClosedRange<UInt64> { events += answer(number) }
    events += [.ticked] + answer(4) + [.resumed]
    for event in events { recorder.record(event, at: now) }
    #expect(String(decoding: recorder.flightDump.lines, as: UTF8.self) == lines(events))
    #expect(recorder.flightDump.forgotten == 0)
  }

  @Test("answers take their part of the room and are given up like lines")
  func roundsTurn() {
    // Room for two lines of 26 bytes and an answer, twice.
    var recorder = Recorder(capacity: 2 * (2 * 26 + RoundEvent.size))
    recorder.markHead()
    let now = MonotonicInstant(nanoseconds: 5)
    let first: [UCMKCore.Event] = [.ticked, .ticked, answer(1)[1]]
    let second: [UCMKCore.Event] = [.ticked, answer(2)[0], .ticked]
    for event in first + second { recorder.record(event, at: now) }
    #expect(String(decoding: recorder.flightDump.lines, as: UTF8.self) == lines(first + second))
    recorder.record(answer(3)[1], at: now)
    let kept = lines(second + [answer(3)[1]])
    #expect(String(decoding: recorder.flightDump.lines, as: UTF8.self) == kept)
    #expect(recorder.flightDump.forgotten == 3)
  }

  @Test("after any number of turns of the ring the last lines are whole")
  func turns() {
    var recorder = FlightRecorder(capacity: 100)
    for number in 0..<1_000 {
      recorder.append(Array("line \(number) \(String(repeating: "x", count: number % 17))\n".utf8))
      let lines = text(recorder).split(separator: "\n")
      #expect(lines.allSatisfy { $0.hasPrefix("line ") })
      #expect(lines.last?.hasPrefix("line \(number) ") == true)
      #expect(text(recorder).utf8.count <= 100)
    }
  }
}

@Suite("recorder")
struct RecorderTests {
  private final class Sink {
    var text = ""
    var writes = 0
    var isBroken = false
  }

  private func recorder(_ sink: Sink) -> Recorder {
    Recorder(capacity: 1_024) { bytes in
      sink.writes += 1
      sink.text += String(decoding: bytes, as: UTF8.self)
      return !sink.isBroken
    }
  }

  private let start = MonotonicInstant(nanoseconds: 1)

  @Test("writes once a turn, and nothing while nothing happened")
  func turns() {
    let sink = Sink()
    var recorder = recorder(sink)
    recorder.record(.ticked, at: start)
    recorder.record(.resumed, at: start)
    #expect(sink.writes == 0)
    recorder.flush()
    recorder.flush()
    #expect(sink.writes == 1)
    #expect(sink.text == "{\"at\":1,\"event\":\"ticked\"}\n{\"at\":1,\"event\":\"resumed\"}\n")
  }

  @Test("writes within a turn when much waits")
  func much() {
    let sink = Sink()
    var recorder = recorder(sink)
    for _ in 0..<20_000 { recorder.record(.ticked, at: start) }
    #expect(sink.writes > 0)
  }

  @Test("a file that fails is told once, and the flight recorder goes on")
  func failure() {
    let sink = Sink()
    var recorder = recorder(sink)
    recorder.markHead()
    sink.isBroken = true
    recorder.record(.ticked, at: start)
    recorder.flush()
    #expect(recorder.takeFailure() == true)
    #expect(recorder.takeFailure() == false)
    recorder.record(.resumed, at: start)
    recorder.flush()
    #expect(sink.writes == 1)
    #expect(
      String(decoding: recorder.flightDump.lines, as: UTF8.self)
        == "{\"at\":1,\"event\":\"ticked\"}\n{\"at\":1,\"event\":\"resumed\"}\n"
    )
  }

  @Test("the first lines of the run are the head of the dump")
  func head() {
    var recorder = Recorder(capacity: 64)
    recorder.record(.domainLost(.host), at: start)
    recorder.markHead()
    for _ in 0..<10 { recorder.record(.ticked, at: start) }
    let dump = recorder.flightDump
    let lines = String(decoding: dump.lines, as: UTF8.self).split(separator: "\n")
    #expect(lines.first == "{\"at\":1,\"event\":\"domainLost\",\"domain\":\"host\"}")
    #expect(lines.count == 3)
    #expect(dump.forgotten == 8)
  }
}
