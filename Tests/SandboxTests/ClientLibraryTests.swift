// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKClient
import UCMKLinux
import UCMKModel
import UCMKTestSupport

/// The client library in this very process against the real daemon.
@Suite(
  "client library against ucmkd",
  .enabled(if: ProgramRun.built("ucmkd") != nil, "ucmkd was not built beside the tests"),
  .serialized
)
struct ClientLibraryTests {
  private static let settings = HostStage.calmHost

  private func client(_ tree: FileTree, _ name: String) -> UCMKClient {
    UCMKClient(
      configuration: UCMKClient.Configuration(
        transport: .unixSocket(path: tree.path("s")),
        applicationName: name,
        reportInterval: .milliseconds(100),
        reconnect: .milliseconds(50) ... .milliseconds(500),
        trimMalloc: false,
        fallback: .none
      )
    )
  }

  private func row(_ control: WireClient, _ name: String) -> WireValue {
    let params = #"{"filter":{"name":"\#(name)"}}"#
    return control.call("client.list", params)["result"]["clients"][0]
  }

  /// Waits until the daemon lists a client with so many caches.
  private func waitForCaches(_ control: WireClient, _ name: String, count: Int) -> Bool {
    eventually { row(control, name)["caches"].elements.count == count }
  }

  private func trigger(_ control: WireClient, bytes: Int) -> WireValue {
    control.call("trigger", #"{"bytes":\#(bytes)}"#, within: .seconds(20))["result"]
  }

  @Test("a round reaches the closure, and the claim is what it freed")
  func claim() throws {
    let tree = FileTree()
    let daemon = try DaemonRun(onHost: tree, settings: ClientLibraryTests.settings)
    let control = try daemon.control()
    let client = client(tree, "library")
    let store = LedgerStore(mebibytes: 64)
    let registration = store.register("ledger", with: client)
    defer { withExtendedLifetime(registration) { client.shutdown() } }
    #expect(waitForCaches(control, "library", count: 1))
    let row = row(control, "library")
    #expect(row["pid"].int == Int(getpid()))
    #expect(row["uid"].int == Int(getuid()))
    #expect(row["caches"][0]["name"] == "ledger")
    #expect(eventually { self.row(control, "library")["caches"].sum("bytes") == 64 << 20 })
    let round = trigger(control, bytes: 10_000_000)
    #expect(round["part"] == 10_000_000)
    // Rounded up to a page: 2,442 of 4,096 bytes.
    #expect(store.asked == [10_002_432])
    #expect(store.freed == [10_002_432 + LedgerStore.surplus])
    #expect(round["claimed"].int == 10_002_432 + Int(LedgerStore.surplus))
    #expect(round["clients"][0]["outcome"] == "done")
    #expect(client.status().requests == 1)
    #expect(client.status().freed == ByteCount(10_002_432 + LedgerStore.surplus))
    let left = Int(store.bytes)
    #expect(eventually { self.row(control, "library")["caches"].sum("bytes") == left })
  }

  @Test("two caches of a process share a round, and their claims add up")
  func twoCaches() throws {
    let tree = FileTree()
    let daemon = try DaemonRun(onHost: tree, settings: ClientLibraryTests.settings)
    let control = try daemon.control()
    let client = client(tree, "pair")
    let (one, other) = (LedgerStore(mebibytes: 48), LedgerStore(mebibytes: 16))
    let held = [one.register("one", with: client), other.register("other", with: client)]
    defer { withExtendedLifetime(held) { client.shutdown() } }
    #expect(waitForCaches(control, "pair", count: 2))
    #expect(eventually { row(control, "pair")["caches"].sum("bytes") == 64 << 20 })
    let round = trigger(control, bytes: 32 << 20)
    #expect(round["part"].int == 32 << 20)
    #expect(round["clients"].elements.count == 1)
    let caches = round["clients"][0]["caches"]
    #expect(caches.sum("part") == 32 << 20)
    let freed = (one.freed + other.freed).reduce(0, +)
    #expect(round["claimed"].int == Int(freed))
    #expect(caches.sum("claimed") == Int(freed))
    #expect(one.mostAtOnce == 1 && other.mostAtOnce <= 1, "one call of a cache at a time")
    held[1].cancel()
    #expect(waitForCaches(control, "pair", count: 1))
  }

  @Test("after the daemon is killed and started again the caches are there by themselves")
  func restart() throws {
    let tree = FileTree()
    let first = try DaemonRun(onHost: tree, settings: ClientLibraryTests.settings)
    let client = client(tree, "phoenix")
    let store = LedgerStore(mebibytes: 32)
    let registration = store.register("ashes", with: client)
    defer { withExtendedLifetime(registration) { client.shutdown() } }
    #expect(waitForCaches(try first.control(), "phoenix", count: 1))
    first.signal(SIGKILL)
    #expect(first.wait() == 128 + SIGKILL)
    #expect(eventually { client.status().connection == .disconnected })
    let second = try DaemonRun(onHost: tree, settings: ClientLibraryTests.settings)
    let control = try second.control()
    #expect(waitForCaches(control, "phoenix", count: 1))
    #expect(client.status().disconnects >= 1)
    #expect(client.status().caches == 1)
    #expect(eventually { row(control, "phoenix")["caches"].sum("bytes") == 32 << 20 })
    let round = trigger(control, bytes: 1 << 20)
    #expect(round["claimed"].int == (1 << 20) + Int(LedgerStore.surplus))
    #expect(store.freed == [UInt64(1 << 20) + LedgerStore.surplus])
    // In order this time: the daemon says when to come back.
    #expect(second.stop() == 0)
    let third = try DaemonRun(onHost: tree, settings: ClientLibraryTests.settings)
    #expect(waitForCaches(try third.control(), "phoenix", count: 1))
  }

  @Test("a daemon that is killed in the middle of a round leaves the client working")
  func killedInRound() throws {
    let tree = FileTree()
    let first = try DaemonRun(onHost: tree, settings: ClientLibraryTests.settings)
    let control = try first.control()
    let client = client(tree, "survivor")
    let store = LedgerStore(mebibytes: 32)
    let registration = store.register("kept", with: client)
    defer { withExtendedLifetime(registration) { client.shutdown() } }
    #expect(waitForCaches(control, "survivor", count: 1))
    #expect(eventually { row(control, "survivor")["caches"].sum("bytes") == 32 << 20 })
    store.hold()
    _ = control.request("trigger", #"{"bytes":4194304}"#)
    #expect(eventually { store.asked.count == 1 }, "the closure is inside")
    first.signal(SIGKILL)
    #expect(first.wait() == 128 + SIGKILL)
    #expect(control.waitForClose())
    store.letGo()
    #expect(eventually { store.freed.count == 1 }, "it ends whoever waits for it")
    let second = try DaemonRun(onHost: tree, settings: ClientLibraryTests.settings)
    let next = try second.control()
    #expect(waitForCaches(next, "survivor", count: 1))
    let left = Int(store.bytes)
    #expect(eventually { row(next, "survivor")["caches"].sum("bytes") == left })
    let round = trigger(next, bytes: 2 << 20)
    #expect(round["round"] == 1, "the numbers of rounds begin again")
    #expect(round["claimed"].int == (2 << 20) + Int(LedgerStore.surplus))
    #expect(store.asked.count == 2)
    #expect(store.mostAtOnce == 1)
  }
}
