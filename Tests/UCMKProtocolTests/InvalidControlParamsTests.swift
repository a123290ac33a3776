// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKProtocol
import UCMKTestSupport

@Suite("Invalid params of control methods and of what the daemon sends")
struct InvalidControlParamsTests {
  private func error(_ method: Method, _ params: String) throws -> RPCError? {
    let value = try json(params)
    do throws(RPCError) {
      let message = try anyParams(of: method, value)
      Issue.record("passed: \(message)")
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "control methods",
    arguments: [
      (.clientList, #"{"limit":0}"#, "limit", "1...500"),
      (.clientList, #"{"limit":501}"#, "limit", "1...500"),
      (.clientList, #"{"cursor":5}"#, "cursor", "text of 0...256 bytes"),
      (.clientList, #"{"filter":"x"}"#, "filter", "object"),
      (.clientList, #"{"filter":{"uid":-1}}"#, "filter.uid", "0...4294967295"),
      (.clientList, #"{"filter":{"name":""}}"#, "filter.name", "text of 1...64 bytes"),
      (.clientList, #"{"filter":{"cgroup":""}}"#, "filter.cgroup", "text of 1...4096 bytes"),
      (.clientGet, #"{}"#, "session", "text of 1...64 bytes"),
      (.clientGet, #"{"session":17}"#, "session", "text of 1...64 bytes"),
      (.roundList, #"{"limit":257}"#, "limit", "1...256"),
      (.roundGet, #"{}"#, "round", "0...9007199254740991"),
      (.roundGet, #"{"round":"4"}"#, "round", "0...9007199254740991"),
      (.plan, #"{}"#, "bytes", "0...9007199254740991"),
      (.plan, #"{"bytes":1,"level":"none"}"#, "level", "low, medium or critical"),
      (.plan, #"{"bytes":1,"level":"urgent"}"#, "level", "low, medium or critical"),
      (.plan, #"{"bytes":1,"scope":"host"}"#, "scope", "object"),
      (.plan, #"{"bytes":1,"scope":{}}"#, "scope.kind", "host, cgroup or manual"),
      (.plan, #"{"bytes":1,"scope":{"kind":"vm"}}"#, "scope.kind", "host, cgroup or manual"),
      (.plan, #"{"bytes":1,"scope":{"kind":"cgroup"}}"#, "scope.path", "text of 1...4096 bytes"),
      (
        .plan, #"{"bytes":1,"scope":{"kind":"cgroup","path":"a"}}"#, "scope.path",
        "path that begins with /"
      ),
      (.trigger, #"{"bytes":-1}"#, "bytes", "0...9007199254740991"),
      (.trigger, #"{"level":"none"}"#, "level", "low, medium or critical"),
      (.trigger, #"{"dry_run":1}"#, "dry_run", "true or false"),
      (.trigger, #"{"wait":"no"}"#, "wait", "true or false"),
      (.trigger, #"{"timeout_ms":49}"#, "timeout_ms", "50...60000"),
      (.trigger, #"{"timeout_ms":60001}"#, "timeout_ms", "50...60000"),
      (.subscribe, #"{}"#, "topics", "list of 1...62"),
      (.subscribe, #"{"topics":[]}"#, "topics", "list of 1...62"),
      (
        .subscribe, #"{"topics":["rounds","weather"]}"#, "topics[1]",
        "pressure, rounds, clients or status"
      ),
      (.subscribe, #"{"topics":["rounds"],"interval_ms":99}"#, "interval_ms", "100...60000"),
      (.subscribe, #"{"topics":["rounds"],"interval_ms":60001}"#, "interval_ms", "100...60000"),
      (.unsubscribe, #"{}"#, "subscription", "1...9007199254740991"),
      (.daemonReload, #"{"check_only":0}"#, "check_only", "true or false"),
      (.daemonPause, #"{"for_ms":0}"#, "for_ms", "1...9007199254740991"),
      (.cacheOverride, #"{"id":1}"#, "session", "text of 1...64 bytes"),
      (.cacheOverride, #"{"session":"c1"}"#, "id", "1...2147483647"),
      (.cacheOverride, #"{"session":"c1","id":1,"share":0}"#, "share", "1...10000"),
      (.cacheOverride, #"{"session":"c1","id":1,"share":10001}"#, "share", "1...10000"),
      (
        .cacheOverride, #"{"session":"c1","id":1,"min_level":"none"}"#, "min_level",
        "low, medium or critical"
      ),
      (
        .cacheOverride, #"{"session":"c1","id":1,"for_ms":1.5}"#, "for_ms",
        "1...9007199254740991"
      ),
    ] as [(Method, String, String, String)]
  )
  func control(method: Method, params: String, path: String, want: String) throws {
    #expect(try error(method, params) == .invalidParams(path: path, want: want))
  }

  @Test(
    "shrink",
    arguments: [
      (#""round":1"#, #""round":-1"#, "round", "0...9007199254740991"),
      (#""attempt":1"#, #""attempt":0"#, "attempt", "1...5"),
      (#""attempt":1"#, #""attempt":6"#, "attempt", "1...5"),
      (#""level":"low""#, #""level":1"#, "level", "level"),
      (#""deadline_ms":50"#, #""deadline_ms":49"#, "deadline_ms", "50...60000"),
      (#""deadline_ms":50"#, #""deadline_ms":60001"#, "deadline_ms", "50...60000"),
      (#""targets":[{"id":1,"bytes":1}]"#, #""targets":[]"#, "targets", "list of 1...62"),
      (#""bytes":1"#, #""bytes":0"#, "targets[0].bytes", "1...9007199254740991"),
      (#""id":1"#, #""id":0"#, "targets[0].id", "1...2147483647"),
      (#""bytes":1"#, #""bytes":1,"limit":null"#, "targets[0].limit", "0...9007199254740991"),
      (#""attempt":1"#, #""attempt":1,"trim":1"#, "trim", "true or false"),
      (#""attempt":1"#, #""attempt":1,"dry_run":null"#, "dry_run", "true or false"),
      (#""attempt":1"#, #""attempt":1,"scope":"host""#, "scope", "object"),
    ]
  )
  func shrink(right: String, wrong: String, path: String, want: String) throws {
    let params =
      #"{"round":1,"attempt":1,"level":"low","deadline_ms":50,"targets":[{"id":1,"bytes":1}]}"#
    #expect(throws: Never.self) { try ShrinkRequest(params: json(params)) }
    let changed = params.replacing(right, with: wrong)
    #expect(changed != params)
    #expect(try error(.shrink, changed) == .invalidParams(path: path, want: want))
  }

  @Test(
    "what else the daemon sends",
    arguments: [
      (.relax, #"{"level":"low"}"#, "round", "0...9007199254740991"),
      (.relax, #"{"round":1}"#, "level", "level"),
      (
        .relax, #"{"round":1,"level":"low","caches":[{"id":1}]}"#, "caches[0].limit",
        "0...9007199254740991 or null"
      ),
      (.limit, #"{"caches":[{"limit":1}]}"#, "caches[0].id", "1...2147483647"),
      (.notice, #"{}"#, "kind", "reload, paused, resumed or overloaded"),
      (.shutdown, #"{}"#, "reconnect_after_ms", "0...9007199254740991"),
      (.event, #"{"topic":"rounds","data":{}}"#, "subscription", "1...9007199254740991"),
      (.event, #"{"subscription":1,"data":{}}"#, "topic", "pressure, rounds, clients or status"),
      (.event, #"{"subscription":1,"topic":"rounds"}"#, "data", "object"),
    ] as [(Method, String, String, String)]
  )
  func daemon(method: Method, params: String, path: String, want: String) throws {
    #expect(try error(method, params) == .invalidParams(path: path, want: want))
  }

  @Test(
    "a shrink answer",
    arguments: [
      (#"7"#, "params", "object"),
      (#"{}"#, "round", "0...9007199254740991"),
      (#"{"round":1}"#, "targets", "list of 0...62"),
      (#"{"round":1,"took_ms":-1,"targets":[]}"#, "took_ms", "0...9007199254740991"),
      (
        #"{"round":1,"targets":[{"freed":1,"bytes":1,"reclaimable":1}]}"#, "targets[0].id",
        "1...2147483647"
      ),
      (
        #"{"round":1,"targets":[{"id":1,"bytes":1,"reclaimable":1}]}"#, "targets[0].freed",
        "0...9007199254740991"
      ),
      (
        #"{"round":1,"targets":[{"id":1,"freed":1,"reclaimable":1}]}"#, "targets[0].bytes",
        "0...9007199254740991"
      ),
      (
        #"{"round":1,"targets":[{"id":1,"freed":1,"bytes":1}]}"#, "targets[0].reclaimable",
        "0...9007199254740991"
      ),
      (
        #"{"round":1,"targets":[{"id":1,"freed":1,"bytes":1,"reclaimable":1,"more":0}]}"#,
        "targets[0].more", "true or false"
      ),
      (
        #"{"round":1,"targets":[{"id":1,"freed":1e3,"bytes":1,"reclaimable":1}]}"#,
        "targets[0].freed", "0...9007199254740991"
      ),
    ]
  )
  func shrinkReply(result: String, path: String, want: String) throws {
    let value = try json(result)
    #expect(throws: RPCError.invalidParams(path: path, want: want)) {
      try ShrinkReply(result: value)
    }
  }
}
