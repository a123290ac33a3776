// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKProtocol
import UCMKTestSupport

@Suite("Invalid params of what clients send")
struct InvalidParamsTests {
  /// What is thrown for `params` of `method`.
  private func error(_ method: Method, _ params: String?) throws -> RPCError? {
    let value = try params.map { try json($0) }
    do throws(RPCError) {
      let message = try anyParams(of: method, value)
      Issue.record("passed: \(message)")
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "hello",
    arguments: [
      (nil, "protocol", "object"), ("{}", "protocol", "object"),
      (#"{"protocol":1}"#, "protocol", "object"),
      (#"{"protocol":{},"client":{"name":"a"}}"#, "protocol.min", "1...2147483647"),
      (#"{"protocol":{"min":0,"max":1},"client":{"name":"a"}}"#, "protocol.min", "1...2147483647"),
      (#"{"protocol":{"min":2,"max":1},"client":{"name":"a"}}"#, "protocol.max", "2...2147483647"),
      (#"{"protocol":{"min":1,"max":1}}"#, "client", "object"),
      (#"{"protocol":{"min":1,"max":1},"client":{}}"#, "client.name", "text of 1...64 bytes"),
      (
        #"{"protocol":{"min":1,"max":1},"client":{"name":""}}"#, "client.name",
        "text of 1...64 bytes"
      ),
      (
        #"{"protocol":{"min":1,"max":1},"client":{"name":7}}"#, "client.name",
        "text of 1...64 bytes"
      ),
      (
        #"{"protocol":{"min":1,"max":1},"client":{"name":"a","version":2}}"#, "client.version",
        "text of 0...256 bytes"
      ),
      (
        #"{"protocol":{"min":1,"max":1},"client":{"name":"a"},"capabilities":{"shm":1}}"#,
        "capabilities.shm", "true or false"
      ),
      (
        #"{"protocol":{"min":1,"max":1},"client":{"name":"a"},"capabilities":[]}"#,
        "capabilities", "object"
      ),
      (
        #"{"protocol":{"min":1,"max":1},"client":{"name":"a"},"role":"admin"}"#, "role",
        "member or control"
      ),
      (
        #"{"protocol":{"min":1,"max":1},"client":{"name":"a"},"resume":5}"#, "resume",
        "text of 0...65536 bytes"
      ),
    ] as [(String?, String, String)]
  )
  func hello(params: String?, path: String, want: String) throws {
    #expect(try error(.hello, params) == .invalidParams(path: path, want: want))
  }

  @Test("a client's name has 1 to 64 bytes, not characters")
  func clientName() throws {
    func params(_ name: String) throws -> JSONValue {
      try json(#"{"protocol":{"min":1,"max":1},"client":{"name":"\#(name)"}}"#)
    }
    let longest = String(repeating: "ä", count: 32)
    #expect(try Hello(params: params(longest)).name == longest)
    #expect(throws: RPCError.invalidParams(path: "client.name", want: "text of 1...64 bytes")) {
      try Hello(params: params(longest + "a"))
    }
  }

  @Test(
    "a cache that is declared",
    arguments: [
      (#"{}"#, "name", "1...64 of [a-z0-9][a-z0-9._-]*"),
      (#"{"name":""}"#, "name", "1...64 of [a-z0-9][a-z0-9._-]*"),
      (#"{"name":".a"}"#, "name", "1...64 of [a-z0-9][a-z0-9._-]*"),
      (#"{"name":"A"}"#, "name", "1...64 of [a-z0-9][a-z0-9._-]*"),
      (#"{"name":"a b"}"#, "name", "1...64 of [a-z0-9][a-z0-9._-]*"),
      (#"{"name":"ä"}"#, "name", "1...64 of [a-z0-9][a-z0-9._-]*"),
      (#"{"name":"a\u0000"}"#, "name", "1...64 of [a-z0-9][a-z0-9._-]*"),
      (#"{"name":1}"#, "name", "1...64 of [a-z0-9][a-z0-9._-]*"),
      (#"{"name":"a","share":0}"#, "share", "1...100"),
      (#"{"name":"a","share":101}"#, "share", "1...100"),
      (#"{"name":"a","share":50.0}"#, "share", "1...100"),
      (#"{"name":"a","share":1e1}"#, "share", "1...100"),
      (#"{"name":"a","share":"50"}"#, "share", "1...100"),
      (#"{"name":"a","share":null}"#, "share", "1...100"),
      (#"{"name":"a","floor":-1}"#, "floor", "0...9007199254740991"),
      (#"{"name":"a","floor":9007199254740992}"#, "floor", "0...9007199254740991"),
      (#"{"name":"a","ceiling":true}"#, "ceiling", "0...9007199254740991 or null"),
      (#"{"name":"a","ceiling":9007199254740992}"#, "ceiling", "0...9007199254740991 or null"),
      (#"{"name":"a","cost_us_per_mib":1000000001}"#, "cost_us_per_mib", "0...1000000000"),
      (#"{"name":"a","min_level":"none"}"#, "min_level", "low, medium or critical"),
      (#"{"name":"a","min_level":"high"}"#, "min_level", "low, medium or critical"),
      (#"{"name":"a","min_level":1}"#, "min_level", "low, medium or critical"),
      (#"{"name":"a","release":"later"}"#, "release", "sync, gc or slow"),
      (#"{"name":"a","labels":[]}"#, "labels", "object"),
      (#"{"name":"a","labels":{"k":1}}"#, "labels", "values of text of 0...64 bytes"),
      (#"{"name":"a","usage":7}"#, "usage", "object"),
      (#"{"name":"a","usage":{}}"#, "usage.bytes", "0...9007199254740991"),
      (#"{"name":"a","usage":{"bytes":1}}"#, "usage.reclaimable", "0...1"),
      (#"{"name":"a","usage":{"bytes":1,"reclaimable":2}}"#, "usage.reclaimable", "0...1"),
      (
        #"{"name":"a","usage":{"bytes":1,"reclaimable":1,"hits":-1}}"#, "usage.hits",
        "0...9007199254740991"
      ),
      (
        #"{"name":"a","usage":{"bytes":1,"reclaimable":1,"cold":1.0}}"#, "usage.cold",
        "0...9007199254740991"
      ),
      (
        #"{"name":"a","usage":{"bytes":1,"reclaimable":1,"cold":null}}"#, "usage.cold",
        "0...9007199254740991"
      ),
      (
        #"{"name":"a","usage":{"refill_us_per_mib":1000000001,"bytes":1,"reclaimable":1}}"#,
        "usage.refill_us_per_mib", "0...1000000000"
      ),
      (
        #"{"name":"a","usage":{"refill_us_per_mib":"7","cold":-1,"bytes":1}}"#,
        "usage.refill_us_per_mib", "0...1000000000"
      ),
      (
        #"{"name":"a","usage":{"cold":-1,"refill_us_per_mib":"7","bytes":1}}"#,
        "usage.cold", "0...9007199254740991"
      ),
    ]
  )
  func declaration(cache: String, path: String, want: String) throws {
    let params = #"{"caches":[{"name":"first"},\#(cache)]}"#
    let expected = RPCError.invalidParams(path: "caches[1].\(path)", want: want)
    #expect(try error(.cacheRegister, params) == expected)
    // What can change is checked in the same way when it does; the name cannot.
    guard path != "name" else { return }
    let update = #"{"id":3,"# + cache.dropFirst()
    #expect(try error(.cacheUpdate, update) == .invalidParams(path: path, want: want))
  }

  @Test("labels: 8 pairs, 32 bytes of key, 64 of value")
  func labels() throws {
    func register(_ labels: String) throws -> CacheRegister {
      try CacheRegister(params: json(#"{"caches":[{"name":"a","labels":{\#(labels)}}]}"#))
    }
    let pairs = (0..<9).map { #""k\#($0)":"v""# }
    let (key, value) = (String(repeating: "k", count: 32), String(repeating: "v", count: 64))
    #expect(try register(pairs.prefix(8).joined(separator: ",")).caches[0].labels.count == 8)
    #expect(try register(#""\#(key)":"\#(value)""#).caches[0].labels[0].key == key)
    #expect(throws: RPCError.invalidParams(path: "caches[0].labels", want: "at most 8 pairs")) {
      try register(pairs.joined(separator: ","))
    }
    #expect(
      throws: RPCError.invalidParams(
        path: "caches[0].labels",
        want: "keys of text of 0...32 bytes"
      )
    ) { try register(#""\#(key)k":"""#) }
    #expect(
      throws: RPCError.invalidParams(
        path: "caches[0].labels",
        want: "values of text of 0...64 bytes"
      )
    ) { try register(#""k":"\#(value)v""#) }
  }

  @Test("the same name twice is refused with the name")
  func sameName() throws {
    let params = #"{"caches":[{"name":"a"},{"name":"b"},{"name":"\u0061"}]}"#
    #expect(try error(.cacheRegister, params) == .alreadyRegistered(name: "a"))
  }

  @Test(
    "lists of 62 pass, of 63 do not",
    arguments: [
      (Method.cacheRegister, "caches", #"{"name":"c@"}"#, 1),
      (.cacheReport, "caches", #"{"id":@,"bytes":0,"reclaimable":0}"#, 1),
      (.cacheUnregister, "ids", "@", 0),
      (.limit, "caches", #"{"id":@,"limit":null}"#, 0),
    ]
  )
  func listLengths(method: Method, key: String, item: String, least: Int) throws {
    func params(_ count: Int) -> String {
      let items = (0..<count).map { item.replacing("@", with: "\($0 + 1)") }
      return #"{"\#(key)":[\#(items.joined(separator: ","))]}"#
    }
    let expected = RPCError.invalidParams(path: key, want: "list of \(least)...62")
    #expect(throws: Never.self) { try anyParams(of: method, json(params(62))) }
    #expect(try error(method, params(63)) == expected)
    #expect(try error(method, nil) == expected)
    #expect(try error(method, "{\"\(key)\":{}}") == expected)
    if least == 1 { #expect(try error(method, params(0)) == expected) }
  }

  @Test(
    "elsewhere",
    arguments: [
      (.cacheUpdate, #"{}"#, "id", "1...2147483647"),
      (.cacheUpdate, #"{"id":0}"#, "id", "1...2147483647"),
      (.cacheUpdate, #"{"id":2147483648}"#, "id", "1...2147483647"),
      (.cacheUnregister, #"{"ids":[1,0]}"#, "ids[1]", "1...2147483647"),
      (
        .cacheReport, #"{"caches":[{"bytes":0,"reclaimable":0}]}"#, "caches[0].id",
        "1...2147483647"
      ),
      (
        .cacheReport, #"{"caches":[{"id":1,"bytes":5,"reclaimable":6}]}"#,
        "caches[0].reclaimable", "0...5"
      ),
      (.cacheReport, #"{"caches":[{"id":1,"bytes":0,"reclaimable":0},7]}"#, "caches[1]", "object"),
      (.bye, #"{"reason":1}"#, "reason", "text of 0...256 bytes"),
      (.cancel, #"{}"#, "id", "id of a request"),
      (.cancel, #"{"id":0}"#, "id", "id of a request"),
      (.ping, #"[]"#, "params", "object"),
      (.purgeableSet, #"{}"#, "seq", "0...9007199254740991"),
      (
        .purgeableSet, #"{"seq":1,"add":[["0x1000","0x0"]]}"#, "add[0]",
        #"["0x…","0x…"]: address and length"#
      ),
      (
        .purgeableSet, #"{"seq":1,"add":[["0x0","0x1"],["1000","0x1"]]}"#, "add[1]",
        #"["0x…","0x…"]: address and length"#
      ),
      (
        .purgeableSet, #"{"seq":1,"remove":[["0xffffffffffffffff","0x2"]]}"#, "remove[0]",
        #"["0x…","0x…"]: address and length"#
      ),
      (
        .purgeableSet, #"{"seq":1,"remove":[["0x","0x2"]]}"#, "remove[0]",
        #"["0x…","0x…"]: address and length"#
      ),
      (
        .purgeableSet, #"{"seq":1,"remove":[["0x1"]]}"#, "remove[0]",
        #"["0x…","0x…"]: address and length"#
      ),
    ] as [(Method, String, String, String)]
  )
  func others(method: Method, params: String, path: String, want: String) throws {
    #expect(try error(method, params) == .invalidParams(path: path, want: want))
  }

  @Test("more ranges than one client may name are a limit, not a mistake")
  func rangeCount() throws {
    let pairs = Array(repeating: #"["0x1000","0x1000"]"#, count: 1_025)
    let params = #"{"seq":1,"add":[\#(pairs.joined(separator: ","))]}"#
    let expected = RPCError.limitExceeded(limit: "ranges", maximum: 1_024, retryAfter: nil)
    #expect(try error(.purgeableSet, params) == expected)
  }

  @Test("ranges begin and end at a page")
  func alignment() throws {
    let text =
      #"{"seq":1,"add":[["0x2000","0x1000"]],"remove":[["0x2000","0x1000"],["0x10","0x10"]]}"#
    let set = try PurgeableSet(params: json(text))
    #expect(throws: Never.self) { try set.requireAlignment(toPage: 16) }
    #expect(throws: RPCError.invalidParams(path: "remove[1]", want: "multiples of 4096")) {
      try set.requireAlignment(toPage: 4_096)
    }
    #expect(throws: RPCError.invalidParams(path: "add[0]", want: "multiples of 65536")) {
      try set.requireAlignment(toPage: 65_536)
    }
  }
}
