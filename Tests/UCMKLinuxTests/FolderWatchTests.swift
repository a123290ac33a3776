// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKLinux
import UCMKTestSupport

@Suite("folder watch")
struct FolderWatchTests {
  private let tree = FileTree()

  @Test("tells what is made, removed and moved in its folders, once")
  func changes() throws {
    tree.makeFolder("a")
    let watch = try FolderWatch()
    #expect(try watch.add(tree.path("a")))
    #expect(!watch.drain())
    tree.makeFolder("a/b")
    #expect(watch.drain())
    #expect(!watch.drain())
    tree.move("a/b", to: "a/c")
    #expect(watch.drain())
    tree.remove("a/c")
    #expect(watch.drain())
    #expect(!watch.drain())
  }

  @Test("says nothing of what lies deeper or beside, and of files that change")
  func elsewhere() throws {
    tree.makeFolder("a/b")
    tree.write("a/file", "1")
    let watch = try FolderWatch()
    try watch.add(tree.path("a"))
    tree.makeFolder("a/b/c")
    tree.makeFolder("d")
    tree.write("a/file", "2")
    #expect(!watch.drain())
  }

  @Test("a folder that is none is no error")
  func absent() throws {
    tree.write("file", "")
    let watch = try FolderWatch()
    #expect(try !watch.add(tree.path("nowhere")))
    #expect(try !watch.add(tree.path("nowhere/deeper")))
    #expect(try !watch.add(tree.path("file")))
    #expect(!watch.drain())
    #expect(FolderWatch.exists(tree.path("file")))
    #expect(!FolderWatch.exists(tree.path("nowhere")))
  }

  @Test("many changes at once are drained at once; the descriptor says when there is one")
  func many() throws {
    let watch = try FolderWatch()
    for _ in 1...3 { #expect(try watch.add(tree.root)) }
    #expect(!isReadable(watch.raw))
    for index in 0..<1_000 { tree.makeFolder("f\(index)") }
    #expect(isReadable(watch.raw))
    #expect(watch.drain())
    #expect(!isReadable(watch.raw))
  }

  @Test("a group of this host's hierarchy is noticed when it is made", .enabled(if: hasGroups))
  func group() throws {
    let group = try #require(PressureGroup())
    let root = String(group.folder.dropLast(group.path.utf8.count))
    let watch = try FolderWatch()
    #expect(try watch.add(root))
    let other = try #require(PressureGroup())
    #expect(watch.drain())
    #expect(other.remove())
    #expect(watch.drain())
  }

  private static var hasGroups: Bool { PressureGroup() != nil }
}
