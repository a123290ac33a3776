// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKProtocol
import UCMKTestSupport

@Suite("Messages that are made at random")
struct ProtocolRoundTripTests {
  private static let seeds: ClosedRange<UInt64> = 1...15

  /// Sends `message` as a line through a decoder and reads it at the other end.
  private func expectRoundTrip<Message: MessageParams & Equatable>(
    _ message: Message,
    seed: UInt64
  ) throws {
    var writer = JSONWriter()
    message.writeRequest(id: .integer(seed), to: &writer)
    var decoder = FrameDecoder(limit: 1 << 20)
    decoder.append(writer.bytes)
    guard case .line(let range) = decoder.next(),
      case .request(.integer(seed), let method, let params) = try IncomingMessage(
        decoder.bytes,
        in: range
      )
    else {
      Issue.record("seed \(seed): no request")
      return
    }
    #expect(Method(method) == Message.method, "seed \(seed)")
    #expect(try Message(params: params) == message, "seed \(seed)")
  }

  private func expectRoundTrip<Result: MessageResult & Equatable>(
    result: Result,
    seed: UInt64
  ) throws {
    var writer = JSONWriter()
    result.writeResponse(id: .string("s\(seed)"), to: &writer)
    guard
      case .response(.string("s\(seed)"), .result(let value)) = try IncomingMessage(
        writer.bytes,
        in: 0..<writer.count - 1
      )
    else {
      Issue.record("seed \(seed): no answer")
      return
    }
    #expect(try Result(result: value) == result, "seed \(seed)")
  }

  @Test("what a client sends", arguments: seeds)
  func client(seed: UInt64) throws {
    var make = ProtocolRandomMessages(seed: seed)
    try expectRoundTrip(make.hello(), seed: seed)
    try expectRoundTrip(CacheRegister(caches: make.caches()), seed: seed)
    try expectRoundTrip(make.update(), seed: seed)
    try expectRoundTrip(CacheUnregister(ids: make.list(0...62) { $0.id() }), seed: seed)
    let report = make.list(1...62) { CacheReport.Entry(id: $0.id(), usage: $0.usage()) }
    try expectRoundTrip(CacheReport(caches: report), seed: seed)
    try expectRoundTrip(Bye(reason: make.some { $0.text(0, 256) }), seed: seed)
    try expectRoundTrip(Cancel(id: .string(make.text(1, 64))), seed: seed)
    let ranges = make.list(0...20) { random in
      PurgeableSet.AddressRange(
        address: random.number(0...UInt64.max >> 1) & ~4_095,
        length: ByteCount(random.number(1...1 << 40) << 12)
      )
    }
    let set = PurgeableSet(sequence: make.bytes().value, added: ranges, removed: ranges.reversed())
    try expectRoundTrip(set, seed: seed)
    try set.requireAlignment(toPage: 4_096)
  }

  @Test("what the daemon sends", arguments: seeds)
  func daemon(seed: UInt64) throws {
    var make = ProtocolRandomMessages(seed: seed)
    try expectRoundTrip(make.shrink(), seed: seed)
    try expectRoundTrip(Limit(caches: make.limits()), seed: seed)
    let relax = Relax(round: make.round(), level: make.level(), caches: make.some { $0.limits() })
    try expectRoundTrip(relax, seed: seed)
    let notice = Notice(kind: make.pick(Notice.Kind.allCases), text: make.some { $0.text(0, 300) })
    try expectRoundTrip(notice, seed: seed)
    let shutdown = Shutdown(reconnectAfter: make.milliseconds(0...1_000_000))
    try expectRoundTrip(shutdown, seed: seed)
  }

  @Test("what ucmkctl sends", arguments: seeds)
  func control(seed: UInt64) throws {
    var make = ProtocolRandomMessages(seed: seed)
    var list = ClientList()
    list.cursor = make.some { $0.text(0, 256) }
    list.limit = Int(make.number(1...500))
    list.filter.userID = make.some { UInt32($0.number(0...UInt64(UInt32.max))) }
    list.filter.cgroup = make.some { $0.text(1, 4_096) }
    list.filter.name = make.some { $0.text(1, 64) }
    try expectRoundTrip(list, seed: seed)
    try expectRoundTrip(ClientGet(session: make.text(1, 64)), seed: seed)
    try expectRoundTrip(RoundList(limit: Int(make.number(1...256))), seed: seed)
    try expectRoundTrip(RoundGet(round: make.round()), seed: seed)
    let scope = make.some { $0.scope() }
    try expectRoundTrip(
      Plan(bytes: make.bytes(), level: make.askingLevel(), scope: scope),
      seed: seed
    )
    var trigger = Trigger()
    trigger.bytes = make.some { $0.bytes() }
    trigger.level = make.askingLevel()
    trigger.scope = make.scope()
    trigger.isDryRun = make.flag()
    trigger.waits = make.flag()
    trigger.timeout = make.milliseconds(50...60_000)
    try expectRoundTrip(trigger, seed: seed)
    let topics = Array(Topic.allCases.shuffled(using: &make.random).prefix(Int(make.number(1...4))))
    let interval = make.some { $0.milliseconds(100...60_000) }
    try expectRoundTrip(Subscribe(topics: topics, interval: interval), seed: seed)
    try expectRoundTrip(DaemonReload(checksOnly: make.flag()), seed: seed)
    try expectRoundTrip(DaemonPause(span: make.some { $0.milliseconds(1...1_000_000) }), seed: seed)
    var override = CacheOverride(session: make.text(1, 64), id: make.id())
    override.share = make.some { UInt32($0.number(1...10_000)) }
    override.floor = make.some { $0.bytes() }
    override.minimumLevel = make.some { $0.askingLevel() }
    override.span = make.some { $0.milliseconds(1...1_000_000) }
    try expectRoundTrip(override, seed: seed)
  }

  @Test("answers", arguments: seeds)
  func results(seed: UInt64) throws {
    var make = ProtocolRandomMessages(seed: seed)
    try expectRoundTrip(result: make.reply(), seed: seed)
    try expectRoundTrip(
      result: LimitGetResult(caches: make.limits(), level: make.level()),
      seed: seed
    )
    let names = make.list(1...62) { CacheRegisterResult.Entry(name: $0.text(1, 64), id: $0.id()) }
    try expectRoundTrip(result: CacheRegisterResult(caches: names), seed: seed)
    let clock = make.number(0...UInt64(Int64.max))
    try expectRoundTrip(result: PingResult(monotonicNanoseconds: clock), seed: seed)
    try expectRoundTrip(result: hello(&make), seed: seed)
  }

  private func hello(_ make: inout ProtocolRandomMessages) -> HelloResult {
    let host = HelloResult.Host(
      memoryTotal: make.bytes(),
      swapTotal: make.bytes(),
      pageSize: make.bytes(),
      hasPressure: make.flag(),
      hasCgroup2: make.flag()
    )
    let you = HelloResult.Peer(
      process: ProcessID(Int32(make.number(0...UInt64(Int32.max)))),
      userID: UInt32(make.number(0...UInt64(UInt32.max))),
      groupID: UInt32(make.number(0...UInt64(UInt32.max))),
      cgroup: make.some { $0.text(1, 200) },
      roles: make.list(0...3) { $0.pick(Role.allCases) }
    )
    let session = "c\(make.number(1...1_000_000))"
    var result = HelloResult(session: session, resumeToken: make.text(0, 64), host: host, you: you)
    result.isResumed = make.flag()
    result.daemonVersion = make.text(0, 40)
    result.heartbeat = make.milliseconds(0...100_000)
    result.capabilities = Capabilities(rawValue: UInt8(make.number(0...15)))
    result.limits.caches = Int(make.number(1...62))
    return result
  }
}
