// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import UCMKClient
import UCMKLinux
import UCMKModel
import UCMKTestSupport

/// A closure of the client library that takes longer than the daemon waits.
@Suite(
  "slow closures against ucmkd",
  .enabled(if: ProgramRun.built("ucmkd") != nil, "ucmkd was not built beside the tests"),
  .serialized
)
struct SlowClosureTests {
  /// Holds a task until it is opened.
  private final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiter: CheckedContinuation<Void, Never>?)>(
      (false, nil)
    )

    func open() {
      let waiter = state.withLock { state in
        defer { state.waiter = nil }
        state.isOpen = true
        return state.waiter
      }
      waiter?.resume()
    }

    func pass() async {
      await withCheckedContinuation { continuation in
        let isOpen = state.withLock { state in
          if !state.isOpen { state.waiter = continuation }
          return state.isOpen
        }
        if isOpen { continuation.resume() }
      }
    }
  }

  private func client(_ tree: FileTree, _ name: String) -> UCMKClient {
    UCMKClient(
      configuration: UCMKClient.Configuration(
        transport: .unixSocket(path: tree.path("s")),
        applicationName: name,
        reportInterval: .milliseconds(100),
        trimMalloc: false,
        fallback: .none
      )
    )
  }

  @Test("its deadline passes: its answer is partial, others are served at once")
  func slow() throws {
    let tree = FileTree()
    let settings = "[Watermarks]\nLow=1M\nHigh=2M\nGrow=3M\n"
    let daemon = try DaemonRun(onHost: tree, settings: settings)
    let control = try daemon.control()
    let gate = Gate()
    let (slow, fast) = (client(tree, "slow"), client(tree, "fast"))
    let stuck = slow.register("stuck") {
      CacheUsage(bytes: .mebibytes(64), reclaimable: .mebibytes(64))
    } shrink: { request in
      request.noteProgress(freed: .mebibytes(3))
      await gate.pass()
      return ShrinkResult(freed: request.bytes)
    }
    let store = LedgerStore(mebibytes: 64)
    let quick = store.register("quick", with: fast)
    defer {
      gate.open()
      withExtendedLifetime((stuck, quick)) {
        slow.shutdown()
        fast.shutdown()
      }
    }
    #expect(
      eventually { control.call("daemon.status")["result"]["bytes"]["registered"] == 134_217_728 }
    )
    // 20 MiB of each of two equal ones.
    let call = #"{"bytes":41943040,"timeout_ms":9000}"#
    let round = control.call("trigger", call, within: .seconds(30))["result"]
    #expect(round["state"] == "closed")
    #expect(round["part"] == 41_943_040)
    let rows = round["clients"].elements
    let late = try #require(rows.first { $0["name"] == "slow" })
    let prompt = try #require(rows.first { $0["name"] == "fast" })
    #expect(late["part"] == 20_971_520)
    // It says that there is more, so it may be asked again, in vain.
    #expect(late["asked"].int ?? 0 >= 20_971_520)
    #expect(late["outcome"] == "partial")
    #expect(late["claimed"].int == 3 << 20, "what it had said by then")
    // Four fifths of 2 s.
    #expect(late["took_ms"].int ?? 0 >= 1_600)
    #expect(prompt["outcome"] == "done")
    #expect(prompt["part"] == 20_971_520)
    #expect(store.asked.first == 20_971_520)
    #expect(prompt["claimed"].int == Int(store.freed.reduce(0, +)))
    #expect(round["claimed"].int == (3 << 20) + Int(store.freed.reduce(0, +)))
    #expect(control.call("daemon.status")["result"]["counts"]["timeouts"] == 0)
    // It goes on by itself and is asked again when it is done.
    gate.open()
    let next = control.call("trigger", #"{"bytes":8192}"#, within: .seconds(30))["result"]
    #expect(next["state"] == "closed")
    #expect(next["claimed"].int ?? 0 >= 8_192)
  }
}
