// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKProtocol
import UCMKTestSupport

@Suite("What is left out and what is not known")
struct DefaultsTests {
  @Test("a cache that says nothing but its name has the defaults of the protocol")
  func declaration() throws {
    let caches = try CacheRegister(params: json(#"{"caches":[{"name":"a"}]}"#)).caches
    #expect(caches == [CacheDeclaration(name: "a")])
    #expect(caches[0].share == 100)
    #expect(caches[0].floor == .zero)
    #expect(caches[0].ceiling == nil)
    #expect(caches[0].costMicrosecondsPerMiB == 10_000)
    #expect(caches[0].minimumLevel == .low)
    #expect(caches[0].release == .sync)
    #expect(caches[0].usage == .zero)
  }

  @Test("an update changes what it names and nothing else")
  func update() throws {
    let before = CacheDeclaration(name: "a", share: 7, ceiling: .mebibytes(1), labels: [])
    var cache = before
    try CacheUpdate(params: json(#"{"id":1,"name":"other"}"#)).apply(to: &cache)
    #expect(cache == before)
    try CacheUpdate(params: json(#"{"id":1,"ceiling":5}"#)).apply(to: &cache)
    #expect(cache.ceiling == ByteCount(5))
    try CacheUpdate(params: json(#"{"id":1,"ceiling":null}"#)).apply(to: &cache)
    #expect(cache.ceiling == nil)
    #expect(cache.share == 7)
  }

  @Test("hello: can shrink and nothing else, is a member, knows no token")
  func hello() throws {
    let hello = try Hello(
      params: json(#"{"protocol":{"min":1,"max":4},"client":{"name":"a"},"future":[1]}"#)
    )
    #expect(hello == Hello(name: "a", versions: 1...4))
    #expect(hello.capabilities == .shrink)
    #expect(hello.kind == .member)
    #expect(hello.resumeToken == nil)
  }

  @Test("a client may say that it cannot shrink")
  func capabilities() throws {
    let text = #"{"protocol":{"min":1,"max":1},"client":{"name":"a"},"#
    let hello = try Hello(
      params: json(text + #""capabilities":{"shrink":false,"purgeable":true,"shm":true,"x":1}}"#)
    )
    #expect(hello.capabilities == [.purgeable, .shm])
  }

  @Test("the result of hello in the example of the protocol is enough")
  func helloResult() throws {
    let result = try HelloResult(
      result: json(
        #"{"protocol":1,"session":"c17","heartbeat_ms":15000,"you":{"pid":4711,"uid":1000,"#
          + #""gid":1000,"cgroup":"/app.slice/imgd.service","roles":["member","wizard"]}}"#
      )
    )
    #expect(result.session == "c17")
    #expect(result.limits == ProtocolLimits())
    #expect(result.resumeToken == "")
    #expect(!result.isResumed)
    #expect(result.heartbeat == .seconds(15))
    #expect(result.host.pageSize == .kibibytes(4))
    #expect(result.you.roles == [.member])
    let bare = try HelloResult(
      result: json(#"{"protocol":1,"session":"c1","limits":{"caches":9}}"#)
    )
    #expect(bare.limits.caches == 9)
    #expect(bare.limits.lineIn == 65_536)
    #expect(bare.you.cgroup == nil)
    #expect(throws: RPCError.invalidParams(path: "session", want: "text of 1...64 bytes")) {
      try HelloResult(result: json(#"{"protocol":1}"#))
    }
    #expect(throws: RPCError.invalidParams(path: "limits.caches", want: "0...9007199254740991")) {
      try HelloResult(result: json(#"{"protocol":1,"session":"c1","limits":{"caches":"9"}}"#))
    }
  }

  @Test("control methods")
  func control() throws {
    #expect(try ClientList(params: nil).limit == 100)
    #expect(try ClientList(params: json("{}")).filter == ClientList.Filter())
    #expect(try RoundList(params: nil).limit == 32)
    #expect(try Plan(params: json(#"{"bytes":1}"#)) == Plan(bytes: ByteCount(1)))
    #expect(try Plan(params: json(#"{"bytes":1}"#)).level == .medium)
    let trigger = try Trigger(params: nil)
    #expect(trigger == Trigger())
    #expect(trigger.bytes == nil)
    #expect(trigger.level == .medium)
    #expect(trigger.scope == .manual)
    #expect(!trigger.isDryRun)
    #expect(trigger.waits)
    #expect(trigger.timeout == .seconds(5))
    let subscribe = try Subscribe(params: json(#"{"topics":["status","rounds","status"]}"#))
    #expect(subscribe == Subscribe(topics: [.status, .rounds]))
    #expect(try !DaemonReload(params: nil).checksOnly)
    #expect(try DaemonPause(params: nil).span == nil)
    #expect(try Bye(params: nil).reason == nil)
  }

  @Test(
    "methods without params take an object or nothing",
    arguments: [
      Method.ping, .limitGet, .daemonStatus, .daemonResume, .discover,
    ]
  )
  func empty(method: Method) throws {
    #expect(throws: Never.self) { try anyParams(of: method, nil) }
    #expect(throws: Never.self) { try anyParams(of: method, json(#"{"more":1}"#)) }
    #expect(throws: RPCError.invalidParams(path: "params", want: "object")) {
      try anyParams(of: method, json("1"))
    }
  }

  @Test("a level that the daemon names and we do not know counts as low")
  func unknownLevel() throws {
    let relax = try Relax(params: json(#"{"round":1,"level":"elevated"}"#))
    #expect(relax.level == .low)
    let request = try ShrinkRequest(
      params: json(
        #"{"round":1,"attempt":1,"level":"extreme","deadline_ms":50,"#
          + #""targets":[{"id":1,"bytes":1}]}"#
      )
    )
    #expect(request.level == .low)
    #expect(try LimitGetResult(result: json(#"{"caches":[],"level":"x"}"#)).level == .low)
  }

  @Test("a scope, topic or notice of a later daemon is no error")
  func unknownWords() throws {
    let text =
      #"{"round":1,"attempt":1,"level":"low","deadline_ms":50,"targets":[{"id":1,"bytes":1}]@}"#
    func scope(_ member: String) throws -> Scope {
      try ShrinkRequest(params: json(text.replacing("@", with: member))).scope
    }
    #expect(try scope("") == .manual)
    #expect(try scope(#","scope":{"kind":"vm"}"#) == .manual)
    #expect(try scope(#","scope":{"kind":"host"}"#) == .domain(.host))
    #expect(try scope(#","scope":{"kind":"cgroup","path":"\/a"}"#) == .domain(.cgroup("/a")))
    #expect(try Notice(params: json(#"{"kind":"hibernates"}"#)).kind == nil)
    let event = try Event(params: json(#"{"subscription":1,"topic":"weather","data":[]}"#))
    #expect(event.topic == nil)
  }

  @Test("a reusable message forgets what was in it, also after an error")
  func reuse() throws {
    var request = ShrinkRequest()
    let right =
      #"{"round":1,"attempt":1,"level":"low","scope":{"kind":"cgroup","path":"/a"},"#
      + #""deadline_ms":50,"targets":[{"id":1,"bytes":1},{"id":2,"bytes":2}],"trim":true}"#
    try request.read(params: json(right))
    #expect(request.targets.count == 2)
    #expect(request.trim)
    let other =
      #"{"round":2,"attempt":1,"level":"low","scope":{"kind":"host"},"#
      + #""deadline_ms":50,"targets":[{"id":3,"bytes":1}]}"#
    try request.read(params: json(other))
    #expect(request.targets.map(\.id) == [CacheID(3)])
    #expect(request.scope == .domain(.host))
    #expect(!request.trim)
    let wrong = right.replacing(#""bytes":2"#, with: #""bytes":0"#)
    #expect(throws: RPCError.self) { try request.read(params: json(wrong)) }
    #expect(request.targets == [])
    var report = CacheReport()
    try report.read(params: json(#"{"caches":[{"id":1,"bytes":2,"reclaimable":1}]}"#))
    #expect(report.caches.count == 1)
    #expect(throws: RPCError.self) {
      try report.read(params: json(#"{"caches":[{"id":1,"bytes":2,"reclaimable":1},{}]}"#))
    }
    #expect(report.caches == [])
    var reply = ShrinkReply()
    try reply.read(
      result: json(#"{"round":1,"targets":[{"id":1,"freed":9,"bytes":2,"reclaimable":3}]}"#)
    )
    #expect(reply.targets[0].reclaimable == ByteCount(2), "no more can be freed than is there")
    #expect(!reply.targets[0].hasMore)
    #expect(throws: RPCError.self) { try reply.read(result: json(#"{"round":1,"targets":[1]}"#)) }
    #expect(reply.targets == [])
  }

  @Test("of a member that comes twice the last counts")
  func duplicates() throws {
    let report = try CacheReport(
      params: json(#"{"caches":[{"id":1,"id":2,"bytes":1,"reclaimable":0,"bytes":5}]}"#)
    )
    #expect(report.caches[0].id == CacheID(2))
    #expect(report.caches[0].usage.bytes == ByteCount(5))
  }

  @Test("what is not said of cold bytes and refills is unknown; more cold than could go is that")
  func measuredByClient() throws {
    let report = try CacheReport(
      params: json(
        #"{"caches":[{"id":1,"bytes":9,"reclaimable":5},"#
          + #"{"id":2,"bytes":9,"reclaimable":5,"cold":7,"refill_us_per_mib":3}]}"#
      )
    )
    #expect(report.caches[0].usage.cold == nil)
    #expect(report.caches[0].usage.refillMicrosecondsPerMiB == nil)
    #expect(report.caches[1].usage.cold == ByteCount(5))
    #expect(report.caches[1].usage.refillMicrosecondsPerMiB == 3)
  }

  @Test("a refill cost beyond the range is written as the end of it")
  func refillAtMost() {
    let usage = CacheUsage(bytes: .zero, reclaimable: .zero, refillMicrosecondsPerMiB: .max)
    var writer = JSONWriter()
    CacheReport(caches: [.init(id: CacheID(1), usage: usage)]).write(to: &writer)
    #expect(
      String(decoding: writer.bytes, as: UTF8.self)
        == #"{"caches":[{"id":1,"bytes":0,"reclaimable":0,"refill_us_per_mib":1000000000}]}"#
    )
  }

  @Test("a scope is compared without being built")
  func scopes() {
    var request = ShrinkRequest()
    let scopes: [Scope] = [
      .domain(.host), .manual, .domain(.cgroup("/a.slice")), .domain(.cgroup("/a.slice/b")),
    ]
    for one in scopes {
      request.scope = one
      #expect(request.scope == one)
      for other in scopes { #expect(request.isScope(other) == (one == other)) }
    }
  }
}
