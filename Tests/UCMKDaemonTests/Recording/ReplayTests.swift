// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKProtocol
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("replay")
struct ReplayTests {
  private func effects(of recording: [UInt8]) throws -> [UInt8] {
    var replay = Replay()
    var output: [UInt8] = []
    try replay.run(recording) { output.append(contentsOf: $0) }
    return output
  }

  /// A run with everything in it: members, a round by hand, one by a watermark, a pause, an
  /// override, a reload, a departure.
  private func wholeRun() throws -> DaemonStage {
    let stage = try DaemonStage()
    let root = try stage.control()
    let first = try stage.member("first", mebibytes: 200, pid: 7)
    do {
      let second = try stage.member("second", mebibytes: 100, pid: 8)
      _ = root.call("trigger", #"{"bytes":41943040,"wait":false}"#)
      for client in [first, second] {
        if let shrink = client.next("shrink") { client.comply(with: shrink, size: 200 << 20) }
      }
      stage.advance(.seconds(1))
    }
    stage.serve()
    stage.host(available: 20)
    stage.advance(.seconds(6))
    if let shrink = first.next("shrink") { first.comply(with: shrink, size: 160 << 20) }
    stage.advance(.seconds(1))
    stage.host(available: 600)
    stage.advance(.seconds(12))
    _ = root.call("cache.override", #"{"session":"c2","id":1,"share":5}"#)
    _ = root.call("daemon.pause", #"{"for_ms":500}"#)
    _ = root.call("daemon.reload")
    stage.advance(.seconds(3))
    return stage
  }

  @Test("the same bytes twice, and every request that the clients got")
  func identical() throws {
    let stage = try wholeRun()
    let once = try effects(of: stage.recorded)
    #expect(try effects(of: stage.recorded) == once)
    let lines = once.split(separator: UInt8(ascii: "\n")).map { WireValue(line: $0) }
    let asks = lines.filter { $0["effect"] == "ask" }
    #expect(asks.count >= 3)
    #expect(asks[0]["round"] == 1)
    #expect(asks[0]["scope"] == ["kind": "manual"])
    #expect(asks[0]["targets"][0].elements.count == 3)
    for effect in ["sample", "measure", "roundOpened", "roundClosed", "accepted", "pauseChanged"] {
      #expect(lines.contains { $0["effect"].string == effect }, "\(effect)")
    }
    #expect(lines.contains { $0["effect"] == "relax" })
    #expect(lines.contains { $0["effect"] == "levelChanged" && $0["to"] == "none" })
    #expect(lines.allSatisfy { $0["at"].int != nil })
  }

  @Test("the flight recorder holds the same run")
  func flight() throws {
    let stage = try wholeRun()
    let dump = stage.daemon.recorder.flightDump
    #expect(dump.forgotten == 0)
    #expect(dump.lines == stage.recorded)
  }

  @Test("a recording that was cut gives all before the cut, and its offset")
  func cut() throws {
    let recording = try wholeRun().recorded
    let whole = try effects(of: recording)
    for length in stride(from: 1, to: recording.count, by: 977) {
      var replay = Replay()
      var output: [UInt8] = []
      let piece = Array(recording[..<length])
      do throws(Replay.Fault) {
        try replay.run(piece) { output.append(contentsOf: $0) }
        #expect(piece.last == UInt8(ascii: "\n"))
      } catch {
        #expect(error == Replay.Fault(offset: length, wanted: "the end of the line"))
      }
      #expect(whole.starts(with: output))
    }
  }

  @Test("a byte that is changed anywhere is told by offset, or decides otherwise, and never traps")
  func changed() throws {
    let recording = try wholeRun().recorded
    var random = SplitMix64(seed: 7)
    for _ in 0..<300 {
      var broken = recording
      let at = Int(random.next() % UInt64(broken.count))
      broken[at] =
        [UInt8(ascii: "x"), UInt8(ascii: "\n"), UInt8(ascii: "\""), 0][
          Int(random.next() % 4)
        ]
      var replay = Replay()
      do throws(Replay.Fault) {
        try replay.run(broken) { _ in }
      } catch {
        #expect(error.offset <= broken.count, "seed 7, byte \(at)")
      }
    }
  }
}

@Suite("effect writer")
struct EffectWriterTests {
  private func line(_ effect: Effect) -> String {
    var writer = JSONWriter()
    let now = MonotonicInstant(nanoseconds: 9)
    EffectWriter.write(effect, of: Broker(), at: now, to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test(
    "each effect is one line",
    arguments: [
      (Effect.watch(.host), #"{"at":9,"effect":"watch","domain":"host"}"#),
      (.unwatch(.cgroup("/a")), #"{"at":9,"effect":"unwatch","domain":"/a"}"#),
      (.sample(.host), #"{"at":9,"effect":"sample","domain":"host"}"#),
      (.measure(ProcessID(7)), #"{"at":9,"effect":"measure","pid":7}"#),
      (
        .cancel(ClientID(1), RoundID(2), attempt: 3),
        #"{"at":9,"effect":"cancel","client":1,"round":2,"attempt":3}"#
      ),
      (.limit(ClientID(1), 0..<0), #"{"at":9,"effect":"limit","client":1,"limits":[]}"#),
      (
        .relax(ClientID(1), RoundID(2), .low, 0..<0),
        #"{"at":9,"effect":"relax","client":1,"round":2,"level":"low","limits":[]}"#
      ),
      (
        .levelChanged(.host, from: .none, to: .critical),
        #"{"at":9,"effect":"levelChanged","domain":"host","from":"none","to":"critical"}"#
      ),
      (.exhausted(.host), #"{"at":9,"effect":"exhausted","domain":"host"}"#),
      (.relieved(.host), #"{"at":9,"effect":"relieved","domain":"host"}"#),
      (
        .stateChanged(.host, from: .idle, to: .round),
        #"{"at":9,"effect":"stateChanged","domain":"host","from":"idle","to":"round"}"#
      ),
      (.roundOpened(RoundID(4)), #"{"at":9,"effect":"roundOpened","round":4}"#),
      (.roundClosed(RoundID(4)), #"{"at":9,"effect":"roundClosed","round":4}"#),
      (
        .accepted(RequestToken(5), RoundID(4)),
        #"{"at":9,"effect":"accepted","round":4,"token":5}"#
      ),
      (
        .declined(RequestToken(5), .busy(retryAfter: .milliseconds(1))),
        #"{"at":9,"effect":"declined","token":5,"retry_ns":1000000}"#
      ),
      (.pauseChanged(true), #"{"at":9,"effect":"pauseChanged","paused":true}"#),
    ]
  )
  func lines(effect: Effect, text: String) {
    #expect(line(effect) == text + "\n")
  }
}
