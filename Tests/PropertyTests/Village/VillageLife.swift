// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// What happens in a village from one moment to the next, drawn from its seed.
extension Village {
  /// Four to seven programs of random tempers, some with several sessions, some that collude.
  static func random(seed: UInt64) -> Village {
    var draw = CoreRandom(seed: seed)
    var village = Village(seed: seed, rule: draw.pick(QuotaRule.allCases))
    village.isMotley = true
    for _ in 0..<4 + draw.number(below: 3) {
      village.immigrate(draw.pick(Temper.allCases))
    }
    village.collude()
    village.demand = village.available - min(village.available, 150 * mebibyte)
    for group in ["/a", "/a/b"] {
      village.room[group] = (40 + village.random.number(below: 200)) * mebibyte
    }
    return village
  }

  private mutating func groups() -> [String] {
    random.pick([[], [], ["/a"], ["/a", "/a/b"], ["/a", "/a/b"]])
  }

  private mutating func immigrate(_ temper: Temper) {
    let sizes = (0...random.number(below: 2)).map { _ in 5 + random.number(below: 100) }
    _ = settle(temper, mebibytes: sizes, groups: groups(), isNew: random.chance(40))
  }

  /// A program of one user in three sessions: each with a cache of its own, or all with the same
  /// one, of which each then claims what any of them gave.
  private mutating func collude() {
    let home = groups()
    let isSplit = random.chance(50)
    let program = build(isSplit ? [40, 40, 40] : [120])
    for session in 0..<3 {
      let pools = isSplit ? [session] : [0]
      _ = join(isSplit ? .honest : .keeper, program, pools: pools, groups: home)
    }
    if !isSplit { sessions[sessions.count - 1].temper = .honest }
  }

  /// Lets something happen: mostly time passes, sometimes the world changes.
  mutating func live() {
    guard random.chance(30) else {
      return pass(atMost: random.pick([10, 100, 500, 2_000]) * 1_000_000)
    }
    switch random.number(below: 100) {
    case 0..<30: squeeze()
    case 30..<42: grow()
    case 42..<54: command()
    case 54..<62: die(anybody())
    case 62..<70: redeclare()
    case 70..<74: immigrate(random.pick(Temper.allCases))
    case 74..<78: relocate()
    case 78..<82: unregister()
    case 82..<86: administer()
    case 86..<94: alarm()
    case 94..<97: send(.domainLost(.cgroup(random.pick(["/a", "/a/b"]))))
    default: release()
    }
  }

  private mutating func anybody() -> Int { Int(random.number(below: UInt64(sessions.count))) }

  /// Somebody else takes memory, of the host or of a group.
  private mutating func squeeze() {
    let bytes = random.number(below: 120) * Village.mebibyte
    switch random.number(below: 3) {
    case 0: demand += min(bytes, available)
    case 1: room["/a", default: 0] -= min(bytes, room["/a"] ?? 0)
    default:
      let taken = min(bytes, room["/a/b"] ?? 0)
      room["/a/b", default: 0] -= taken
      room["/a", default: 0] -= min(taken, room["/a"] ?? 0)
    }
    let domain = random.pick([DomainID.host, .cgroup("/a"), .cgroup("/a/b")])
    send(.sampled(domain, reading(of: domain)))
  }

  private mutating func release() {
    demand -= min(demand, random.number(below: 200) * Village.mebibyte)
    for group in ["/a", "/a/b"] {
      room[group, default: 0] += random.number(below: 200) * Village.mebibyte
    }
  }

  private mutating func alarm() {
    let domain = random.pick([DomainID.host, .host, .cgroup("/a"), .cgroup("/a/b")])
    let level = random.pick([PressureLevel.low, .medium, .critical])
    let source = random.pick([AlarmSource.trigger, .average, .watch])
    send(.alarmed(domain, level, source, reading(of: domain)))
  }

  /// A client fills its caches, as far as it was told that it may.
  private mutating func grow() {
    let index = anybody()
    guard sessions[index].isAttached else { return }
    for cache in sessions[index].caches {
      let pool = programs[sessions[index].program].pools[cache.pool]
      let most = auditor.told(sessions[index].id, cache.id)?.value ?? pool + 40 * Village.mebibyte
      let wanted = pool + random.number(below: 40) * Village.mebibyte
      programs[sessions[index].program].pools[cache.pool] = max(pool, min(wanted, most))
    }
    report(index)
  }

  private mutating func command() {
    let scope = random.pick([
      Scope.manual, .manual, .domain(.host), .domain(.cgroup("/a")), .domain(.cgroup("/a/b")),
    ])
    let bytes = ByteCount.mebibytes(random.number(below: 200))
    let request = RoundRequest(
      bytes: random.chance(80) ? bytes : nil,
      level: random.pick([.low, .medium, .critical]),
      scope: scope,
      dryRun: random.chance(25)
    )
    send(.requested(RequestToken(random.next()), request))
  }

  private mutating func redeclare() {
    let index = anybody()
    guard let cache = sessions[index].caches.last, sessions[index].isAttached else { return }
    if random.chance(40), sessions[index].caches.count < 4 {
      return register(index, cache.pool)
    }
    let declaration = CacheDeclaration(
      name: "cache-\(cache.id.number)",
      share: random.pick([1, 50, 100]),
      floor: .mebibytes(random.number(below: 60)),
      minimumLevel: random.pick([.low, .medium, .critical]),
      usage: usage(cache, of: index)
    )
    send(.updated(sessions[index].id, cache.id, declaration))
  }

  private mutating func unregister() {
    let index = anybody()
    guard sessions[index].isAttached, let cache = sessions[index].caches.popLast() else { return }
    send(.unregistered(sessions[index].id, cache.id))
  }

  private mutating func relocate() {
    let index = anybody()
    guard !sessions[index].isGone else { return }
    sessions[index].groups = groups()
    var facts = facts(index)
    facts.grantedShare = random.pick([1, 100, 100, 10_000])
    facts.grantedFloor = .mebibytes(random.pick([0, 0, 30]))
    facts.takesRequests = random.chance(90)
    send(.relocated(sessions[index].id, facts))
  }

  private mutating func administer() {
    let index = anybody()
    switch random.number(below: 4) {
    case 0: send(.paused(until: now + .milliseconds(random.number(below: 3_000))))
    case 1: send(.resumed)
    case 2:
      let protection = CgroupProtection(
        low: .mebibytes(random.number(below: 80)),
        min: .mebibytes(random.number(below: 20))
      )
      send(.protected(random.pick(["/a", "/a/b"]), protection))
    default:
      guard let cache = sessions[index].caches.first else { return }
      let override = CacheOverride(
        share: random.chance(50) ? 1 + UInt32(random.number(below: 10_000)) : nil,
        floor: random.chance(50) ? .mebibytes(random.number(below: 40)) : nil,
        until: now + .milliseconds(random.number(below: 5_000))
      )
      send(.overridden(sessions[index].id, cache.id, override))
    }
  }
}
