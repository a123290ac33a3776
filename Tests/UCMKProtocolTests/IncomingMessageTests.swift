// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKProtocol

@Suite("Incoming messages")
struct IncomingMessageTests {
  /// What a line comes to, in short.
  private func reading(_ line: String) throws -> String {
    switch try message(line) {
    case .request(let id, let method, let params):
      "request \(text(id)) \(method.string ?? "?") \(params?.rawText ?? "-")"
    case .notification(let method, let params):
      "notification \(method.string ?? "?") \(params?.rawText ?? "-")"
    case .response(let id, .result(let result)):
      "result \(id.map(text) ?? "null") \(result.rawText)"
    case .response(let id, .error(let error)):
      "error \(id.map(text) ?? "null") \(error.code) \(error.message) \(error.data?.rawText ?? "-")"
    case .ignored: "ignored"
    }
  }

  private func text(_ id: RequestID) -> String { written { id.write(to: &$0) } }

  @Test(
    "requests, notifications and answers are told apart",
    arguments: [
      (#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, "request 1 ping -"),
      (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#, "request 1 ping -"),
      (#"{"jsonrpc":"2.0","id":"a","method":"ping","params":{}}"#, #"request "a" ping {}"#),
      (
        #" { "params" : {"a":[1]} , "method":"x","id":2,"jsonrpc":"2.0" } "#,
        #"request 2 x {"a":[1]}"#
      ),
      (#"{"jsonrpc":"2.0","id":9007199254740991,"method":""}"#, "request 9007199254740991  -"),
      (#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a","method":"b"}"#, "request 2 b -"),
      (#"{"jsonrpc":"2.0","id":1,"method":"a","result":{},"error":{}}"#, "request 1 a -"),
      (#"{"jsonrpc":"2.0","id":1,"method":"a","more":[]}"#, "request 1 a -"),
      (#"{"json\u0072pc":"2\u002e0","\u0069d":1,"method":"a"}"#, "request 1 a -"),
      (#"{"jsonrpc":"2.0","method":"bye"}"#, "notification bye -"),
      (
        #"{"jsonrpc":"2.0","method":"bye","params":{"reason":"x"}}"#,
        #"notification bye {"reason":"x"}"#
      ),
      (#"{"jsonrpc":"2.0","id":3,"result":{"a":1}}"#, #"result 3 {"a":1}"#),
      (#"{"jsonrpc":"2.0","id":3,"result":null}"#, "result 3 null"),
      (#"{"jsonrpc":"2.0","id":3,"result":1,"error":null}"#, "result 3 1"),
      (
        #"{"jsonrpc":"2.0","id":3,"error":{"code":-32009,"message":"no","data":{"a":1}}}"#,
        #"error 3 -32009 no {"a":1}"#
      ),
      (
        #"{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"limit"}}"#,
        "error null -32005 limit -"
      ),
      (#"{"jsonrpc":"2.0","id":3,"error":7}"#, "error 3 -32603  -"),
      (#"{"jsonrpc":"2.0","id":3,"error":{"code":1.5,"data":[1]}}"#, "error 3 -32603  -"),
    ]
  )
  func kinds(line: String, expected: String) throws {
    #expect(try reading(line) == expected)
  }

  @Test(
    "a notification is never answered, whatever is wrong with it",
    arguments: [
      #"{"method":"bye"}"#, #"{"jsonrpc":"1.0","method":"bye"}"#,
      #"{"jsonrpc":2.0,"method":"bye"}"#, #"{"jsonrpc":"2.0","method":"bye","params":[]}"#,
      #"{"jsonrpc":"2.0","method":"bye","params":1}"#,
      #"{"jsonrpc":"2.0","method":"bye","params":"x"}"#, #"{"method":"bye","result":1}"#,
    ]
  )
  func ignored(line: String) throws {
    #expect(try reading(line) == "ignored")
  }

  @Test(
    "what is no message is answered with the id null and counts as malformed",
    arguments: [
      "[]", #"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "1", "\"a\"", "null", "true", "{}",
      #"{"jsonrpc":"2.0"}"#, #"{"jsonrpc":"2.0","method":1}"#, #"{"method":null}"#,
      #"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, #"{"jsonrpc":"2.0","id":0,"method":"ping"}"#,
      #"{"jsonrpc":"2.0","id":-1,"method":"ping"}"#, #"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#,
      #"{"jsonrpc":"2.0","id":1e2,"method":"ping"}"#,
      #"{"jsonrpc":"2.0","id":9007199254740992,"method":"ping"}"#,
      #"{"jsonrpc":"2.0","id":"","method":"ping"}"#, #"{"jsonrpc":"2.0","id":[],"method":"ping"}"#,
      #"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, #"{"jsonrpc":"2.0","id":true}"#,
      #"{"id":0,"method":"ping"}"#, #"{"jsonrpc":"2.0","id":0,"result":1}"#,
      #"{"jsonrpc":"2.0","id":null,"result":1}"#, #"{"jsonrpc":"2.0","id":0,"error":{}}"#,
      #"{"id":3,"result":1}"#, #"{"jsonrpc":"2.0","result":1}"#, #"{"jsonrpc":"2.0","error":{}}"#,
    ]
  )
  func malformed(line: String) {
    let fault = RPCFault(.invalidRequest, id: nil)
    #expect(throws: fault) { try message(line) }
    #expect(fault.countsAsMalformed)
  }

  @Test(
    "a request that is wrong in its form is answered with its id and does not count",
    arguments: [
      #"{"id":5,"method":"ping"}"#, #"{"jsonrpc":"1.0","id":5,"method":"ping"}"#,
      #"{"jsonrpc":2,"id":5,"method":"ping"}"#, #"{"jsonrpc":null,"id":5,"method":"ping"}"#,
      #"{"jsonrpc":"2.0","id":5,"method":"ping","params":[]}"#,
      #"{"jsonrpc":"2.0","id":5,"method":"ping","params":[{}]}"#,
      #"{"jsonrpc":"2.0","id":5,"method":"ping","params":"a"}"#,
      #"{"jsonrpc":"2.0","id":5,"method":"ping","params":0}"#,
      #"{"jsonrpc":"2.0","id":5,"method":"ping","params":true}"#,
      #"{"jsonrpc":"2.0","id":5,"method":7}"#, #"{"jsonrpc":"2.0","id":5,"method":null}"#,
      #"{"jsonrpc":"2.0","id":5}"#, #"{"id":5}"#, #"{"jsonrpc":"2.0","id":5,"error":null}"#,
    ]
  )
  func invalidRequest(line: String) {
    let fault = RPCFault(.invalidRequest, id: .integer(5))
    #expect(throws: fault) { try message(line) }
    #expect(!fault.countsAsMalformed)
  }

  @Test(
    "a line that is no JSON says where",
    arguments: [
      ("{", 1), (#"{"jsonrpc":"2.0","id":1,}"#, 24), ("hello", 0), ("{\"a\":\"\u{1}\"}", 6),
      (String(repeating: "[", count: 17), 16),
    ]
  )
  func syntax(line: String, offset: Int) {
    let fault = RPCFault(.parseError(offset: offset), id: nil)
    #expect(throws: fault) { try message(line) }
    #expect(fault.countsAsMalformed)
    #expect(
      written { fault.write(to: &$0) } == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"#
        + #""message":"parse error","data":{"offset":\#(offset)}}}"# + "\n"
    )
  }

  @Test("sixteen levels with the message as the first pass and seventeen do not")
  func depth() throws {
    func line(_ levels: Int) -> String {
      let deep = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
      return #"{"jsonrpc":"2.0","id":1,"method":"a","params":{"a":"# + deep + "}}"
    }
    #expect(try reading(line(14)).hasPrefix("request 1 a"))
    #expect(throws: RPCFault(.parseError(offset: 65), id: nil)) { try message(line(15)) }
  }
}

@Suite("Request ids")
struct RequestIDTests {
  @Test("a text of 64 bytes is the longest, counted without its escapes")
  func lengths() throws {
    let longest = String(repeating: "ä", count: 32)
    #expect(try RequestID(json("\"\(longest)\"")) == .string(longest))
    #expect(try RequestID(json("\"\(longest)a\"")) == nil)
    let escaped = String(repeating: #"\u00e4"#, count: 32)
    #expect(try RequestID(json("\"\(escaped)\"")) == .string(longest))
  }

  @Test("texts are the same when their bytes are")
  func equality() {
    #expect(RequestID.string("é") != .string("e\u{301}"))
    #expect(RequestID.string("1") != .integer(1))
    #expect(RequestID.integer(1) == .integer(1))
    #expect(Set([RequestID.string("é"), .string("e\u{301}"), .string("é")]).count == 2)
    #expect(Set([RequestID.integer(1), .integer(2), .integer(1)]).count == 2)
  }

  @Test("an id is written as it was read")
  func writing() {
    #expect(
      written { RequestID.integer(9_007_199_254_740_991).write(to: &$0) } == "9007199254740991"
    )
    #expect(written { RequestID.string("a\"b").write(to: &$0) } == #""a\"b""#)
  }
}
