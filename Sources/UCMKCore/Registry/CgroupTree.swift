// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// The cgroups that clients are in, and all above these, as far as anybody is there.
///
/// A cgroup without clients is absent: those who did not register are not touched. Each has a place
/// that stays the same as long as anybody is in it, so that an account can remember it; `order`
/// lists the places so that a cgroup comes after the one it lies in, and everything about the tree
/// is a loop in this order or against it.
struct CgroupTree: Sendable, Equatable {
  /// How deep the tree is followed: what lies deeper counts as in the cgroup at this depth.
  ///
  /// Four times what a service manager makes of a nested session; bounds the places that a path of
  /// 4,096 bytes can take.
  static let depthMaximum = 32
  /// The place of the root, which is always there: clients of no cgroup are in it.
  static let root = 0

  /// One cgroup.
  struct Node: Sendable, Equatable {
    /// The path from the root, and the place of the cgroup above; the root lies in itself.
    var path: String, parent: Int
    /// Clients in it and below it.
    var clients = 0
    /// What the kernel keeps for it.
    var protection = CgroupProtection.none
  }

  /// The cgroups by place; places that nobody holds among them.
  private(set) var nodes = [Node(path: "/", parent: CgroupTree.root)]
  /// The places in use but the root, by path.
  private(set) var order: [Int] = []
  /// Cgroups with a protection.
  private(set) var protectedCount = 0
  private var free: [Int] = []

  /// The place of a path, or nil.
  func place(of path: String) -> Int? {
    if path == "/" { return CgroupTree.root }
    let rank = rank(of: path.utf8)
    guard isAt(rank, path) else { return nil }
    return order[rank]
  }

  /// Counts a client in the cgroup `path` and all above it, and returns the place.
  mutating func enter(_ path: String?) -> Int {
    var place = CgroupTree.root
    nodes[place].clients += 1
    guard let path else { return place }
    let bytes = path.utf8
    var depth = 0
    var end = bytes.startIndex
    while end < bytes.endIndex, depth < CgroupTree.depthMaximum {
      let next = bytes[bytes.index(after: end)...].firstIndex(of: UInt8(ascii: "/"))
      end = next ?? bytes.endIndex
      // "//" and a slash at the end name nothing new.
      guard bytes[bytes.index(before: end)] != UInt8(ascii: "/") else { continue }
      place = child(String(path[..<end]), of: place)
      nodes[place].clients += 1
      depth += 1
    }
    return place
  }

  /// Counts a client less at a place and all above it; what nobody is in any more goes.
  mutating func leave(_ place: Int) {
    var place = place
    while true {
      precondition(nodes[place].clients > 0, "whoever leaves a cgroup was in it")
      nodes[place].clients -= 1
      guard place != CgroupTree.root else { return }
      let parent = nodes[place].parent
      if nodes[place].clients == 0 { remove(place) }
      place = parent
    }
  }

  /// Takes note of what the kernel keeps for a cgroup; one that nobody is in is not known.
  mutating func protect(_ path: String, _ protection: CgroupProtection) {
    guard let place = place(of: path) else { return }
    if nodes[place].protection != .none { protectedCount -= 1 }
    nodes[place].protection = protection
    if protection != .none { protectedCount += 1 }
  }

  /// Whether `place` is `other` or lies in it.
  func isWithin(_ place: Int, _ other: Int) -> Bool {
    var place = place
    while place != other {
      guard place != CgroupTree.root else { return false }
      place = nodes[place].parent
    }
    return true
  }

  private mutating func child(_ path: String, of parent: Int) -> Int {
    let rank = rank(of: path.utf8)
    if isAt(rank, path) { return order[rank] }
    let node = Node(path: path, parent: parent)
    let place: Int
    if let last = free.popLast() {
      place = last
      nodes[place] = node
    } else {
      place = nodes.count
      nodes.append(node)
    }
    order.insert(place, at: rank)
    return place
  }

  private mutating func remove(_ place: Int) {
    protect(nodes[place].path, .none)
    order.remove(at: rank(of: nodes[place].path.utf8))
    nodes[place] = Node(path: "", parent: CgroupTree.root)
    free.append(place)
  }

  private func isAt(_ rank: Int, _ path: String) -> Bool {
    rank < order.count && nodes[order[rank]].path.utf8.elementsEqual(path.utf8)
  }

  /// The first place in `order` whose path is not below this one, byte by byte: a path comes after
  /// everything that it begins with.
  private func rank(of path: String.UTF8View) -> Int {
    var low = 0
    var high = order.count
    while low < high {
      let middle = low + (high - low) / 2
      if nodes[order[middle]].path.utf8.lexicographicallyPrecedes(path) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
