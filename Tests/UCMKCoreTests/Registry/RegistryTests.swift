// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("Accounts")
struct AccountTests {
  private func cache(
    share: UInt32 = 100,
    floor: UInt64 = 0,
    size: UInt64 = 100,
    reclaimable: UInt64? = nil
  ) -> CacheAccount {
    CacheAccount(
      id: CacheID(1),
      declaration: CacheDeclaration(
        name: "cache",
        share: share,
        floor: .mebibytes(floor),
        usage: .mebibytes(size, reclaimable: reclaimable)
      )
    )
  }

  @Test(
    "a share is granted times claimed, and at least 1",
    arguments: [
      (granted: 100, claimed: 100, share: 100), (granted: 10_000, claimed: 50, share: 5_000),
      (granted: 1, claimed: 1, share: 1), (granted: 0, claimed: 0, share: 1),
      (granted: .max, claimed: .max, share: 10_000),
    ] as [(granted: UInt32, claimed: UInt32, share: UInt32)]
  )
  func share(granted: UInt32, claimed: UInt32, share: UInt32) {
    #expect(cache(share: claimed).figures.share(granted: granted) == share)
  }

  @Test("an administrator's share replaces both")
  func overriddenShare() {
    var cache = cache(share: 1)
    cache.override.share = 9_999
    #expect(cache.figures.share(granted: 1) == 9_999)
    cache.override.share = .max
    #expect(cache.figures.share(granted: 1) == 10_000)
  }

  @Test("a declared floor counts up to a quarter; an administrator's counts whole")
  func floor() {
    #expect(cache(floor: 10).figures.floor(granted: .zero) == .mebibytes(10))
    #expect(cache(floor: 90).figures.floor(granted: .zero) == .mebibytes(25))
    #expect(cache(floor: 90).figures.floor(granted: .mebibytes(40)) == .mebibytes(40))
    var cache = cache(floor: 90)
    cache.override.floor = .mebibytes(60)
    #expect(cache.figures.floor(granted: .mebibytes(80)) == .mebibytes(60))
  }

  @Test("a cap is what could go, less what must stay and what is under way")
  func cap() {
    #expect(cache().figures.cap(above: .zero) == .mebibytes(100))
    #expect(cache(reclaimable: 30).figures.cap(above: .mebibytes(25)) == .mebibytes(30))
    #expect(cache(reclaimable: 90).figures.cap(above: .mebibytes(25)) == .mebibytes(75))
    var cache = cache()
    cache.inFlight = .mebibytes(40)
    #expect(cache.figures.cap(above: .mebibytes(25)) == .mebibytes(35))
    cache.inFlight = .gibibytes(1)
    #expect(cache.figures.cap(above: .zero) == .zero)
  }

  @Test("an administrator's floor for a client falls to its caches by size")
  func spreadFloor() {
    var account = ClientAccount(
      id: ClientID(1),
      facts: .plain(1, grantedFloor: .mebibytes(40))
    )
    account.add(cache(size: 300))
    account.add(
      CacheAccount(
        id: CacheID(2),
        declaration: CacheDeclaration(name: "small", usage: .mebibytes(100))
      )
    )
    let floors = account.caches.map { account.grantedFloor(of: $0.bytes, within: account.bytes) }
    #expect(floors == [.mebibytes(30), .mebibytes(10)])
    #expect(account.grantedFloor(of: .mebibytes(300), within: .zero) == .zero)
  }

  @Test("another declaration keeps what is in flight, set by hand and limited")
  func declaredAgain() {
    var cache = cache(size: 300)
    cache.inFlight = .mebibytes(5)
    cache.override.share = 7
    cache.limit = CacheCeiling(bytes: .mebibytes(9), wanted: .mebibytes(300), round: RoundID(1))
    var other = CacheDeclaration(
      name: "other",
      share: 4,
      floor: .mebibytes(1),
      ceiling: .mebibytes(2),
      costMicrosecondsPerMiB: 3,
      minimumLevel: .medium,
      release: .slow,
      usage: .mebibytes(8)
    )
    other.labels = [CacheDeclaration.Label(key: "k", value: "v")]
    cache.declaration = other
    #expect(cache.declaration == other)
    #expect(cache.inFlight == .mebibytes(5) && cache.override.share == 7)
    #expect(cache.limit?.bytes == .mebibytes(9))
  }

  @Test("an override ends when its time is over")
  func overrideEnd() {
    var cache = cache()
    cache.override = CacheOverride(share: 7, until: MonotonicInstant(nanoseconds: 10))
    cache.endOverride(at: MonotonicInstant(nanoseconds: 9))
    #expect(cache.override.share == 7)
    cache.endOverride(at: MonotonicInstant(nanoseconds: 10))
    #expect(cache.override == CacheOverride())
  }

  @Test("caches stay sorted, and a known id is not added twice")
  func sorted() {
    var account = ClientAccount(id: ClientID(1), facts: .plain(1))
    for number in [3, 1, 2, 2] as [UInt32] {
      account.add(
        CacheAccount(id: CacheID(number), declaration: CacheDeclaration(name: "cache"))
      )
    }
    #expect(account.caches.map(\.id.number) == [1, 2, 3])
    #expect(account.index(of: CacheID(2)) == 1)
    #expect(account.index(of: CacheID(9)) == nil)
  }
}

@Suite("The registry")
struct ClientRegistryTests {
  private func registry(_ clients: [(id: UInt64, process: Int32)]) -> ClientRegistry {
    var registry = ClientRegistry()
    for client in clients {
      _ = registry.add(
        ClientAccount(
          id: ClientID(client.id),
          facts: .plain(client.id, process: client.process)
        )
      )
    }
    return registry
  }

  @Test("keeps accounts in the order of their ids, whenever they come")
  func order() {
    let registry = registry([(5, 1), (2, 1), (9, 1), (3, 1)])
    #expect(registry.accounts.map(\.id.ordinal) == [2, 3, 5, 9])
    #expect([2, 3, 5, 9].map { registry.index(of: ClientID($0)) } == [0, 1, 2, 3])
    #expect(registry.index(of: ClientID(4)) == nil)
    #expect(registry.place(of: ClientID(4)) == 2)
    #expect(registry.place(of: ClientID(10)) == 4)
  }

  @Test("knows a process as long as one of its sessions lives")
  func processes() {
    var registry = registry([(1, 70), (2, 50), (3, 70)])
    #expect(registry.processes.map(\.process.number) == [50, 70])
    #expect(registry.processes.map(\.sessions) == [1, 2])
    registry.note(ProcessReading(resident: .mebibytes(5)), of: ProcessID(70))
    registry.note(ProcessReading(resident: .mebibytes(5)), of: ProcessID(1))
    registry.remove(at: 0)
    #expect(registry.processes[1].reading?.resident == .mebibytes(5))
    registry.remove(at: 1)
    #expect(registry.processes.map(\.process.number) == [50])
    registry.setFacts(.plain(2, process: 51), at: 0)
    #expect(registry.processes.map(\.process.number) == [51])
  }

  @Test("counts caches as they come and go")
  func caches() {
    var registry = registry([(1, 1), (2, 2)])
    for number in [1, 2, 2] as [UInt32] {
      let declaration = CacheDeclaration(name: "cache")
      registry.addCache(CacheAccount(id: CacheID(number), declaration: declaration), at: 1)
    }
    #expect(registry.cacheCount == 2)
    registry.removeCache(0, at: 1)
    #expect(registry.cacheCount == 1)
    registry.remove(at: 1)
    #expect(registry.cacheCount == 0)
  }

  @Test("finds only clients whose connection stands where that matters")
  func attached() {
    var registry = registry([(1, 1)])
    #expect(registry.attachedIndex(of: ClientID(1)) == 0)
    registry.accounts[0].isAttached = false
    #expect(registry.attachedIndex(of: ClientID(1)) == nil)
    #expect(registry.index(of: ClientID(1)) == 0)
  }
}

@Suite("Membership")
struct MembershipTests {
  private let inside = ClientFacts.plain(1, domains: ["/a", "/a/b"])
  private let below = ClientFacts(
    name: "below",
    process: ProcessID(1),
    user: 1,
    cgroup: "/a/b/c",
    domains: []
  )

  @Test("of the host and of a manual round is everybody's")
  func everybody() {
    for scope in [Scope.manual, .domain(.host)] {
      #expect(Membership(scope: scope, byPath: false).contains(below))
    }
  }

  @Test("of a cgroup is theirs who list it, and by path theirs who are below it")
  func cgroup() {
    let scope = Scope.domain(.cgroup("/a/b"))
    #expect(Membership(scope: scope, byPath: false).contains(inside))
    #expect(!Membership(scope: scope, byPath: false).contains(below))
    #expect(Membership(scope: scope, byPath: true).contains(below))
    #expect(!Membership(scope: .domain(.cgroup("/a/bc")), byPath: true).contains(below))
  }
}
