// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// A broker with one cache a client, by cgroup and process.
private struct Tree {
  var broker = Broker()
  private var count: UInt64 = 0
  private let start = MonotonicInstant(nanoseconds: 0)

  init(_ configuration: Configuration = Configuration()) {
    _ = broker.handle(.configured(configuration), at: start)
  }

  /// A client of so many bytes, all of which could go.
  mutating func add(
    _ path: String?,
    _ bytes: UInt64,
    process: Int32? = nil,
    share: UInt32 = 100,
    cold: UInt64? = nil
  ) {
    count += 1
    let facts = ClientFacts(
      name: "c",
      process: ProcessID(process ?? Int32(1_000 + count)),
      user: 1,
      cgroup: path,
      grantedShare: share
    )
    _ = broker.handle(.joined(ClientID(count), facts), at: start)
    let usage = CacheUsage(
      bytes: ByteCount(bytes),
      reclaimable: ByteCount(bytes),
      cold: cold.map { ByteCount($0) }
    )
    let declaration = CacheDeclaration(name: "cache", usage: usage)
    _ = broker.handle(.registered(ClientID(count), CacheID(1), declaration), at: start)
  }

  mutating func keep(_ path: String, low: UInt64 = 0, min: UInt64 = 0) {
    let protection = CgroupProtection(low: ByteCount(low), min: ByteCount(min))
    _ = broker.handle(.protected(path, protection), at: start)
  }

  func plan(
    _ bytes: UInt64,
    _ level: PressureLevel = .medium,
    scope: Scope = .manual
  ) -> PlanView {
    broker.plan(RoundRequest(bytes: ByteCount(bytes), level: level, scope: scope, dryRun: true))
  }

  func parts(
    _ bytes: UInt64,
    _ level: PressureLevel = .medium,
    scope: Scope = .manual
  ) -> [UInt64] {
    plan(bytes, level, scope: scope).clients.map(\.part.value)
  }
}

@Suite("The split over the cgroup tree")
struct TreePlanTests {
  @Test("entitlement belongs to the cgroup, not to who shouts twice")
  func entitlement() {
    var tree = Tree()
    tree.add("/a", 100)
    tree.add("/b", 100)
    tree.add("/b", 100)
    // The cgroups hold 100 and 200; both keep 75 of the 150 that remain.
    #expect(tree.parts(150) == [25, 63, 62])
    #expect(tree.parts(90) == [0, 45, 45])
    #expect(tree.parts(300) == [100, 100, 100])
    #expect(tree.parts(0) == [0, 0, 0])
  }

  @Test("clients of no cgroup share with the cgroups at the root")
  func root() {
    var tree = Tree()
    tree.add(nil, 100)
    tree.add("/b", 100)
    tree.add("/b/c", 100)
    #expect(tree.parts(150) == [25, 62, 63])
  }

  @Test("sessions of one process share its part")
  func process() {
    var tree = Tree()
    tree.add("/a", 100, process: 7)
    tree.add("/a", 100, process: 8)
    tree.add("/a", 100, process: 8)
    #expect(tree.parts(150) == [25, 63, 62])
    let path = tree.plan(150).clients[1].path.map(\.holder)
    #expect(path == [.cgroup("/"), .cgroup("/a"), .process(ProcessID(8))])
  }

  @Test("what the administrator grants a client counts for its cgroup too")
  func grants() {
    var tree = Tree()
    tree.add("/a/redis", 900, share: 500)
    tree.add("/b/other", 900)
    // Of the 900 that remain in the end the one keeps five sixths.
    #expect(tree.parts(600) == [0, 600])
    #expect(tree.parts(900) == [150, 750])
  }

  @Test("asks no cgroup for what memory.low keeps, and below memory.min never")
  func protection() {
    var tree = Tree()
    tree.add("/a", 100)
    tree.add("/b/x", 100)
    tree.add("/b/y", 100)
    tree.keep("/b", low: 150, min: 120)
    #expect(tree.parts(300) == [100, 25, 25])
    #expect(tree.plan(300).capacity == ByteCount(150))
    #expect(tree.parts(300, .critical) == [100, 40, 40])
    tree.keep("/b/x", min: 90)
    #expect(tree.parts(300, .critical) == [100, 10, 70])
    tree.keep("/b", low: .max)
    #expect(tree.parts(300) == [100, 0, 0])
    tree.keep("/b")
    tree.keep("/b/x")
    #expect(tree.parts(300) == [100, 100, 100])
  }

  @Test("what a cgroup keeps does not count against its own pressure")
  func ownPressure() {
    var tree = Tree()
    tree.add("/b/x", 100)
    tree.add("/b/y", 100)
    tree.keep("/b", low: 200)
    tree.keep("/b/x", low: 70)
    #expect(tree.parts(200) == [0, 0])
    #expect(tree.parts(200, scope: .domain(.cgroup("/b"))) == [30, 100])
    #expect(tree.parts(200, scope: .domain(.cgroup("/b/x"))) == [100])
  }

  @Test("a cache that is not asked counts for what is kept")
  func bystander() {
    var tree = Tree()
    tree.add("/b", 100)
    tree.add("/b", 100)
    let reluctant = CacheOverride(minimumLevel: .critical)
    let start = MonotonicInstant(nanoseconds: 0)
    _ = tree.broker.handle(.overridden(ClientID(1), CacheID(1), reluctant), at: start)
    tree.keep("/b", low: 100)
    #expect(tree.parts(200) == [100])
  }

  @Test("shows from what every part follows")
  func path() throws {
    var tree = Tree()
    tree.add("/a", 100)
    tree.add("/b", 300)
    tree.keep("/b", low: 250)
    let client = try #require(tree.plan(120).clients.last)
    #expect(client.path.map(\.holder) == [.cgroup("/"), .cgroup("/b")])
    #expect(client.path.map(\.size) == [ByteCount(400), ByteCount(300)])
    #expect(client.path.map(\.childrenCap) == [ByteCount(150), ByteCount(300)])
    #expect(client.path.map(\.room) == [nil, ByteCount(50)])
    #expect(client.path.map(\.cap) == [ByteCount(150), ByteCount(50)])
    #expect(client.path.map(\.part) == [ByteCount(120), ByteCount(50)])
    // The other gives 70 of 100: the level stands at 30 for its weight.
    let level = try #require(client.path[0].level)
    #expect(UInt128(level.numerator) * 1_000_000 == 30 * UInt128(level.denominator))
  }

  @Test("nobody at all is split without a word")
  func empty() {
    let tree = Tree()
    #expect(tree.parts(100) == [])
    #expect(tree.plan(100).capacity == .zero)
    var vanished = Tree()
    vanished.add("/a", 100)
    _ = vanished.broker.handle(.left(ClientID(1)), at: MonotonicInstant(nanoseconds: 0))
    #expect(vanished.parts(100) == [])
    #expect(vanished.broker.cgroups == [])
  }

  @Test("a share of nothing counts as the smallest there is")
  func zeroWeights() {
    var tree = Tree()
    tree.add("/a", 100, share: 0)
    tree.add("/a", 100, share: 0)
    #expect(tree.parts(100) == [50, 50])
  }

  @Test("sizes near the largest number stay exact")
  func hugeSizes() {
    var tree = Tree()
    tree.add("/a", 0x8000_0000_0000_0000)
    tree.add("/a", .max)
    tree.add("/b", .max)
    tree.keep("/b", low: 0x8000_0000_0000_0005)
    let parts = tree.parts(.max)
    #expect(parts.reduce(UInt128(0)) { $0 + UInt128($1) } == UInt128(UInt64.max))
    let most: UInt64 = 0x7FFF_FFFF_FFFF_FFFA
    #expect(parts[2] <= most)
  }

  @Test("moves with a client from one cgroup to another")
  func moving() {
    var tree = Tree()
    tree.add("/a/x", 100)
    tree.add("/a/y", 100)
    tree.keep("/a", low: 150)
    var facts = tree.broker.client(ClientID(1))!.facts
    facts.cgroup = "/a/z"
    _ = tree.broker.handle(.relocated(ClientID(1), facts), at: MonotonicInstant(nanoseconds: 0))
    #expect(tree.broker.cgroups.map(\.path) == ["/a", "/a/y", "/a/z"])
    #expect(tree.parts(200) == [25, 25])
    #expect(tree.broker.cgroups(of: ClientID(1)).map(\.path) == ["/a/z", "/a"])
  }
}

@Suite("The tax on idle memory")
struct IdleTaxTests {
  /// Two clients of one size and weight; the first uses a fifth of it.
  private func kept(tax: UInt64, of size: UInt64, taking target: UInt64) -> [UInt64] {
    var claims = [
      Claim(size: size, cap: size, weight: 100, cold: size * 4 / 5),
      Claim(size: size, cap: size, weight: 100),
    ]
    var policy = LevelDownPolicy(tax: tax)
    #expect(policy.split(target, over: &claims, in: 0..<2) == target)
    return claims.map { $0.size - $0.part }
  }

  @Test("without it two clients keep the same, with 75 % the idle one falls to what it uses")
  func idleClient() {
    // 500 bytes each, 400 of the one idle: the experiment of Waldspurger, OSDI 2002, §5.
    #expect(kept(tax: 1, of: 500, taking: 400) == [300, 300])
    #expect(kept(tax: 4, of: 500, taking: 400) == [180, 420])
    #expect(kept(tax: 4, of: 500, taking: 300) == [200, 500])
    #expect(kept(tax: 1_000, of: 500, taking: 400) == [100, 500])
  }

  @Test("where everybody is as idle it changes nothing")
  func equal() {
    var claims = [Claim](repeating: Claim(size: 100, cap: 100, weight: 1, cold: 50), count: 2)
    var policy = LevelDownPolicy()
    #expect(policy.split(120, over: &claims, in: 0..<2) == 120)
    #expect(claims.map(\.part) == [60, 60])
  }

  @Test("cold bytes of a cache go first through the whole plan")
  func plan() {
    var tree = Tree()
    tree.add("/a", 500, cold: 400)
    tree.add("/b", 500)
    #expect(tree.parts(300) == [300, 0])
    #expect(tree.plan(300).clients[0].caches[0].inputs.cold == ByteCount(400))
  }
}
