// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKModel
import UCMKProtocol

@Suite("Golden messages")
struct GoldenTests {
  /// Reads the params of the golden message `name`, writes them again, and compares the bytes.
  private func call<Message: MessageParams>(
    _ type: Message.Type,
    _ name: String
  ) throws -> Message {
    let fixture = try Fixture(name)
    let (method, params) = try fixture.call()
    #expect(method == Message.method)
    let message = try Message(params: params)
    let line = try written { writer in
      if case .request(let id, _, _) = try fixture.message() {
        message.writeRequest(id: id, to: &writer)
      } else {
        message.writeNotification(to: &writer)
      }
    }
    #expect(line == fixture.line)
    return message
  }

  /// Reads the golden answer `name`, writes it again, and compares the bytes.
  private func result<Result: MessageResult>(
    _ type: Result.Type,
    _ name: String
  ) throws -> Result {
    let fixture = try Fixture(name + ".result")
    let result = try Result(result: fixture.result())
    guard case .response(.some(let id), _) = try fixture.message() else { return result }
    #expect(written { result.writeResponse(id: id, to: &$0) } == fixture.line)
    return result
  }

  private func written(_ body: (inout JSONWriter) throws -> Void) rethrows -> String {
    var writer = JSONWriter()
    try body(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test("hello")
  func hello() throws {
    let hello = try call(Hello.self, "hello")
    #expect(hello.versions == 1...1)
    #expect(hello.name == "imgd")
    #expect(hello.version == "2.1")
    #expect(hello.language == "swift")
    #expect(hello.instance == "a")
    #expect(hello.capabilities == [.shrink, .limit])
    #expect(hello.kind == .control)
    #expect(hello.resumeToken == "t0k3n")
  }

  @Test("the result of hello")
  func helloResult() throws {
    let result = try result(HelloResult.self, "hello")
    #expect(result.version == 1)
    #expect(result.daemonName == "ucmkd")
    #expect(result.daemonVersion == "0.1.0")
    #expect(result.session == "c17")
    #expect(result.resumeToken == "t0k3n")
    #expect(result.isResumed)
    #expect(result.heartbeat == .seconds(15))
    #expect(result.reportMinimumInterval == .milliseconds(100))
    #expect(result.limits == ProtocolLimits())
    #expect(result.host.memoryTotal == ByteCount(16_777_216_000))
    #expect(result.host.swapTotal == .gibibytes(1))
    #expect(result.host.pageSize == .kibibytes(4))
    #expect(result.host.hasPressure)
    #expect(result.host.hasCgroup2)
    #expect(result.you.process == ProcessID(4_711))
    #expect(result.you.userID == 1_000)
    #expect(result.you.groupID == 1_001)
    #expect(result.you.cgroup == "/app.slice/imgd.service")
    #expect(result.you.roles == [.member, .observer])
    #expect(result.capabilities == [.shrink, .limit])
  }

  @Test("cache.register and its result")
  func cacheRegister() throws {
    let caches = try call(CacheRegister.self, "cache.register").caches
    #expect(
      caches == [
        CacheDeclaration(
          name: "thumbs",
          share: 50,
          floor: .mebibytes(8),
          costMicrosecondsPerMiB: 2_000,
          usage: CacheUsage(bytes: .mebibytes(512), reclaimable: ByteCount(528_482_304)),
          labels: [.init(key: "team", value: "images"), .init(key: "tier", value: "2")]
        ),
        CacheDeclaration(
          name: "plans-2.x_y",
          ceiling: .gibibytes(1),
          minimumLevel: .medium,
          release: .gc,
          usage: CacheUsage(
            bytes: ByteCount(10),
            reclaimable: .zero,
            cold: .zero,
            refillMicrosecondsPerMiB: 0,
            entries: 3,
            hits: 5,
            misses: 7
          )
        ),
      ]
    )
    let result = try result(CacheRegisterResult.self, "cache.register")
    #expect(result.caches.map(\.name) == ["thumbs", "plans-2.x_y"])
    #expect(result.caches.map(\.id) == [CacheID(3), CacheID(2_147_483_647)])
  }

  @Test("cache.update and its result")
  func cacheUpdate() throws {
    let update = try call(CacheUpdate.self, "cache.update")
    var cache = CacheDeclaration(name: "thumbs", ceiling: .mebibytes(1))
    update.apply(to: &cache)
    let most = ByteCount.wireMaximum
    #expect(update.id == CacheID(3))
    #expect(
      cache
        == CacheDeclaration(
          name: "thumbs",
          share: 40,
          floor: .kibibytes(4),
          ceiling: nil,
          costMicrosecondsPerMiB: 0,
          minimumLevel: .critical,
          release: .slow,
          usage: CacheUsage(bytes: most, reclaimable: most),
          labels: [.init(key: "a", value: "b")]
        )
    )
    #expect(try result(EmptyResult.self, "cache.update") == EmptyResult())
  }

  @Test("cache.unregister and its result")
  func cacheUnregister() throws {
    let ids = try call(CacheUnregister.self, "cache.unregister").ids
    #expect(ids == [CacheID(3), CacheID(4)])
    #expect(try result(CacheUnregisterResult.self, "cache.unregister").removed == 2)
  }

  @Test("cache.report")
  func cacheReport() throws {
    let caches = try call(CacheReport.self, "cache.report").caches
    #expect(caches.map(\.id) == [CacheID(3), CacheID(4)])
    #expect(caches[0].usage.bytes == .mebibytes(512))
    #expect(caches[0].usage.reclaimable == ByteCount(528_482_304))
    #expect(caches[0].usage.cold == .mebibytes(100))
    #expect(caches[0].usage.refillMicrosecondsPerMiB == 1_000_000_000)
    #expect(caches[0].usage.entries == 12)
    #expect(caches[0].usage.hits == 1)
    #expect(caches[0].usage.misses == 2)
    #expect(caches[1].usage == .zero)
  }

  @Test("purgeable.set and its result")
  func purgeableSet() throws {
    let set = try call(PurgeableSet.self, "purgeable.set")
    #expect(set.sequence == 1)
    #expect(set.added == [.init(address: 0x7F00_0000_0000, length: .mebibytes(2))])
    #expect(set.removed.map(\.address) == [0x1000, 0xFFFF_FFFF_FFFF_0000])
    let result = try result(PurgeableSetResult.self, "purgeable.set")
    #expect(result == PurgeableSetResult(ranges: 1, bytes: .mebibytes(2)))
  }

  @Test("limit.get, its result, and limit")
  func limits() throws {
    #expect(try call(LimitGet.self, "limit.get") == LimitGet())
    let limits = [
      CacheLimit(id: CacheID(3), limit: .mebibytes(1)), CacheLimit(id: CacheID(4), limit: nil),
    ]
    let result = try result(LimitGetResult.self, "limit.get")
    #expect(result == LimitGetResult(caches: limits, level: .medium))
    #expect(try call(Limit.self, "limit").caches == limits)
  }

  @Test("ping and its result, after 105 days")
  func ping() throws {
    #expect(try call(Ping.self, "ping") == Ping())
    #expect(try result(PingResult.self, "ping").monotonicNanoseconds == 9_007_199_254_740_993)
  }

  @Test("bye, $/cancel, notice and shutdown")
  func small() throws {
    #expect(try call(Bye.self, "bye").reason == "done \"here\"")
    #expect(try call(Cancel.self, "cancel").id == .integer(7))
    #expect(try call(Notice.self, "notice") == Notice(kind: .paused, text: "for 10 s"))
    #expect(try call(Shutdown.self, "shutdown").reconnectAfter == .milliseconds(250))
  }

  @Test("shrink and its result")
  func shrink() throws {
    let request = try call(ShrinkRequest.self, "shrink")
    #expect(request.round == RoundID(412))
    #expect(request.attempt == 1)
    #expect(request.level == .medium)
    #expect(request.scope == .domain(.cgroup("/system.slice/shop.slice")))
    #expect(request.deadline == .seconds(2))
    #expect(
      request.targets == [
        .init(id: CacheID(3), bytes: .mebibytes(100)),
        .init(id: CacheID(4), bytes: .kibibytes(4), limit: .mebibytes(1)),
      ]
    )
    #expect(request.trim)
    #expect(!request.isDryRun)
    let reply = try result(ShrinkReply.self, "shrink")
    #expect(reply.round == RoundID(412))
    #expect(reply.took == .milliseconds(38))
    #expect(reply.freed == ByteCount(104_923_136))
    #expect(reply.targets.map(\.id) == [CacheID(3), CacheID(4)])
    #expect(reply.targets[0].bytes == ByteCount(431_947_776))
    #expect(reply.targets[0].reclaimable == ByteCount(423_559_168))
    #expect(reply.targets.map(\.hasMore) == [true, false])
  }

  @Test("relax")
  func relax() throws {
    let relax = try call(Relax.self, "relax")
    #expect(relax.round == RoundID(412))
    #expect(relax.level == .none)
    #expect(relax.caches == [CacheLimit(id: CacheID(3), limit: nil)])
  }
}
