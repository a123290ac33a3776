// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// A plan computed once more from what is shown of it, and from nothing else.
struct ShownPlan {
  /// One party of one split, by what is shown of it.
  private struct Row {
    var name: String
    var party: ReferencePlan.Party
    var part: UInt64
  }

  /// One crowd that shares a part.
  private struct Crowd {
    var node: NodeQuota
    var children: [Row] = []
  }

  /// Whatever does not follow from the rest.
  private(set) var problems: [String] = []
  private var crowds: [(name: String, crowd: Crowd)] = []

  init(_ plan: PlanView) {
    for client in plan.clients { enter(client) }
    for (name, crowd) in crowds { check(crowd, name) }
    for client in plan.clients { checkCaches(of: client) }
    guard let root = crowds.first?.crowd.node else { return }
    expect(root.part == plan.part, "the root's part")
    expect(root.cap == plan.capacity, "the root's cap")
    expect(plan.part == min(plan.target, plan.capacity), "the part of the whole")
  }

  /// Notes a client and the cgroups above it, each once.
  private mutating func enter(_ client: ClientQuota) {
    var above: Int?
    for node in client.path {
      let name = Self.name(of: node)
      if let known = crowds.firstIndex(where: { $0.name == name }) {
        above = known
        continue
      }
      if let above {
        crowds[above].crowd.children.append(
          Row(name: name, party: Self.party(of: node), part: node.part.value)
        )
      }
      crowds.append((name, Crowd(node: node)))
      above = crowds.count - 1
    }
    guard let above else { return expect(false, "\(client.client.name) has a path") }
    let party = ReferencePlan.Party(
      size: client.size.value,
      cap: client.cap.value,
      weight: client.weight
    )
    crowds[above].crowd.children.append(
      Row(name: client.client.name, party: party, part: client.part.value)
    )
  }

  private mutating func check(_ crowd: Crowd, _ name: String) {
    let node = crowd.node
    let rows = crowd.children
    expect(rows.reduce(0) { $0 + $1.party.size } == node.size.value, "\(name): size")
    expect(rows.reduce(0) { $0 + $1.party.cap } == node.childrenCap.value, "\(name): caps")
    let cap = min(node.childrenCap, node.room ?? node.childrenCap)
    expect(cap == node.cap, "\(name): cap under protection")
    var weighted = BigNatural(0)
    for row in rows {
      weighted = weighted + BigNatural(row.party.size) * BigNatural(row.party.weight)
    }
    if node.size > .zero {
      let mean = weighted.divided(by: node.size.value).quotient.small
      expect(max(1, mean) == node.weight, "\(name): weight")
    }
    check(rows, node.part.value, node.level, name)
  }

  private mutating func checkCaches(of client: ClientQuota) {
    let rows = client.caches.map { cache in
      let inputs = cache.inputs
      let party = ReferencePlan.Party(
        size: inputs.bytes.value,
        cap: inputs.cap.value,
        weight: inputs.weight
      )
      return Row(name: cache.name, party: party, part: cache.part.value)
    }
    check(rows, client.part.value, client.cacheLevel, client.client.name)
  }

  /// Holds each part to the shown level, and the bytes of rounding to the largest fractions.
  private mutating func check(
    _ rows: [Row],
    _ target: UInt64,
    _ level: LevelFraction?,
    _ name: String
  ) {
    expect(rows.reduce(0) { $0 + $1.part } == target, "\(name): sum of the parts")
    guard let level else {
      return expect(rows.allSatisfy { $0.part == 0 }, "\(name): nothing without a level")
    }
    var given: [(fraction: UInt64, isMore: Bool)] = []
    for row in rows {
      let exact = Self.exact(row.party, level)
      expect(row.part >= exact.whole, "\(row.name): at least what stands above the level")
      expect(row.part <= exact.whole + (exact.fraction > 0 ? 1 : 0), "\(row.name): a byte more")
      given.append((exact.fraction, row.part > exact.whole))
    }
    let least = given.filter(\.isMore).map(\.fraction).min() ?? .max
    let most = given.filter { !$0.isMore }.map(\.fraction).max() ?? 0
    expect(least >= most, "\(name): rounding goes to the largest fractions")
  }

  /// What stands out above the level: whole bytes, and the rest in parts of the denominator.
  private static func exact(
    _ party: ReferencePlan.Party,
    _ level: LevelFraction
  ) -> (whole: UInt64, fraction: UInt64) {
    let size = BigNatural(party.size) * BigNatural(level.denominator)
    let kept = BigNatural(level.numerator) * BigNatural(party.weight)
    guard size > kept else { return (0, 0) }
    let (whole, rest) = (size - kept).divided(by: level.denominator)
    return whole >= BigNatural(party.cap) ? (party.cap, 0) : (whole.small, rest)
  }

  private static func party(of node: NodeQuota) -> ReferencePlan.Party {
    ReferencePlan.Party(size: node.size.value, cap: node.cap.value, weight: node.weight)
  }

  private static func name(of node: NodeQuota) -> String {
    switch node.holder {
    case .cgroup(let path): path
    case .process(let process): "process \(process.number)"
    }
  }

  private mutating func expect(_ holds: Bool, _ what: String) {
    if !holds { problems.append(what) }
  }
}
