// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("memory of a cgroup")
struct CgroupMemoryReaderTests {
  /// A slice with a limit, a service in it with both limits, and a group beside it with none.
  private let tree: FileTree = [
    "cgroup/shop.slice/memory.current": "900\n",
    "cgroup/shop.slice/memory.high": "max\n",
    "cgroup/shop.slice/memory.max": "1000\n",
    "cgroup/shop.slice/memory.stat": "inactive_file 50\nslab_reclaimable 10\n",
    "cgroup/shop.slice/web.service/memory.current": "500\n",
    "cgroup/shop.slice/web.service/memory.high": "800\n",
    "cgroup/shop.slice/web.service/memory.max": "1200\n",
    "cgroup/shop.slice/web.service/memory.low": "100\n",
    "cgroup/shop.slice/web.service/memory.min": "64\n",
    "cgroup/shop.slice/web.service/memory.pressure": PSIReaderTests.text,
    "cgroup/shop.slice/web.service/memory.stat": """
    anon 300
    file 200
    inactive_file 120
    slab_reclaimable 30
    slab_unreclaimable 7
    workingset_refault_anon 4
    workingset_refault_file 40
    pgscan 5000
    pgscan_kswapd 4000

    """,
    "cgroup/shop.slice/free/memory.current": "5\n",
    "cgroup/shop.slice/free/memory.high": "max\n",
    "cgroup/shop.slice/free/memory.max": "max\n",
  ]

  @Test("reads every size of a group")
  func sizes() throws {
    let memory = try #require(
      try CgroupMemoryReader.memory(of: "/shop.slice/web.service", tree.kernel)
    )
    #expect(memory.current == ByteCount(500))
    #expect(memory.high == ByteCount(800))
    #expect(memory.max == ByteCount(1_200))
    #expect(memory.low == ByteCount(100))
    #expect(memory.min == ByteCount(64))
    #expect(memory.statistics.inactiveFile == ByteCount(120))
    #expect(memory.statistics.slabReclaimable == ByteCount(30))
    #expect(memory.statistics.counters == ReclaimCounters(scanned: 5_000, refaults: 44))
    #expect(memory.limit == ByteCount(800))
    #expect(memory.held == ByteCount(350))
  }

  @Test("its capacity is its own limit, its room the least on the way to the root")
  func ancestors() throws {
    let reading = try #require(
      try CgroupMemoryReader.reading(of: "/shop.slice/web.service", tree.kernel)
    )
    // Own room: 800 - (500 - 120 - 30) = 450. The slice's: 1000 - (900 - 50 - 10) = 160.
    #expect(reading.capacity == ByteCount(800))
    #expect(reading.available == ByteCount(160))
    #expect(reading.pressure?.some.average10 == 153)
    #expect(reading.reclaimScanned == 5_000)
    #expect(reading.refaults == 44)
    #expect(reading.swapFree == nil)
  }

  @Test("an ancestor with more room, or without a limit, changes nothing")
  func roomyAncestor() throws {
    tree.write("cgroup/shop.slice/memory.max", "100000\n")
    let path = "/shop.slice/web.service"
    #expect(try CgroupMemoryReader.reading(of: path, tree.kernel)?.available == ByteCount(450))
    tree.write("cgroup/shop.slice/memory.max", "max\n")
    #expect(try CgroupMemoryReader.reading(of: path, tree.kernel)?.available == ByteCount(450))
    tree.remove("cgroup/shop.slice/memory.stat")
    tree.write("cgroup/shop.slice/memory.max", "910\n")
    #expect(try CgroupMemoryReader.reading(of: path, tree.kernel)?.available == ByteCount(10))
  }

  @Test("a group over its limit has no room, not less than none")
  func overLimit() throws {
    tree.write("cgroup/shop.slice/memory.max", "200\n")
    let reading = try CgroupMemoryReader.reading(of: "/shop.slice", tree.kernel)
    #expect(reading?.capacity == ByteCount(200))
    #expect(reading?.available == .zero)
  }

  @Test("a budget stands in for a limit, and only ever lowers one")
  func budgets() throws {
    let free = "/shop.slice/free"
    #expect(try CgroupMemoryReader.reading(of: free, tree.kernel) == nil)
    let budgeted = try CgroupMemoryReader.reading(of: free, budget: ByteCount(90), tree.kernel)
    #expect(budgeted?.capacity == ByteCount(90))
    #expect(budgeted?.available == ByteCount(85))
    let web = "/shop.slice/web.service"
    let lower = try CgroupMemoryReader.reading(of: web, budget: ByteCount(360), tree.kernel)
    #expect(lower?.capacity == ByteCount(360))
    #expect(lower?.available == ByteCount(10))
    let higher = try CgroupMemoryReader.reading(of: web, budget: ByteCount(9_999), tree.kernel)
    #expect(higher?.capacity == ByteCount(800))
  }

  @Test("knows which groups are domains")
  func limited() throws {
    #expect(try CgroupMemoryReader.isLimited("/shop.slice", tree.kernel))
    #expect(try CgroupMemoryReader.isLimited("/shop.slice/web.service", tree.kernel))
    #expect(try !CgroupMemoryReader.isLimited("/shop.slice/free", tree.kernel))
    #expect(try !CgroupMemoryReader.isLimited("/", tree.kernel))
    #expect(try !CgroupMemoryReader.isLimited("/absent", tree.kernel))
  }

  @Test(
    "a file that is gone, empty, cut or garbage is no number",
    arguments: [nil, "", "500", "garbage\n", "max\n", "-5\n"]
  )
  func broken(text: String?) throws {
    let name = "cgroup/shop.slice/web.service/memory.current"
    if let text { tree.write(name, text) } else { tree.remove(name) }
    #expect(try CgroupMemoryReader.memory(of: "/shop.slice/web.service", tree.kernel) == nil)
    #expect(try CgroupMemoryReader.reading(of: "/shop.slice/web.service", tree.kernel) == nil)
  }

  @Test("a group that is removed between two files loses only the second")
  func vanishing() throws {
    let web = "/shop.slice/web.service"
    tree.remove("cgroup/shop.slice/web.service/memory.stat")
    tree.remove("cgroup/shop.slice/web.service/memory.low")
    let memory = try #require(try CgroupMemoryReader.memory(of: web[...], tree.kernel))
    #expect(memory.held == ByteCount(500))
    #expect(memory.low == .zero)
    #expect(memory.statistics.counters == ReclaimCounters())
    tree.remove("cgroup/shop.slice/web.service")
    #expect(try CgroupMemoryReader.memory(of: web[...], tree.kernel) == nil)
  }
}
