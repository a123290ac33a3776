// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("memory of the host")
struct MemInfoReaderTests {
  static let meminfo = """
    MemTotal:        8000000 kB
    MemFree:          500000 kB
    MemAvailable:    3000000 kB
    SwapCached:            0 kB
    SwapTotal:       1000000 kB
    SwapFree:         900000 kB

    """

  static let vmstat = """
    nr_free_pages 123
    workingset_refault_anon 7
    workingset_refault_file 30
    workingset_activate_anon 1000
    pgscan_kswapd 100
    pgscan_direct 20
    pgscan_khugepaged 5
    pgscan_direct_throttle 9
    pgscan_anon 1

    """

  @Test("reads sizes")
  func sizes() throws {
    let tree: FileTree = ["proc/meminfo": MemInfoReaderTests.meminfo]
    #expect(
      try MemInfoReader.sizes(tree.kernel)
        == MemInfo(
          total: ByteCount(8_192_000_000),
          available: ByteCount(3_072_000_000),
          swapTotal: ByteCount(1_024_000_000),
          swapFree: ByteCount(921_600_000)
        )
    )
  }

  @Test("a file that ends before MemAvailable, or in the middle of it, is no reading")
  func halfWritten() {
    let bytes = Array(MemInfoReaderTests.meminfo.utf8)
    let needed =
      "MemTotal:        8000000 kB\nMemFree:          500000 kB\nMemAvailable:    3000000 kB\n"
    for length in 0..<needed.utf8.count {
      #expect(MemInfoReader.parse(bytes.span.extracting(0..<length)) == nil, "cut at \(length)")
    }
    let cut = bytes.span.extracting(0..<(bytes.count - 1))
    #expect(MemInfoReader.parse(cut)?.available == .kibibytes(3_000_000))
    #expect(MemInfoReader.parse(cut)?.swapTotal == .kibibytes(1_000_000))
    #expect(MemInfoReader.parse(cut)?.swapFree == nil)
  }

  @Test("a size beyond 64 bits is the largest one")
  func huge() {
    let bytes = Array(
      "MemTotal: 99999999999999999999 kB\nMemAvailable: 18446744073709551615 kB\n".utf8
    )
    #expect(MemInfoReader.parse(bytes.span)?.total == ByteCount(.max))
    #expect(MemInfoReader.parse(bytes.span)?.available == ByteCount(.max))
  }

  @Test("adds the counters up, and leaves out those that only resemble them")
  func counters() {
    let bytes = Array(MemInfoReaderTests.vmstat.utf8)
    #expect(
      MemInfoReader.parseCounters(bytes.span) == ReclaimCounters(scanned: 120, refaults: 37)
    )
    let none = Array("nr_free_pages 1\n".utf8)
    #expect(MemInfoReader.parseCounters(none.span) == ReclaimCounters())
  }

  @Test("a reading of a host is what each of its files says")
  func reading() throws {
    let tree: FileTree = [
      "proc/meminfo": MemInfoReaderTests.meminfo,
      "proc/vmstat": MemInfoReaderTests.vmstat,
      "proc/pressure/memory": PSIReaderTests.text,
    ]
    let reading = try #require(try MemInfoReader.reading(tree.kernel))
    #expect(reading.capacity == ByteCount(8_192_000_000))
    #expect(reading.available == ByteCount(3_072_000_000))
    #expect(reading.pressure?.some.average10 == 153)
    #expect(reading.reclaimScanned == 120)
    #expect(reading.refaults == 37)
    #expect(reading.swapFree == ByteCount(921_600_000))
  }

  @Test("a host without PSI and counters has a reading without them")
  func sparse() throws {
    let tree: FileTree = ["proc/meminfo": MemInfoReaderTests.meminfo]
    let reading = try #require(try MemInfoReader.reading(tree.kernel))
    #expect(reading.pressure == nil)
    #expect(reading.reclaimScanned == nil)
    #expect(reading.refaults == nil)
    tree.remove("proc/meminfo")
    #expect(try MemInfoReader.reading(tree.kernel) == nil)
  }

  @Test("adds up the high marks of the zones, not those of the processors' lists")
  func zones() throws {
    let tree: FileTree = [
      "proc/zoneinfo": """
      Node 0, zone      DMA
        pages free     3840
              boost    0
              min      7
              low      10
              high     13
              promo    16
        pagesets
          cpu: 0
                    count:    0
                    high:     14
                    high_min: 14
                    high_max: 52
      Node 0, zone    DMA32
        pages free     700000
              high     20

      """
    ]
    #expect(try ZoneInfoReader.highMarks(tree.kernel) == ByteCount(33 * Page.size))
    tree.write("proc/zoneinfo", "Node 0, zone DMA\n")
    #expect(try ZoneInfoReader.highMarks(tree.kernel) == nil)
  }

  @Test("this host has a plausible reading")
  func thisHost() throws {
    let files = KernelFiles(cgroup: nil)
    let reading = try #require(try MemInfoReader.reading(files))
    #expect(reading.available <= reading.capacity)
    #expect(reading.capacity > .mebibytes(64))
    #expect(reading.refaults != nil)
    let marks = try #require(try ZoneInfoReader.highMarks(files))
    #expect(marks > .zero && marks < reading.capacity)
  }
}
