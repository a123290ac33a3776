// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// The plan computed once more, from what clients and administrators say, in the slowest way.
///
/// Shares no code with the planner: fractions of big numbers, sorting, and the definition of the
/// split in place of a search for the level.
struct ReferencePlan {
  struct Cache: Equatable {
    var id: UInt32
    var floor: UInt64, cap: UInt64, weight: UInt64
    var part: UInt64 = 0
  }

  struct Client: Equatable {
    var id: UInt64
    var cap: UInt64, weight: UInt64
    var part: UInt64 = 0
    var caches: [Cache]
  }

  /// One party to a split.
  struct Party {
    var size: UInt64, cap: UInt64, weight: UInt64
  }

  /// A client, or everybody below one more component of the paths.
  private enum Member {
    case client(Int)
    case cgroup([Int])
  }

  private(set) var clients: [Client] = []
  private(set) var median: UInt32 = 0

  init(_ world: PlanWorld, target: UInt64, level: PressureLevel, within path: String?) {
    var parties: [Party] = []
    median = Self.median(world, level, path)
    for (number, client) in world.clients.enumerated() where Self.belongs(client, to: path) {
      var rows: [(Cache, Party)] = []
      for (place, cache) in client.caches.enumerated() {
        guard let party = party(of: cache, in: client, at: level) else { continue }
        let row = Cache(
          id: UInt32(place) + 1,
          floor: Self.floor(of: cache, in: client, at: level),
          cap: party.cap,
          weight: party.weight
        )
        rows.append((row, party))
      }
      guard !rows.isEmpty else { continue }
      let whole = Self.sum(of: rows.map(\.1))
      parties.append(whole)
      clients.append(
        Client(
          id: UInt64(number) + 1,
          cap: whole.cap,
          weight: whole.weight,
          caches: rows.map(\.0)
        )
      )
    }
    divide(target, over: parties, of: world)
  }

  private mutating func divide(_ target: UInt64, over parties: [Party], of world: PlanWorld) {
    let capacity = parties.reduce(BigNatural(0)) { $0 + BigNatural($1.cap) }
    let given = BigNatural(target) < capacity ? target : capacity.small
    divide(given, over: Array(clients.indices), "", parties, world)
    for (index, part) in clients.map(\.part).enumerated() {
      let caches = world.clients[Int(clients[index].id) - 1].caches
      let rows = clients[index].caches.map { row in
        Party(
          size: caches[Int(row.id) - 1].declaration.usage.bytes.value,
          cap: row.cap,
          weight: row.weight
        )
      }
      for (place, given) in Self.split(part, over: rows).enumerated() {
        clients[index].caches[place].part = given
      }
    }
  }

  /// Splits over whoever is right below the cgroup `path`, then within each cgroup.
  private mutating func divide(
    _ target: UInt64,
    over members: [Int],
    _ path: String,
    _ parties: [Party],
    _ world: PlanWorld
  ) {
    let below = crowd(of: members, right: path, world)
    let sums = below.map { sum(of: $0.1, $0.0, parties, world) }
    for (member, part) in zip(below, Self.split(target, over: sums)) {
      switch member.1 {
      case .client(let index): clients[index].part = part
      case .cgroup(let inside): divide(part, over: inside, member.0, parties, world)
      }
    }
  }

  /// Cgroups by path, then clients.
  private func crowd(
    of members: [Int],
    right path: String,
    _ world: PlanWorld
  ) -> [(String, Member)] {
    var groups: [String: [Int]] = [:]
    var single: [(String, Member)] = []
    for index in members {
      let whole = world.clients[Int(clients[index].id) - 1].facts.cgroup ?? ""
      guard whole != path else {
        single.append((path, .client(index)))
        continue
      }
      let rest = whole.dropFirst(path.count + 1)
      groups[path + "/" + rest.prefix { $0 != "/" }, default: []].append(index)
    }
    return groups.sorted { $0.key < $1.key }.map { ($0.key, .cgroup($0.value)) } + single
  }

  /// A member as one party.
  private func sum(
    of member: Member,
    _ path: String,
    _ parties: [Party],
    _ world: PlanWorld
  ) -> Party {
    switch member {
    case .client(let index): return parties[index]
    case .cgroup(let inside):
      return Self.sum(
        of: crowd(of: inside, right: path, world).map { sum(of: $0.1, $0.0, parties, world) }
      )
    }
  }

  // MARK: - Terms

  private static func belongs(_ client: PlanWorld.Client, to path: String?) -> Bool {
    guard let path else { return true }
    guard let group = client.facts.cgroup else { return false }
    return group == path || group.hasPrefix(path + "/")
  }

  private static func isAsked(_ cache: PlanWorld.Cache, at level: PressureLevel) -> Bool {
    if level == .critical { return cache.declaration.release != .gc }
    return cache.override?.minimumLevel ?? cache.declaration.minimumLevel <= level
  }

  private static func floor(
    of cache: PlanWorld.Cache,
    in client: PlanWorld.Client,
    at level: PressureLevel
  ) -> UInt64 {
    if level == .critical { return 0 }
    if let floor = cache.override?.floor { return floor.value }
    let bytes = cache.declaration.usage.bytes.value
    let wish = min(cache.declaration.floor.value, bytes / 4)
    let all = client.caches.reduce(BigNatural(0)) {
      $0 + BigNatural($1.declaration.usage.bytes.value)
    }
    guard all > BigNatural(0), all.digits.count <= 2 else { return wish }
    let product = BigNatural(client.facts.grantedFloor.value) * BigNatural(bytes)
    return max(wish, product.divided(by: all.small).quotient.small)
  }

  private static func cap(
    of cache: PlanWorld.Cache,
    in client: PlanWorld.Client,
    at level: PressureLevel
  ) -> UInt64 {
    let usage = cache.declaration.usage
    let floor = floor(of: cache, in: client, at: level)
    let above = usage.bytes.value > floor ? usage.bytes.value - floor : 0
    return min(usage.reclaimable.value, above)
  }

  private static func median(_ world: PlanWorld, _ level: PressureLevel, _ path: String?) -> UInt32
  {
    var costs: [UInt32] = []
    for client in world.clients where belongs(client, to: path) {
      for cache in client.caches where isAsked(cache, at: level) {
        guard cap(of: cache, in: client, at: level) > 0 else { continue }
        costs.append(cost(of: cache))
      }
    }
    costs.sort()
    return costs.isEmpty ? 0 : costs[(costs.count - 1) / 2]
  }

  /// Measured, else declared.
  private static func cost(of cache: PlanWorld.Cache) -> UInt32 {
    cache.declaration.usage.refillMicrosecondsPerMiB
      ?? cache.declaration.costMicrosecondsPerMiB
  }

  private func party(
    of cache: PlanWorld.Cache,
    in client: PlanWorld.Client,
    at level: PressureLevel
  ) -> Party? {
    let cap = Self.cap(of: cache, in: client, at: level)
    guard Self.isAsked(cache, at: level), cap > 0 else { return nil }
    let granted = UInt64(client.facts.grantedShare)
    let claimed = UInt64(min(100, max(1, cache.declaration.share)))
    var share = max(1, granted * claimed / 100)
    if let set = cache.override?.share { share = UInt64(min(10_000, max(1, set))) }
    let isWide = client.isSeen && cache.declaration.usage.refillMicrosecondsPerMiB != nil
    let (least, most): (UInt64, UInt64) = isWide ? (1_250, 80_000) : (5_000, 20_000)
    let parts = median == 0 ? 10_000 : UInt64(Self.cost(of: cache)) * 10_000 / UInt64(median)
    let band = min(most, max(least, parts))
    return Party(size: cache.declaration.usage.bytes.value, cap: cap, weight: share * band)
  }

  /// The caches of one client as one party: sums, and the mean weight by bytes.
  private static func sum(of rows: [Party]) -> Party {
    var size = BigNatural(0)
    var cap = BigNatural(0)
    var weighted = BigNatural(0)
    for row in rows {
      size = size + BigNatural(row.size)
      cap = cap + BigNatural(row.cap)
      weighted = weighted + BigNatural(row.size) * BigNatural(row.weight)
    }
    precondition(size.digits.count <= 2, "worlds whose sums saturate are not compared")
    return Party(
      size: size.small,
      cap: cap.small,
      weight: max(1, weighted.divided(by: size.small).quotient.small)
    )
  }

  // MARK: - The split

  /// Weighted max-min of what is kept, by its definition.
  static func split(_ target: UInt64, over parties: [Party]) -> [UInt64] {
    let capacity = parties.reduce(BigNatural(0)) { $0 + BigNatural($1.cap) }
    guard target > 0 else { return parties.map { _ in 0 } }
    guard BigNatural(target) < capacity else { return parties.map(\.cap) }
    // The level lies just above the highest mark at which enough is given.
    let heights = parties.flatMap { party in
      [(party.size, party.weight), (party.size - party.cap, party.weight)]
    }
    let marks = heights.sorted {
      BigNatural($0.0) * BigNatural($1.1) > BigNatural($1.0) * BigNatural($0.1)
    }
    guard let reached = marks.firstIndex(where: { given(at: $0, by: parties) >= target }),
      reached > 0
    else { preconditionFailure("at the highest mark nothing is given, at the lowest everything") }
    let (above, below) = (marks[reached - 1], marks[reached])
    var numerator = BigNatural(0)
    var denominator: UInt64 = 0
    for party in parties {
      if isAtOrAbove(party.size - party.cap, party.weight, above) {
        numerator = numerator + BigNatural(party.cap)
      } else if isAtOrAbove(party.size, party.weight, above)
        && !isAbove(party.size - party.cap, party.weight, below)
      {
        numerator = numerator + BigNatural(party.size)
        denominator += party.weight
      }
    }
    return round(target, parties, (numerator - BigNatural(target), denominator))
  }

  /// Whole bytes: everybody's part rounded down, what is left to the largest fractions.
  private static func round(
    _ target: UInt64,
    _ parties: [Party],
    _ level: (numerator: BigNatural, denominator: UInt64)
  ) -> [UInt64] {
    var parts: [UInt64] = []
    var fractions: [(rest: UInt64, index: Int)] = []
    for (index, party) in parties.enumerated() {
      let size = BigNatural(party.size) * BigNatural(level.denominator)
      let kept = level.numerator * BigNatural(party.weight)
      let exact = size > kept ? size - kept : BigNatural(0)
      let (whole, rest) = exact.divided(by: level.denominator)
      parts.append(min(whole.small, party.cap))
      if rest > 0, whole.small < party.cap { fractions.append((rest, index)) }
    }
    fractions.sort { $0.rest != $1.rest ? $0.rest > $1.rest : $0.index < $1.index }
    for fraction in fractions.prefix(Int(target - parts.reduce(0, +))) {
      parts[fraction.index] += 1
    }
    return parts
  }

  /// Whether all together give `target` at least when the level stands at a mark.
  private static func given(at mark: (UInt64, UInt64), by parties: [Party]) -> Given {
    var sum = BigNatural(0)
    for party in parties {
      let size = BigNatural(party.size) * BigNatural(mark.1)
      let kept = BigNatural(mark.0) * BigNatural(party.weight)
      guard size > kept else { continue }
      sum = sum + min(size - kept, BigNatural(party.cap) * BigNatural(mark.1))
    }
    return Given(sum: sum, parts: mark.1)
  }

  /// A fraction that is only ever compared with a whole number.
  private struct Given {
    var sum: BigNatural
    var parts: UInt64

    static func >= (given: Given, target: UInt64) -> Bool {
      given.sum >= BigNatural(target) * BigNatural(given.parts)
    }
  }

  private static func isAtOrAbove(
    _ size: UInt64,
    _ weight: UInt64,
    _ mark: (UInt64, UInt64)
  ) -> Bool {
    BigNatural(size) * BigNatural(mark.1) >= BigNatural(mark.0) * BigNatural(weight)
  }

  private static func isAbove(_ size: UInt64, _ weight: UInt64, _ mark: (UInt64, UInt64)) -> Bool {
    BigNatural(size) * BigNatural(mark.1) > BigNatural(mark.0) * BigNatural(weight)
  }
}
