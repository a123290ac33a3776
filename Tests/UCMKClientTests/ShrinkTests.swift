// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKClientTestKit

@Suite("shrinking, as the daemon sees it")
struct ShrinkTests {
  @Test("a cache is registered, asked, and answers with what it freed")
  func simple() async throws {
    try await withFakeBroker { broker, client in
      let cache = FakeCache(bytes: .mebibytes(100))
      let registration = client.register("thumbs", cache: cache)
      let known = try await broker.registered("thumbs")
      let answer = try await broker.shrink([ShrinkTarget(known, .mebibytes(30))])
      #expect(answer.round == 1)
      #expect(answer.targets.count == 1)
      #expect(answer.targets[0].id == known.id)
      #expect(answer.targets[0].freed == .mebibytes(30))
      #expect(answer.targets[0].bytes == .mebibytes(70))
      #expect(answer.targets[0].reclaimable == .mebibytes(70))
      #expect(answer.targets[0].more)
      #expect(cache.requests.count == 1)
      #expect(cache.requests.first?.level == .medium)
      #expect(cache.requests.first?.scope == .domain(.host))
      #expect(cache.requests.first?.attempt == 1)
      #expect(cache.requests.first?.cache == "thumbs")
      registration.cancel()
      try await broker.departed("thumbs")
    }
  }
}
