// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel
import UCMKProtocol
import UCMKTestSupport

/// Makes messages that are right, at random.
struct ProtocolRandomMessages {
  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func number(_ range: ClosedRange<UInt64>) -> UInt64 {
    switch UInt8.random(in: 0..<8, using: &random) {
    case 0: range.lowerBound
    case 1: range.upperBound
    default: UInt64.random(in: range, using: &random)
    }
  }

  mutating func flag() -> Bool { Bool.random(using: &random) }

  mutating func bytes() -> ByteCount { ByteCount(number(0...ByteCount.wireMaximum.value)) }

  mutating func some<Value>(_ make: (inout Self) -> Value) -> Value? { flag() ? make(&self) : nil }

  mutating func list<Value>(
    _ counts: ClosedRange<Int>,
    _ make: (inout Self) -> Value
  ) -> [Value] {
    let count = Int(number(UInt64(counts.lowerBound)...UInt64(counts.upperBound)))
    return (0..<count).map { _ in make(&self) }
  }

  mutating func pick<Value>(_ values: [Value]) -> Value {
    values[Int.random(in: 0..<values.count, using: &random)]
  }

  /// Text whose UTF-8 is not longer than `most` bytes.
  mutating func text(_ least: Int, _ most: Int) -> String {
    let target = Int(number(UInt64(least)...UInt64(most)))
    var text = ""
    while text.utf8.count < target {
      let next = pick(["a", "Z", "\"", "\\", "\n", "\u{1}", "ä", "€", "😀", "/", " "])
      guard text.utf8.count + next.utf8.count <= target else {
        text += "x"
        continue
      }
      text += next
    }
    return text
  }

  mutating func id() -> CacheID { CacheID(UInt32(number(1...2_147_483_647))) }

  mutating func round() -> RoundID { RoundID(number(0...ByteCount.wireMaximum.value)) }

  mutating func level() -> PressureLevel { pick(PressureLevel.allCases) }

  mutating func askingLevel() -> PressureLevel { pick([.low, .medium, .critical]) }

  mutating func milliseconds(_ range: ClosedRange<UInt64>) -> TimeSpan {
    .milliseconds(number(range))
  }

  mutating func scope() -> Scope {
    switch UInt8.random(in: 0..<3, using: &random) {
    case 0: .domain(.host)
    case 1: .manual
    default: .domain(.cgroup("/" + text(0, 300)))
    }
  }

  mutating func usage() -> CacheUsage {
    let size = bytes()
    return CacheUsage(
      bytes: size,
      reclaimable: ByteCount(number(0...size.value)),
      cold: some { $0.bytes() },
      refillMicrosecondsPerMiB: some { UInt32($0.number(0...1_000_000_000)) },
      entries: some { $0.bytes().value },
      hits: some { $0.bytes().value },
      misses: some { $0.bytes().value }
    )
  }

  mutating func labels() -> [CacheDeclaration.Label] {
    list(0...8) { .init(key: $0.text(0, 32), value: $0.text(0, 64)) }
  }

  mutating func cacheName(_ number: Int) -> String {
    "\(number)" + pick(["", "a", ".b", "-c_d", String(repeating: "z", count: 60)])
  }

  mutating func caches() -> [CacheDeclaration] {
    let count = Int(number(1...62))
    return (0..<count).map { index in
      CacheDeclaration(
        name: cacheName(index),
        share: UInt32(number(1...100)),
        floor: bytes(),
        ceiling: some { $0.bytes() },
        costMicrosecondsPerMiB: UInt32(number(0...1_000_000_000)),
        minimumLevel: askingLevel(),
        release: pick(ReleaseKind.allCases),
        usage: usage(),
        labels: labels()
      )
    }
  }

  mutating func update() -> CacheUpdate {
    var update = CacheUpdate(id: id())
    update.share = some { UInt32($0.number(1...100)) }
    update.floor = some { $0.bytes() }
    update.ceiling = some { $0.flag() ? .bytes($0.bytes()) : .none }
    update.costMicrosecondsPerMiB = some { UInt32($0.number(0...1_000_000_000)) }
    update.minimumLevel = some { $0.askingLevel() }
    update.release = some { $0.pick(ReleaseKind.allCases) }
    update.labels = some { $0.labels() }
    update.usage = some { $0.usage() }
    return update
  }

  mutating func hello() -> Hello {
    let lowest = UInt32(number(1...2_147_483_647))
    var hello = Hello(
      name: text(1, 64),
      versions: lowest...UInt32(number(UInt64(lowest)...2_147_483_647)),
      capabilities: Capabilities(rawValue: UInt8(number(0...15))),
      kind: pick([.member, .control]),
      resumeToken: some { $0.text(0, 100) }
    )
    hello.version = some { $0.text(0, 256) }
    hello.language = some { $0.text(0, 256) }
    hello.instance = some { $0.text(0, 256) }
    return hello
  }

  mutating func limits() -> [CacheLimit] {
    list(0...62) { random in CacheLimit(id: random.id(), limit: random.some { $0.bytes() }) }
  }

  mutating func shrink() -> ShrinkRequest {
    var request = ShrinkRequest()
    request.round = round()
    request.attempt = UInt32(number(1...5))
    request.level = level()
    request.scope = scope()
    request.deadline = milliseconds(50...60_000)
    request.targets = list(1...62) { random in
      .init(
        id: random.id(),
        bytes: ByteCount(random.number(1...ByteCount.wireMaximum.value)),
        limit: random.some { $0.bytes() }
      )
    }
    request.trim = flag()
    request.isDryRun = flag()
    return request
  }

  mutating func reply() -> ShrinkReply {
    var reply = ShrinkReply()
    reply.round = round()
    reply.took = milliseconds(0...60_000)
    reply.targets = list(0...62) { random in
      .init(
        id: random.id(),
        freed: random.bytes(),
        bytes: random.bytes(),
        reclaimable: random.bytes(),
        hasMore: random.flag()
      )
    }
    return reply
  }
}
