// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// The level of one split as a fraction, as people are shown it.
///
/// Under level-down whoever took part in that split gives
/// clamp(size - ⌈numerator · weight / denominator⌉, 0, cap) and at most one byte more, which the
/// rounding of all left over.
package struct LevelFraction: Sendable, Equatable {
  /// Above and below the line; the latter is positive.
  package var numerator: UInt64, denominator: UInt64

  /// Makes a copy; nil where there is no level, or only hostile sizes explain it.
  init?(_ level: QuotaLevel?) {
    guard let level, let numerator = UInt64(exactly: level.numerator) else { return nil }
    self.numerator = numerator
    denominator = level.denominator
  }
}

/// A cgroup that clients are in or below.
package struct CgroupView: Sendable, Equatable {
  /// Its path from the root.
  package var path: String
  /// Clients in it and below it.
  package var clients: Int
  /// What the kernel keeps for it, as last told.
  package var protection: CgroupProtection
}

extension Broker {
  /// The cgroups that clients are in or below, but the root, by path.
  package var cgroups: [CgroupView] { registry.cgroups.order.map(cgroup) }

  /// The cgroups that a client is in, the innermost first, but the root.
  package func cgroups(of client: ClientID) -> [CgroupView] {
    guard let index = registry.index(of: client) else { return [] }
    var views: [CgroupView] = []
    var place = registry.accounts[index].cgroup
    while place != CgroupTree.root {
      views.append(cgroup(place))
      place = registry.cgroups.nodes[place].parent
    }
    return views
  }

  private func cgroup(_ place: Int) -> CgroupView {
    let node = registry.cgroups.nodes[place]
    return CgroupView(path: node.path, clients: node.clients, protection: node.protection)
  }
}

/// One cgroup or process on the way from the root to a client, in a plan or in a round.
package struct NodeQuota: Sendable, Equatable {
  /// The path of a cgroup, or the number of a process with several sessions.
  package enum Holder: Sendable, Equatable {
    /// A cgroup by its path; `/` is the root.
    case cgroup(String)
    /// A process.
    case process(ProcessID)
  }

  /// Whose sum it is.
  package var holder: Holder
  /// Where the node above is, in the same list; the root lies in itself.
  package var parent: Int
  /// What those below it hold, and what of that is cold.
  package var size: ByteCount, cold: ByteCount
  /// What those right below it could give together, what may go at most so that the kernel's
  /// protection remains (nil where there is none), and the smaller of both.
  package var childrenCap: ByteCount, room: ByteCount?, cap: ByteCount
  /// The means of weight and cost by size.
  package var weight: UInt64, cost: UInt64
  /// What it is given, and the level at which that was split over those right below it.
  package var part: ByteCount, level: LevelFraction?
}

extension QuotaPlanner {
  /// A node of the plan just made.
  func node(_ index: Int, of registry: borrowing ClientRegistry) -> NodeQuota {
    let node = tree.nodes[index]
    let claim = tree.entries[node.entry]
    let holder: NodeQuota.Holder =
      switch node.holder {
      case .cgroup(let place): .cgroup(registry.cgroups.nodes[place].path)
      case .process(let process): .process(process)
      }
    return NodeQuota(
      holder: holder,
      parent: node.parent,
      size: ByteCount(claim.size),
      cold: ByteCount(claim.cold),
      childrenCap: node.childrenCap,
      room: node.room,
      cap: ByteCount(claim.cap),
      weight: claim.weight,
      cost: claim.cost,
      part: ByteCount(claim.part),
      level: LevelFraction(node.level)
    )
  }
}

extension Array where Element == NodeQuota {
  /// The nodes from the root to the one at `index`.
  func path(to index: Int?) -> [NodeQuota] {
    guard var index, indices.contains(index) else { return [] }
    var path = [self[index]]
    while index != 0 {
      index = self[index].parent
      path.append(self[index])
    }
    return path.reversed()
  }
}
