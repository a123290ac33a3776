// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("memory of a process")
struct ProcessReaderTests {
  static let status = """
    Name:\timgd
    VmRSS:\t    9000 kB
    RssAnon:\t    5000 kB
    RssFile:\t    3000 kB
    RssShmem:\t    1000 kB
    Threads:\t3

    """

  static let smaps = """
    55d0c0a00000-7ffd7e3fe000 ---p 00000000 00:00 0                          [rollup]
    Rss:                9000 kB
    LazyFree:            700 kB

    """

  private let tree: FileTree = [
    "proc/42/status": ProcessReaderTests.status,
    "proc/42/smaps_rollup": ProcessReaderTests.smaps,
    "cgroup/a/cgroup.procs": "42\n",
    "cgroup/a/memory.current": "7000000\n",
  ]
  private let process = ProcessID(42)

  @Test("counts what the kernel cannot drop: anonymous and shared, not file pages")
  func resident() throws {
    let reading = try #require(try ProcessReader.reading(of: process, tree.kernel))
    #expect(reading == ProcessReading(resident: .kibibytes(6_000)))
    #expect(reading.held == .kibibytes(6_000))
  }

  @Test("walks the page tables only when asked to")
  func lazyFree() throws {
    let reading = try ProcessReader.reading(of: process, depth: .lazyFree, tree.kernel)
    #expect(reading?.lazyFree == .kibibytes(700))
    #expect(reading?.held == .kibibytes(5_300))
    tree.remove("proc/42/smaps_rollup")
    let without = try ProcessReader.reading(of: process, depth: .lazyFree, tree.kernel)
    #expect(without == ProcessReading(resident: .kibibytes(6_000)))
  }

  @Test(
    "takes a cgroup's size only where the process is alone in it",
    arguments: [
      ("42\n", 7_000_000), ("42\n43\n", nil), ("43\n", nil), ("", nil), ("0\n", nil),
      ("42", nil), ("99999999999\n", nil),
    ] as [(String, UInt64?)]
  )
  func soleMember(members: String, expected: UInt64?) throws {
    tree.write("cgroup/a/cgroup.procs", members)
    let reading = try ProcessReader.reading(of: process, cgroup: "/a", tree.kernel)
    #expect(reading?.soleCgroupCurrent == expected.map { ByteCount($0) })
    #expect(reading?.resident == .kibibytes(6_000))
  }

  @Test("a process that is gone, or has no memory of its own, has no reading")
  func gone() throws {
    #expect(try ProcessReader.reading(of: ProcessID(43), tree.kernel) == nil)
    tree.write("proc/42/status", "Name:\tkthreadd\nThreads:\t1\n")
    #expect(try ProcessReader.reading(of: process, tree.kernel) == nil)
    tree.write("proc/42/status", "Name:\tx\nRssAnon:\t 5000 kB\n")
    #expect(try ProcessReader.reading(of: process, tree.kernel) == nil, "cut before RssShmem")
    tree.write("proc/42/status", "")
    #expect(try ProcessReader.reading(of: process, tree.kernel) == nil)
  }

  @Test(
    "finds the start time behind any name",
    arguments: ["(imgd)", "(a) b (c))", "((sd-pam))", "(x y z 1 2 3)"]
  )
  func startTime(name: String) throws {
    tree.write(
      "proc/42/stat",
      "42 \(name) S 1 42 42 0 -1 4194560 10 0 0 0 1 2 0 0 20 0 1 0 987654 1000 20 99\n"
    )
    #expect(try ProcessReader.startTime(of: process, tree.kernel) == 987_654)
  }

  @Test("a stat file that is cut or absent has no start time")
  func noStartTime() throws {
    #expect(try ProcessReader.startTime(of: process, tree.kernel) == nil)
    for text in ["", "42 (imgd) S 1 2 3\n", "42 imgd S 1\n", "42 (imgd\n"] {
      tree.write("proc/42/stat", text)
      #expect(try ProcessReader.startTime(of: process, tree.kernel) == nil, "\(text)")
    }
  }

  @Test("knows the executable, also after it was replaced")
  func executable() throws {
    tree.makeLink("proc/42/exe", to: "/usr/bin/imgd")
    tree.makeFolder("proc/44")
    tree.makeLink("proc/44/exe", to: "/usr/bin/imgd (deleted)")
    #expect(try ProcessReader.executable(of: process, tree.kernel) == "/usr/bin/imgd")
    #expect(try ProcessReader.executable(of: ProcessID(44), tree.kernel) == "/usr/bin/imgd")
    #expect(try ProcessReader.executable(of: ProcessID(45), tree.kernel) == nil)
  }

  @Test("reads this very process")
  func own() throws {
    let (one, other) = try UnixStream.pair(nonblocking: true)
    let own = try PeerCredentials(of: one.raw).process
    withExtendedLifetime(other) {}
    let files = KernelFiles(cgroup: nil)
    let reading = try #require(try ProcessReader.reading(of: own, depth: .lazyFree, files))
    #expect(reading.resident > .mebibytes(1))
    #expect(reading.lazyFree != nil)
    #expect(try ProcessReader.startTime(of: own, files) ?? 0 > 0)
    #expect(try ProcessReader.executable(of: own, files)?.hasPrefix("/") == true)
  }
}
