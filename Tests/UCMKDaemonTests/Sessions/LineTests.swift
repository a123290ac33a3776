// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("lines")
struct LineTests {
  private func open() throws -> (DaemonStage, WireClient) {
    let stage = try DaemonStage()
    let client = try stage.connect()
    client.hello()
    return (stage, client)
  }

  /// Nested as deep as `levels`, the message being the first of them.
  private func nested(_ levels: Int) -> String {
    let open = String(repeating: "[", count: levels - 2)
    let close = String(repeating: "]", count: levels - 2)
    return #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":\#(open)\#(close)}}"#
  }

  @Test(
    "what is no message gets its error, and the next line is served",
    arguments: [
      ("nonsense", -32_700, .null as WireValue), ("{", -32_700, .null), ("[1,2", -32_700, .null),
      (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}x"#, -32_700, .null),
      (#"{"a":1,}"#, -32_700, .null), (#"{"a":01}"#, -32_700, .null),
      ("{\"a\":\"\u{1}\"}", -32_700, .null), (#"{"a":"\ud800"}"#, -32_700, .null),
      ("[]", -32_600, .null), (#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32_600, .null),
      ("7", -32_600, .null), (#""ping""#, -32_600, .null), ("null", -32_600, .null),
      ("{}", -32_600, .null), (#"{"jsonrpc":"2.0","id":1}"#, -32_600, 1),
      (#"{"id":1,"method":"ping"}"#, -32_600, 1),
      (#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32_600, 1),
      (#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, -32_600, 1),
      (#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32_600, 1),
      (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, -32_600, 1),
      (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":7}"#, -32_600, 1),
      (#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#, -32_600, .null),
      (#"{"jsonrpc":"2.0","id":-1,"method":"ping"}"#, -32_600, .null),
      (#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32_600, .null),
      (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32_600, .null),
      (#"{"jsonrpc":"2.0","id":"","method":"ping"}"#, -32_600, .null),
      (#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32_600, .null),
      (#"{"jsonrpc":"2.0","id":9007199254740992,"method":"ping"}"#, -32_600, .null),
      (#"{"jsonrpc":"2.0","id":1,"method":"no.such"}"#, -32_601, 1),
      (#"{"jsonrpc":"2.0","id":1,"method":"shrink","params":{}}"#, -32_601, 1),
      (#"{"jsonrpc":"2.0","id":1,"method":"cache.report","params":{}}"#, -32_601, 1),
    ]
  )
  func malformed(line: String, code: Int, id: WireValue) throws {
    let (stage, client) = try open()
    client.send(line)
    let answer = try #require(client.receive())
    #expect(answer["jsonrpc"] == "2.0")
    #expect(answer.code == code)
    #expect(answer["id"] == id)
    #expect(client.call("ping")["result"] != .absent)
    withExtendedLifetime(stage) {}
  }

  @Test("a parse error says at which byte")
  func offset() throws {
    let (stage, client) = try open()
    client.send(#"{"jsonrpc":"2.0",nonsense}"#)
    #expect(try #require(client.receive()).data == ["offset": 17])
    withExtendedLifetime(stage) {}
  }

  @Test("an unknown method is told by its name")
  func unknownMethod() throws {
    let (stage, client) = try open()
    #expect(client.call("no.such").data == ["method": "no.such"])
    let long = client.call(String(repeating: "m", count: 60_000))
    #expect(long.data["method"].string?.count == 64)
    withExtendedLifetime(stage) {}
  }

  @Test("sixteen levels are read, seventeen are not")
  func depth() throws {
    let (stage, client) = try open()
    client.send(nested(16))
    #expect(try #require(client.receive())["result"] != .absent)
    client.send(nested(17))
    let answer = try #require(client.receive())
    #expect(answer.code == -32_700)
    #expect(answer["id"] == .null)
    withExtendedLifetime(stage) {}
  }

  @Test(
    "notifications are never answered, whatever is in them",
    arguments: [
      #"{"jsonrpc":"2.0","method":"no.such"}"#, #"{"jsonrpc":"2.0","method":"ping"}"#,
      #"{"jsonrpc":"2.0","method":"cache.register","params":{"caches":7}}"#,
      #"{"jsonrpc":"2.0","method":"ping","params":[]}"#, #"{"jsonrpc":"9","method":"ping"}"#,
      #"{"jsonrpc":"2.0","method":"$/cancel","params":{"id":7}}"#,
      #"{"jsonrpc":"2.0","method":"hello","params":{}}"#,
    ]
  )
  func notifications(line: String) throws {
    let (stage, client) = try open()
    client.send(line)
    #expect(client.drain().isEmpty)
    #expect(client.call("ping")["result"] != .absent)
    withExtendedLifetime(stage) {}
  }

  @Test(
    "answers to nothing are taken without a word",
    arguments: [
      #"{"jsonrpc":"2.0","id":77,"result":{}}"#, #"{"jsonrpc":"2.0","id":"x","result":{}}"#,
      #"{"jsonrpc":"2.0","id":77,"error":{"code":-1,"message":"x"}}"#,
      #"{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"x"}}"#,
    ]
  )
  func answersToNothing(line: String) throws {
    let (stage, client) = try open()
    client.send(line)
    #expect(client.drain().isEmpty)
    withExtendedLifetime(stage) {}
  }

  @Test("empty lines, CR LF, white space, null params and text ids are all right")
  func tolerated() throws {
    let (stage, client) = try open()
    client.send(bytes: Array("\n\r\n\n".utf8))
    client.send(bytes: Array(" {\"jsonrpc\":\"2.0\",\"id\":\"é\",\"method\":\"ping\"} \r\n".utf8))
    #expect(try #require(client.receive())["id"] == "é")
    client.send(#"{"jsonrpc":"2.0","id":"x","method":"ping","params":null,"extra":[1]}"#)
    #expect(try #require(client.receive())["id"] == "x")
    client.send(#"{"method":"p\u0069ng","id":9007199254740991,"jsonrpc":"2.0"}"#)
    #expect(try #require(client.receive())["id"] == 9_007_199_254_740_991)
    withExtendedLifetime(stage) {}
  }

  @Test("eight malformed lines in a row close the connection; seven and a good one do not")
  func eight() throws {
    let (stage, client) = try open()
    for _ in 0..<3 {
      for index in 0..<7 { client.send(index.isMultiple(of: 2) ? "x" : "[]") }
      #expect(client.call("ping")["result"] != .absent)
    }
    #expect(client.drain().count == 21)
    for _ in 0..<7 { client.send("x") }
    client.send(#"{"jsonrpc":"2.0","id":1,"method":7}"#)
    client.send("x")
    #expect(client.drain().count == 9, "one whose id could be told is none of them")
    for _ in 0..<8 { client.send("[]") }
    #expect(client.waitForClose())
    #expect(client.drain().count == 7)
    withExtendedLifetime(stage) {}
  }

  @Test("a line of 65,536 bytes is read, one more closes")
  func length() throws {
    func ping(_ length: Int) -> String {
      let start = #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":""#
      let end = #""}}"#
      return start + String(repeating: "a", count: length - start.count - end.count) + end
    }
    let (stage, client) = try open()
    client.send(ping(65_536))
    #expect(try #require(client.receive())["result"] != .absent)
    client.send(ping(65_536) + "\r")
    #expect(try #require(client.receive())["result"] != .absent)
    client.send(ping(65_537))
    let answer = try #require(client.receive())
    #expect(answer.code == -32_005)
    #expect(answer["id"] == .null)
    #expect(answer.data == ["limit": "line_in", "max": 65_536])
    #expect(client.waitForClose())
    let endless = try stage.connect()
    endless.send(bytes: [UInt8](repeating: UInt8(ascii: "a"), count: 70_000))
    #expect(try #require(endless.receive()).code == -32_005)
    #expect(endless.waitForClose())
  }

  @Test("every message is the same message, split at whatever byte")
  func split() throws {
    let (stage, client) = try open()
    let line = Array(
      #"{"jsonrpc":"2.0","id":5,"method":"cache.register","params":{"caches":[{"name":"x"}]}}"#
        .utf8
    )
    for cut in 0...line.count {
      client.send(bytes: Array(line[..<cut]))
      stage.serve()
      #expect(client.drain().isEmpty)
      client.send(bytes: Array(line[cut...]) + [UInt8(ascii: "\n")])
      let answer = try #require(client.receive())
      #expect(answer["id"] == 5)
      let id = answer["result"]["caches"][0]["id"].int ?? 0
      #expect(id == cut + 1, "cut at \(cut)")
      _ = client.call("cache.unregister", #"{"ids":[\#(id)]}"#)
    }
    for byte in line + [UInt8(ascii: "\n")] {
      client.send(bytes: [byte])
      stage.serve()
    }
    #expect(try #require(client.receive())["result"]["caches"][0]["name"] == "x")
  }

  @Test("many lines in one piece are answered in order")
  func pipelined() throws {
    let (stage, client) = try open()
    var text = ""
    for id in 1...500 { text += #"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"# + "\n" }
    client.send(bytes: Array(text.utf8))
    #expect(client.drain().map { $0["id"].int } == (1...500).map { $0 })
    withExtendedLifetime(stage) {}
  }
}
