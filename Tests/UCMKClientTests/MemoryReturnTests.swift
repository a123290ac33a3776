// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKClient
import UCMKClientTestKit
import UCMKLinux

/// In a process of its own: what other tests take meanwhile would count too.
@Suite("memory that really goes back")
struct MemoryReturnTests {
  /// One value of the cache, on the heap: below the allocator's threshold for mappings of their
  /// own, so that only a trim can give the pages back.
  final class Block: Sendable {
    let bytes: [UInt8]

    init() { bytes = [UInt8](repeating: 1, count: 16 << 10) }
  }

  @Test("a shrink with trim lowers the process's resident memory by most of what was freed")
  func resident() async {
    await #expect(processExitsWith: .success) {
      let configuration = UCMKClient.Configuration(trimMalloc: true)
      try await withFakeBroker(configuration: configuration) { broker, client in
        let cache = UCMKCache<Int, Block>(name: "blocks", client: client)
        for key in 0..<6_400 { cache.setObject(Block(), forKey: key, cost: 16 << 10) }
        try await broker.usage(of: "blocks") { $0.bytes == .mebibytes(100) }
        let known = try await broker.registered("blocks")
        let before = try #require(try MemoryReturnTests.residentBytes())
        let answer = try await broker.shrink(
          [ShrinkTarget(known, .mebibytes(100))],
          ShrinkTerms(deadline: .seconds(60), trim: true)
        )
        let after = try #require(try MemoryReturnTests.residentBytes())
        #expect(answer.freed == .mebibytes(100))
        #expect(before - after >= .mebibytes(80), "of 100 MiB freed")
      }
    }
  }

  private static func residentBytes() throws -> ByteCount? {
    let files = KernelFiles(cgroup: nil)
    return try files.read(.process(ProcessID(getpid()), "status"), ProcessReader.parseResident)
  }
}
