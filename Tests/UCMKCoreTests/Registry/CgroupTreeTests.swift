// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("The cgroup tree")
struct CgroupTreeTests {
  private func paths(_ tree: CgroupTree) -> [String] {
    tree.order.map { "\(tree.nodes[$0].path) \(tree.nodes[$0].clients)" }
  }

  @Test("holds the cgroups that clients are in and all above, parents first")
  func enter() {
    var tree = CgroupTree()
    let inner = tree.enter("/a/b")
    _ = tree.enter("/a")
    _ = tree.enter("/a.slice/x")
    #expect(paths(tree) == ["/a 2", "/a.slice 1", "/a.slice/x 1", "/a/b 1"])
    #expect(tree.place(of: "/a/b") == inner)
    #expect(tree.place(of: "/") == CgroupTree.root)
    #expect(tree.place(of: "/a/c") == nil)
    #expect(tree.isWithin(inner, tree.place(of: "/a")!))
    #expect(!tree.isWithin(inner, tree.place(of: "/a.slice")!))
    #expect(tree.isWithin(inner, CgroupTree.root))
  }

  @Test("forgets what nobody is in, and gives its place to the next")
  func leave() {
    var tree = CgroupTree()
    let first = tree.enter("/a/b")
    let second = tree.enter("/a/c")
    tree.leave(first)
    #expect(paths(tree) == ["/a 1", "/a/c 1"])
    let third = tree.enter("/d")
    #expect(tree.nodes.count == 4)
    tree.leave(second)
    tree.leave(third)
    #expect(tree.order.isEmpty)
    #expect(tree.nodes[CgroupTree.root].clients == 0)
  }

  @Test(
    "takes odd paths for what they can mean",
    arguments: [
      (nil, []), ("/", []), ("", []), ("//", []), ("/a/", ["/a 1"]), ("a", ["a 1"]),
      ("/a//b", ["/a 1", "/a//b 1"]),
    ] as [(String?, [String])]
  )
  func oddPaths(path: String?, expected: [String]) {
    var tree = CgroupTree()
    let place = tree.enter(path)
    #expect(paths(tree) == expected)
    tree.leave(place)
    #expect(tree.order.isEmpty)
  }

  @Test("follows a tree thirty-two levels down")
  func depth() {
    var tree = CgroupTree()
    let path = String(repeating: "/x", count: 1_000)
    let place = tree.enter(path)
    #expect(tree.order.count == CgroupTree.depthMaximum)
    #expect(tree.nodes[place].path == String(repeating: "/x", count: 32))
    tree.leave(place)
    #expect(tree.order.isEmpty)
  }

  @Test("remembers protections as long as anybody is there")
  func protection() {
    var tree = CgroupTree()
    let place = tree.enter("/a")
    let low = CgroupProtection(low: ByteCount(5), min: .zero)
    tree.protect("/a", low)
    tree.protect("/nobody", low)
    #expect(tree.nodes[place].protection == low)
    #expect(tree.protectedCount == 1)
    tree.protect("/a", low)
    #expect(tree.protectedCount == 1)
    tree.leave(place)
    #expect(tree.protectedCount == 0)
    #expect(tree.nodes[tree.enter("/a")].protection == .none)
  }
}
