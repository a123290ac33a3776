// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import UCMKClient
import UCMKModel
import UCMKTestSupport

/// The client library against the real daemon: what a cache measures of itself, and when it is
/// believed.
@Suite("a refill cost that a program measured", .enabled(if: DaemonRun.executable != nil, noDaemon))
struct MeasuredCostTests {
  private static let entries = 200

  /// A program with a real cache, on a host that is written down: where it is honest, its process
  /// there becomes smaller by what it frees.
  private final class Program: ShrinkableCache {
    let cache = UCMKCache<Int, Int>(
      name: "inner",
      client: UCMKClient(configuration: .init(transport: .disabled))
    )
    private let tree: FileTree
    private let isHonest: Bool
    private let resident = Mutex(2_000)

    init(_ tree: FileTree, isHonest: Bool) {
      self.tree = tree
      self.isHonest = isHonest
    }

    func fill() async {
      for key in 0..<MeasuredCostTests.entries {
        _ = await cache.value(forKey: key, cost: { _ in 1 << 20 }) { key }
      }
    }

    func usage() -> CacheUsage {
      var usage = cache.usage()
      // No test waits for a minute.
      usage.cold = ByteCount(usage.reclaimable.value / 2)
      return usage
    }

    func shrink(_ request: ShrinkRequest) -> ShrinkResult {
      let result = cache.shrink(request)
      guard isHonest else { return result }
      let left = resident.withLock { resident in
        resident -= Int(result.freed.value >> 20)
        return resident
      }
      HostFixture.process(tree, resident: left)
      return result
    }
  }

  /// What `plan` shows of the program's one cache.
  private func input(_ root: WireClient) -> WireValue {
    let plan = root.call("plan", #"{"bytes":20971520}"#)["result"]
    return plan["clients"][0]["inputs"]["caches"][0]
  }

  /// Runs four rounds and returns whether the cost was vouched for after each.
  private func rounds(isHonest: Bool) async throws -> [WireValue] {
    let tree = try HostFixture.make()
    let run = try DaemonRun(tree)
    let root = try run.control()
    let program = Program(tree, isHonest: isHonest)
    await program.fill()
    let client = UCMKClient(
      configuration: .init(transport: .unixSocket(path: tree.path("s")), fallback: .none)
    )
    defer { client.shutdown() }
    let registration = client.register("thumbs", cache: program)
    let size = MeasuredCostTests.entries << 20
    #expect(eventually { input(root)["bytes"].int == size }, "\(run.errors)")
    let first = input(root)
    #expect(first["cold"].int == size / 2)
    #expect(first["refill_us_per_mib"].int != nil)
    #expect(first["vouched"] == false)
    let shown = root.call("client.list")["result"]["clients"][0]["caches"][0]
    #expect(shown["cold"].int == size / 2)
    #expect(shown["refill_us_per_mib"] == first["refill_us_per_mib"])
    var vouched: [WireValue] = []
    for _ in 0..<4 {
      let round = root.call("trigger", #"{"bytes":20971520}"#, within: .seconds(20))["result"]
      #expect(round["state"] == "closed")
      #expect(round["claimed"].int ?? 0 >= 20 << 20)
      #expect((round["measured"].int ?? 0 >= 20 << 20) == isHonest, "\(round)")
      vouched.append(input(root)["vouched"])
    }
    let number = root.call("round.list")["result"]["rounds"][0]["round"].int ?? 0
    let explained = root.call("round.get", #"{"round":\#(number)}"#)["result"]["clients"][0]
    let cache = explained["inputs"]["caches"][0]
    #expect(cache["vouched"] == (isHonest ? true : false))
    #expect(cache["refill_us_per_mib"].int != nil)
    let band = isHonest ? "1/8...8" : "1/2...2"
    #expect(
      explained["steps"].elements.contains { $0["text"].string?.contains(band) == true }
    )
    withExtendedLifetime(registration) {}
    return vouched
  }

  @Test("counts in the wide band after three rounds in which the program gave what it said")
  func honest() async throws {
    #expect(try await rounds(isHonest: true) == [false, false, true, true])
  }

  @Test("never does where the program says that it frees and does not")
  func liar() async throws {
    #expect(try await rounds(isHonest: false) == [false, false, false, false])
  }
}
