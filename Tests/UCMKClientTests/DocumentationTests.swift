// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKClientTestKit

/// The cache of "Writing a shrinker", with the insertion that the guide leaves out.
actor PageCache: ShrinkableCache {
  private var pages: [Int: [UInt8]] = [:]
  private var bytes: UInt64 = 0

  func insert(_ page: [UInt8], at key: Int) {
    pages[key] = page
    bytes += UInt64(page.count)
  }

  func usage() -> CacheUsage {
    CacheUsage(bytes: ByteCount(bytes), reclaimable: ByteCount(bytes))
  }

  func shrink(_ request: ShrinkRequest) -> ShrinkResult {
    var freed: UInt64 = 0
    while freed < request.bytes.value, !request.isOver, let (key, page) = pages.first {
      pages[key] = nil
      freed += UInt64(page.count)
      request.noteProgress(freed: ByteCount(freed))
    }
    bytes -= freed
    return ShrinkResult(freed: ByteCount(freed), more: !pages.isEmpty)
  }
}

@Suite("what the documentation shows")
struct DocumentationTests {
  @Test("the page cache frees what it is asked")
  func pages() async throws {
    try await withFakeBroker { broker, client in
      let cache = PageCache()
      for key in 0..<16 { await cache.insert([UInt8](repeating: 0, count: 1 << 20), at: key) }
      let registration = client.register("pages", cache: cache)
      let pages = try await broker.registered("pages")
      let answer = try await broker.shrink([ShrinkTarget(pages, .mebibytes(8))])
      #expect(answer.freed >= .mebibytes(8))
      registration.cancel()
      try await broker.departed("pages")
    }
  }

  @Test("the first example")
  func first() {
    let client = UCMKClient(configuration: .init(transport: .disabled))
    let bytes: [UInt8] = [1, 2, 3]
    let images = UCMKCache<String, [UInt8]>(
      name: "images",
      totalCostLimit: 256 << 20,
      policy: CachePolicy(rebuildCost: .expensive),
      client: client
    )
    images.setObject(bytes, forKey: "logo", cost: bytes.count)
    let logo = images["logo"]
    #expect(logo == bytes)
  }
}
