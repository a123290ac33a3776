// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

/// Whatever one connection sends, it gets what the protocol says, and the others are served.
@Suite("bad input", .enabled(if: DaemonRun.executable != nil, noDaemon))
struct BadInputTests {
  @Test("every malformed line, wrong type and value out of range has its answer")
  func lines() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let bad = try run.connect()
    bad.hello("bad")
    bad.register("c", bytes: 1)
    for (line, code) in BadLines.all {
      bad.send(line)
      let answer = try #require(bad.receive(), "\(line)")
      #expect(answer.code == code, "\(line)")
      #expect(bad.call("ping")["result"] != .absent, "\(line)")
    }
    _ = bad.call("cache.unregister", #"{"ids":[1]}"#)
    crew.expectService("after every bad line")
    #expect(run.stop() == 0)
  }

  @Test("what is never answered is never answered: notifications of every kind, odd answers")
  func silence() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let bad = try run.connect()
    bad.hello("bad")
    for line in BadLines.unanswered { bad.send(line) }
    #expect(bad.call("ping")["id"] == 2, "the first answer is that of the ping")
    crew.expectService("after what is not answered")
  }

  @Test("a batch is refused whole")
  func batch() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let bad = try run.connect()
    bad.hello("bad")
    let one = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
    bad.send("[\(one),\(one)]")
    let answer = try #require(bad.receive())
    #expect(answer.code == -32_600)
    #expect(answer["id"] == .null)
    #expect(bad.call("ping")["id"] == 2, "one answer and no more")
    crew.expectService("after a batch")
  }

  @Test("65,536 bytes are a line, 65,537 are the end")
  func oversized() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let bad = try run.connect()
    bad.hello("bad")
    bad.send(BadLines.ping(length: 65_536))
    #expect(try #require(bad.receive())["result"] != .absent)
    bad.send(BadLines.ping(length: 65_537))
    let answer = try #require(bad.receive())
    #expect(answer.code == -32_005)
    #expect(answer["id"] == .null)
    #expect(answer["error"]["data"] == ["limit": "line_in", "max": 65_536])
    #expect(bad.waitForClose())
    let endless = try run.connect()
    endless.send(bytes: [UInt8](repeating: UInt8(ascii: "{"), count: 200_000))
    #expect(try #require(endless.receive()).code == -32_005)
    #expect(endless.waitForClose())
    crew.expectService("after lines that are too long")
  }

  @Test("eight malformed lines in a row end a connection")
  func eight() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let bad = try run.connect()
    bad.hello("bad")
    for _ in 0..<7 { bad.send("nonsense") }
    #expect(bad.call("ping")["result"] != .absent)
    for _ in 0..<8 { bad.send("[]") }
    #expect(bad.waitForClose())
    #expect(bad.drain().count == 15)
    crew.expectService("after nonsense")
  }

  @Test("sixteen levels deep is read, seventeen is not")
  func nesting() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let bad = try run.connect()
    bad.hello("bad")
    bad.send(BadLines.nested(16))
    #expect(try #require(bad.receive())["result"] != .absent)
    bad.send(BadLines.nested(17))
    #expect(try #require(bad.receive()).code == -32_700)
    bad.send(String(repeating: "[", count: 60_000))
    #expect(try #require(bad.receive()).code == -32_700)
    crew.expectService("after deep nesting")
  }

  @Test("a message is the same message, split at whatever byte")
  func split() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let (slow, other) = (try run.connect(), crew.root)
    slow.hello("slow")
    let id = slow.register("c", bytes: 9)
    for line in [
      #"{"jsonrpc":"2.0","id":"ü","method":"ping","params":{"x":"é"}}"#,
      #"{"jsonrpc":"2.0","id":9,"method":"cache.update","params":{"id":\#(id),"share":7}}"#,
    ] {
      let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
      for cut in 1..<bytes.count {
        slow.send(bytes: Array(bytes[..<cut]))
        // The daemon has had a turn in which it could read the first part.
        #expect(other.call("ping")["result"] != .absent)
        slow.send(bytes: Array(bytes[cut...]))
        #expect(try #require(slow.receive())["result"] != .absent, "cut at \(cut)")
      }
    }
    _ = slow.call("cache.unregister", #"{"ids":[\#(id)]}"#)
    crew.expectService("after split lines")
  }

  @Test("one that connects and says nothing is closed after 5 s; a silent member is not")
  func halfOpen() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let half = try (0..<20).map { _ in try run.connect() }
    let begin = MonotonicClock.now()
    let partial = try run.connect()
    partial.send(bytes: Array(#"{"jsonrpc":"2.0","id":1,"#.utf8))
    let silent = try run.connect()
    silent.hello("silent")
    crew.expectService("beside half-open connections")
    for client in half + [partial] { #expect(client.waitForClose()) }
    let took = MonotonicClock.now().since(begin)
    #expect(took >= .milliseconds(4_800) && took < .seconds(15), "\(took.milliseconds) ms")
    #expect(silent.call("ping")["result"] != .absent)
    crew.expectService("after half-open connections")
  }

  @Test("unknown methods, ids, sessions and caches are told; hello comes first and once")
  func unknown() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let early = try run.connect()
    #expect(early.call("daemon.status").code == -32_000)
    #expect(early.call("no.such").code == -32_000)
    early.hello("early")
    #expect(early.call("hello").code == -32_012)
    #expect(early.call("no.such").code == -32_601)
    #expect(early.call("cache.update", #"{"id":5}"#).code == -32_004)
    #expect(early.call("client.get", #"{"session":"c999"}"#).code == -32_004)
    #expect(early.call("round.get", #"{"round":999}"#).code == -32_004)
    #expect(early.call("purgeable.set", #"{"seq":1}"#).code == -32_011)
    crew.expectService("after questions for what is not there")
  }
}

/// Lines that are wrong, each in one way.
enum BadLines {
  /// Each with the code of its answer.
  static let all: [(line: String, code: Int)] =
    [
      ("x", -32_700), ("{", -32_700), ("{\"a\"}", -32_700), ("\u{FEFF}{}", -32_700),
      (#"{"jsonrpc":"2.0","id":1,"method":"ping"}}"#, -32_700), ("[]", -32_600), ("1", -32_600),
      ("{}", -32_600), (#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#, -32_600),
      (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#, -32_600),
      (#"{"jsonrpc":"1.1","id":1,"method":"ping"}"#, -32_600),
    ]
    + [
      ("no.such", "{}", -32_601), ("event", "{}", -32_601), ("cache.register", "{}", -32_602),
      ("cache.register", #"{"caches":[{"name":"A"}]}"#, -32_602),
      ("cache.register", #"{"caches":[{"name":"a","share":101}]}"#, -32_602),
      ("cache.register", #"{"caches":[{"name":"a","floor":-1}]}"#, -32_602),
      ("cache.register", #"{"caches":[{"name":"a","floor":9007199254740992}]}"#, -32_602),
      ("cache.register", #"{"caches":[{"name":"a","cost_us_per_mib":1e3}]}"#, -32_602),
      ("cache.register", #"{"caches":[{"name":"a","release":null}]}"#, -32_602),
      ("cache.register", #"{"caches":[{"name":"c"}]}"#, -32_003),
      ("cache.update", #"{"id":99,"share":1}"#, -32_004),
      ("cache.update", #"{"id":1,"share":"1"}"#, -32_602),
      ("cache.update", #"{"id":2147483648}"#, -32_602),
      ("cache.unregister", #"{"ids":{}}"#, -32_602), ("trigger", #"{"bytes":-1}"#, -32_602),
      ("trigger", #"{"level":"none"}"#, -32_602), ("plan", #"{"bytes":"1"}"#, -32_602),
      ("subscribe", #"{"topics":["x"]}"#, -32_602), ("round.get", #"{"round":7}"#, -32_004),
      ("unsubscribe", #"{"subscription":7}"#, -32_004),
      ("client.get", #"{"session":"c0"}"#, -32_004),
      ("purgeable.set", #"{"seq":1}"#, -32_011),
    ].map { method, params, code in
      (#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#, code)
    }

  /// Lines to which nothing is said.
  static let unanswered = [
    "", "\r", #"{"jsonrpc":"2.0","method":"no.such","params":{}}"#,
    #"{"jsonrpc":"2.0","method":"cache.report","params":{"caches":[{"id":99}]}}"#,
    #"{"jsonrpc":"2.0","method":"cache.report","params":[]}"#,
    #"{"jsonrpc":"2.0","method":"trigger","params":{"bytes":1}}"#,
    #"{"jsonrpc":"2.0","method":"$/cancel","params":{"id":1}}"#,
    #"{"jsonrpc":"2.0","id":55,"result":{}}"#,
    #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}"#,
  ]

  static func ping(length: Int) -> String {
    let start = #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":""#
    let end = #""}}"#
    return start + String(repeating: "a", count: length - start.count - end.count) + end
  }

  /// Nested as deep as `levels`, the message being the first of them.
  static func nested(_ levels: Int) -> String {
    let open = String(repeating: "[", count: levels - 2)
    let close = String(repeating: "]", count: levels - 2)
    return #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":\#(open)\#(close)}}"#
  }
}

extension WireValue {
  /// The code of an error answer.
  var code: Int? { self["error"]["code"].int }
}
