// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Whose sum a node of a plan is.
enum NodeHolder: Sendable, Equatable {
  /// A cgroup, by its place in `CgroupTree`.
  case cgroup(Int)
  /// A process with several sessions.
  case process(ProcessID)
}

/// One cgroup or process with somebody in it who takes part.
struct PlanNode: Sendable {
  /// Whose sum it is.
  let holder: NodeHolder
  /// The node above; the root lies in itself.
  ///
  /// A node comes after the one it lies in.
  let parent: Int
  /// Its own place among the entries, and those of whoever is right below it.
  var entry = 0, children = 0..<0
  /// What those right below could give together, before protection.
  var childrenCap = ByteCount.zero
  /// What may go at most so that what the kernel keeps for it remains; nil where it keeps nothing.
  var room: ByteCount?
  /// The level at which its part was split; nil where it had none, or the rule knows none.
  var level: QuotaLevel?
}

/// The cgroup tree of one plan: who shares with whom, and what each crowd gives.
///
///     size    sum of what is right below
///     cap     the same, at most what the cgroup holds less `memory.low` (`memory.min` at critical)
///     weight  mean of what is right below, by size
///
/// Entitlement belongs to the cgroup, so that a program gains nothing by splitting itself in two.
/// The mean carries what the administrator grants and what things cost up the tree: a service of
/// five hundred shares is a cgroup of five hundred shares, and whoever is granted nothing stands at
/// the default of a hundred. A node's cap is at most the sum of those below it, so the parts add up
/// to the byte at every level.
///
/// Everything is a loop over an order in which a node comes after the one that it lies in: however
/// deep the tree, no call nests.
struct PlanTree: Sendable {
  /// The root first; empty where nobody takes part.
  private(set) var nodes: [PlanNode] = []
  /// The root, then everybody right below each node, node by node.
  private(set) var entries: [Claim] = []
  /// Of which node each client is, and its place among the entries.
  private(set) var owners: [Int] = [], places: [Int] = []

  /// By place in the cgroup tree: the node, or -1; and what is held there and below.
  private var nodeOfCgroup: [Int] = [], held: [ByteCount] = []
  /// By place in the registry's processes: the node, or -1.
  private var nodeOfProcess: [Int] = []
  private var cursors: [Int] = []

  /// Makes room for plans over so many clients in so many cgroups.
  mutating func reserve(clients: Int, cgroups: Int) {
    let most = clients + cgroups + 1
    nodes.makeRoom(for: most)
    entries.makeRoom(for: clients + most)
    owners.makeRoom(for: clients)
    places.makeRoom(for: clients)
    nodeOfCgroup.makeRoom(for: cgroups)
    held.makeRoom(for: cgroups)
    nodeOfProcess.makeRoom(for: clients)
    cursors.makeRoom(for: most)
  }

  // MARK: - Who shares with whom

  /// Arranges those that take part.
  mutating func arrange(
    _ clients: [PlannedClient],
    _ terms: QuotaTerms,
    of registry: borrowing ClientRegistry
  ) {
    nodes.clear()
    owners.clear()
    guard !clients.isEmpty else { return }
    markCgroups(clients, registry)
    for client in clients { owners.append(nodeOfCgroup[registry.accounts[client.account].cgroup]) }
    if registry.sharedProcessCount > 0 { groupSessions(clients, registry) }
    lineUp()
    if registry.cgroups.protectedCount > 0 { protect(terms, registry) }
  }

  /// Makes a node of each cgroup that somebody who takes part is in or below.
  private mutating func markCgroups(
    _ clients: [PlannedClient],
    _ registry: borrowing ClientRegistry
  ) {
    nodeOfCgroup.clear()
    for _ in registry.cgroups.nodes { nodeOfCgroup.append(-1) }
    for client in clients {
      var place = registry.accounts[client.account].cgroup
      while place != CgroupTree.root, nodeOfCgroup[place] < 0 {
        nodeOfCgroup[place] = 0
        place = registry.cgroups.nodes[place].parent
      }
    }
    nodeOfCgroup[CgroupTree.root] = 0
    nodes.append(PlanNode(holder: .cgroup(CgroupTree.root), parent: 0))
    for place in registry.cgroups.order where nodeOfCgroup[place] == 0 {
      nodeOfCgroup[place] = nodes.count
      let parent = nodeOfCgroup[registry.cgroups.nodes[place].parent]
      nodes.append(PlanNode(holder: .cgroup(place), parent: parent))
    }
  }

  /// Puts the sessions of one process together, in the cgroup of the first.
  private mutating func groupSessions(
    _ clients: [PlannedClient],
    _ registry: borrowing ClientRegistry
  ) {
    nodeOfProcess.clear()
    for _ in registry.processes { nodeOfProcess.append(-1) }
    for (index, client) in clients.enumerated() {
      let process = registry.accounts[client.account].facts.process
      guard let place = registry.processIndex(of: process),
        registry.processes[place].sessions > 1
      else { continue }
      if nodeOfProcess[place] < 0 {
        nodeOfProcess[place] = nodes.count
        nodes.append(PlanNode(holder: .process(process), parent: owners[index]))
      }
      // A session whose move to another cgroup is not known of all yet stays where it is.
      guard nodes[nodeOfProcess[place]].parent == owners[index] else { continue }
      owners[index] = nodeOfProcess[place]
    }
  }

  /// Gives everybody a place beside those it shares with: nodes first, then clients.
  private mutating func lineUp() {
    cursors.clear()
    for _ in nodes { cursors.append(0) }
    for index in nodes.indices.dropFirst() { cursors[nodes[index].parent] += 1 }
    for owner in owners { cursors[owner] += 1 }
    var end = 1
    for index in nodes.indices {
      nodes[index].children = end..<end + cursors[index]
      cursors[index] = end
      end = nodes[index].children.upperBound
    }
    for index in nodes.indices.dropFirst() {
      nodes[index].entry = cursors[nodes[index].parent]
      cursors[nodes[index].parent] += 1
    }
    places.clear()
    for owner in owners {
      places.append(cursors[owner])
      cursors[owner] += 1
    }
    entries.clear()
    for _ in 0..<end { entries.append(Claim(size: 0, cap: 0, weight: 1)) }
  }

  // MARK: - Protection

  /// Finds out how much each cgroup may lose.
  ///
  /// What the kernel keeps counts against pressure from outside: not for the cgroup that is short
  /// itself, nor above it (`cgroup-v2.rst`, "memory.low").
  private mutating func protect(_ terms: QuotaTerms, _ registry: borrowing ClientRegistry) {
    held.clear()
    for _ in registry.cgroups.nodes { held.append(.zero) }
    for index in registry.accounts.indices where registry.accounts[index].isAttached {
      let bytes = registry.accounts[index].bytes - registry.accounts[index].inFlight
      held[registry.accounts[index].cgroup] += bytes
    }
    for place in registry.cgroups.order.reversed() {
      held[registry.cgroups.nodes[place].parent] += held[place]
    }
    var short: Int?
    if case .domain(.cgroup(let path)) = terms.members.scope {
      short = registry.cgroups.place(of: path)
    }
    for index in nodes.indices {
      guard case .cgroup(let place) = nodes[index].holder, place != CgroupTree.root else {
        continue
      }
      let protection = registry.cgroups.nodes[place].protection
      guard protection != .none else { continue }
      if let short, registry.cgroups.isWithin(short, place) { continue }
      let kept =
        terms.level == .critical ? protection.min : max(protection.low, protection.min)
      nodes[index].room = held[place] - kept
    }
  }

  // MARK: - What each crowd gives

  /// Adds up what the clients hold and could give, and returns what all can.
  ///
  /// - Parameters:
  ///   - claims: Of the clients, in their order.
  ///   - clients: The same; those that are left out hold what they hold and give nothing.
  /// - Returns: The cap of the root.
  mutating func sum(_ claims: [Claim], _ clients: [PlannedClient]) -> ByteCount {
    guard !nodes.isEmpty else { return .zero }
    for index in claims.indices {
      entries[places[index]] = claims[index]
      if clients[index].isLeftOut { entries[places[index]].cap = 0 }
    }
    for index in nodes.indices.reversed() {
      var claim = ClaimSum.of(entries, in: nodes[index].children)
      nodes[index].childrenCap = ByteCount(claim.cap)
      if let room = nodes[index].room {
        claim.cap = min(claim.cap, room.value)
        claim.cold = min(claim.cold, claim.cap)
      }
      entries[nodes[index].entry] = claim
    }
    return ByteCount(entries[0].cap)
  }

  /// Splits `target` from the root down and gives each client its part.
  ///
  /// - Returns: What was given: min(target, cap of the root).
  mutating func split(
    _ target: ByteCount,
    by rule: QuotaRule,
    with solver: inout QuotaSolver,
    to claims: inout [Claim]
  ) -> ByteCount {
    guard !nodes.isEmpty else { return .zero }
    entries[0].part = min(target.value, entries[0].cap)
    for index in nodes.indices {
      let part = entries[nodes[index].entry].part
      let given = solver.split(part, by: rule, over: &entries, in: nodes[index].children)
      precondition(given == part, "a node's cap is at most the sum of those below it")
      nodes[index].level = solver.level
    }
    for index in claims.indices { claims[index].part = entries[places[index]].part }
    return ByteCount(entries[0].part)
  }
}

/// The sum of several claims as one: sums of bytes, means of weight and cost by size.
struct ClaimSum: Sendable {
  private var size: UInt128 = 0, cap: UInt128 = 0, cold: UInt128 = 0, deferred: UInt128 = 0
  private var weighted: UInt128 = 0, priced: UInt128 = 0

  /// Adds one.
  @inline(__always)
  mutating func add(_ claim: Claim) {
    size += UInt128(claim.size)
    cap += UInt128(claim.cap)
    cold += UInt128(claim.cold)
    deferred += UInt128(claim.deferred)
    weighted += UInt128(claim.size) * UInt128(claim.weight)
    priced += UInt128(claim.size) * UInt128(claim.cost)
  }

  /// The claims in `range` as one.
  @inline(__always)
  static func of(_ claims: [Claim], in range: Range<Int>) -> Claim {
    // The mean of one is that one.
    if range.count == 1 { return claims[range.lowerBound] }
    var whole = ClaimSum()
    for index in range { whole.add(claims[index]) }
    return whole.claim
  }

  /// All as one; saturates.
  var claim: Claim {
    Claim(
      size: UInt64(clamping: size),
      cap: UInt64(clamping: cap),
      weight: max(1, mean(of: weighted)),
      cold: UInt64(clamping: cold),
      deferred: UInt64(clamping: deferred),
      cost: mean(of: priced)
    )
  }

  /// The quotient by the size, rounded down: below 2^32, like each weight and cost.
  ///
  /// One machine division where the divisor fits.
  private func mean(of sum: UInt128) -> UInt64 {
    guard size > 0 else { return 0 }
    guard let divisor = UInt64(exactly: size) else { return UInt64(sum / size) }
    let halves = (high: UInt64(sum >> 64), low: UInt64(truncatingIfNeeded: sum))
    return divisor.dividingFullWidth(halves).quotient
  }
}
