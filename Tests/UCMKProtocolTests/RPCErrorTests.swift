// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKProtocol

@Suite("Errors")
struct RPCErrorTests {
  /// Every kind, with its code, its words and its data as they stand on the wire.
  static let all: [(RPCError, Int, String, String?)] = [
    (.parseError(offset: 12), -32_700, "parse error", #"{"offset":12}"#),
    (.invalidRequest, -32_600, "invalid request", nil),
    (.methodNotFound(method: "a.b"), -32_601, "method not found", #"{"method":"a.b"}"#),
    (
      .invalidParams(path: "caches[0].share", want: "1...100"), -32_602, "invalid params",
      #"{"path":"caches[0].share","want":"1...100"}"#
    ),
    (.internalError(reference: "r1"), -32_603, "internal error", #"{"ref":"r1"}"#),
    (.helloRequired, -32_000, "hello required", nil),
    (
      .versionNotSupported(minimum: 1, maximum: 1), -32_001, "version not supported",
      #"{"min":1,"max":1}"#
    ),
    (.permissionDenied(need: .admin), -32_002, "permission denied", #"{"need":"admin"}"#),
    (.alreadyRegistered(name: "thumbs"), -32_003, "already registered", #"{"name":"thumbs"}"#),
    (.unknownID(.integer(9)), -32_004, "unknown id", #"{"id":9}"#),
    (.unknownID(.string("c17")), -32_004, "unknown id", #"{"id":"c17"}"#),
    (
      .limitExceeded(limit: "caches", maximum: 62, retryAfter: nil), -32_005, "limit exceeded",
      #"{"limit":"caches","max":62}"#
    ),
    (
      .limitExceeded(limit: "connections", maximum: 4_096, retryAfter: .seconds(1)), -32_005,
      "limit exceeded", #"{"limit":"connections","max":4096,"retry_after_ms":1000}"#
    ),
    (.busy(retryAfter: .milliseconds(20)), -32_006, "busy", #"{"retry_after_ms":20}"#),
    (
      .shuttingDown(reconnectAfter: .milliseconds(250)), -32_007, "shutting down",
      #"{"reconnect_after_ms":250}"#
    ),
    (.roundExpired(RoundID(412)), -32_008, "round expired", #"{"round":412}"#),
    (
      .refused(retryAfter: .seconds(2), reason: nil), -32_009, "refused",
      #"{"retry_after_ms":2000}"#
    ),
    (
      .refused(retryAfter: .zero, reason: "in a transaction"), -32_009, "refused",
      #"{"retry_after_ms":0,"reason":"in a transaction"}"#
    ),
    (.cancelled, -32_010, "cancelled", nil),
    (
      .notSupported(feature: "purgeable.set"), -32_011, "not supported here",
      #"{"feature":"purgeable.set"}"#
    ),
    (.wrongState(state: "ready"), -32_012, "wrong state", #"{"state":"ready"}"#),
  ]

  @Test("each kind is written with its code, words and data, and read again", arguments: all)
  func roundTrip(error: RPCError, code: Int, words: String, data: String?) throws {
    let dataMember = data.map { #","data":\#($0)"# } ?? ""
    let expected =
      #"{"jsonrpc":"2.0","id":5,"error":{"code":\#(code),"message":"\#(words)"\#(dataMember)}}"#
    let line = written { error.write(to: &$0, id: .integer(5)) }
    #expect(line == expected + "\n")
    guard case .response(.integer(5), .error(let object)) = try message(expected) else {
      Issue.record("no error: \(expected)")
      return
    }
    #expect(object.known == error)
    #expect(object.code == code)
    #expect(object.message == words)
  }

  @Test("every code of the protocol has a kind")
  func complete() {
    let covered = RPCErrorTests.all.map(\.0.code)
    for code in ErrorCode.allCases { #expect(covered.contains(code), "\(code) has no kind") }
    #expect(ErrorCode.allCases.count == 18)
  }

  @Test("an error that answers no request has the id null")
  func withoutID() {
    let line = written { RPCError.helloRequired.write(to: &$0, id: nil) }
    #expect(
      line == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"hello required"}}"#
        + "\n"
    )
  }

  @Test(
    "an error of which too little is known stays a number and its words",
    arguments: [
      #"{"code":-31999,"message":"later"}"#, #"{"code":-32003,"message":"later"}"#,
      #"{"code":-32602,"message":"later","data":{"path":"a"}}"#,
      #"{"code":-32001,"message":"later","data":{"min":1}}"#,
      #"{"code":-32001,"message":"later","data":{"min":1,"max":4294967296}}"#,
      #"{"code":-32002,"message":"later","data":{"need":"emperor"}}"#,
      #"{"code":99999999999,"message":"later"}"#, #"{"code":-32005,"message":"later","data":7}"#,
    ]
  )
  func unknown(error: String) throws {
    let line = #"{"jsonrpc":"2.0","id":1,"error":\#(error)}"#
    guard case .response(_, .error(let object)) = try message(line) else {
      Issue.record("no error: \(line)")
      return
    }
    #expect(object.known == nil)
    #expect(object.message == "later")
  }

  @Test("a refusal without a time means at once")
  func lenient() throws {
    let line = #"{"jsonrpc":"2.0","id":1,"error":{"code":-32009,"message":""}}"#
    guard case .response(_, .error(let object)) = try message(line) else {
      Issue.record("no error: \(line)")
      return
    }
    #expect(object.known == .refused(retryAfter: .zero, reason: nil))
  }
}

@Suite("Roles, versions and limits")
struct NegotiationTests {
  @Test("each role may what the one before may")
  func roles() {
    #expect(Role.member < .observer)
    #expect(Role.observer < .admin)
    #expect(Role(name: "observer") == .observer)
    #expect(Role(name: "root") == nil)
  }

  @Test("the highest common version is taken")
  func versions() throws {
    #expect(try ProtocolVersion.negotiate(1...1) == 1)
    #expect(try ProtocolVersion.negotiate(1...9) == 1)
    #expect(throws: RPCError.versionNotSupported(minimum: 1, maximum: 1)) {
      try ProtocolVersion.negotiate(2...9)
    }
    #expect(throws: RPCError.versionNotSupported(minimum: 1, maximum: 1)) {
      try ProtocolVersion.negotiate(0...0)
    }
  }

  @Test("the limits are those of the protocol")
  func limits() {
    #expect(
      written { ProtocolLimits().write(to: &$0) }
        == #"{"line_in":65536,"line_out":262144,"hello_ms":5000,"connections_uid":256,"#
        + #""connections":4096,"caches":62,"name":64,"labels":8,"reports_per_s":10,"#
        + #""report_burst":20,"in_flight":32,"queue":262144,"malformed":8,"ranges":1024}"#
    )
    #expect(ProtocolLimits.labels == 8)
    #expect(ProtocolLimits.labelKey == 32)
    #expect(ProtocolLimits.labelValue == 64)
    #expect(ProtocolLimits.maximumConnections == 16_384)
  }
}
