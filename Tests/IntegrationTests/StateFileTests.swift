// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKModel
import UCMKTestSupport

@Suite("the state file", .enabled(if: DaemonRun.executable != nil, noDaemon))
struct StateFileTests {
  /// A run in which one client claims all and gives nothing; `state` is its state folder.
  private func shirk(_ tree: FileTree) throws -> DaemonRun {
    tree.makeFolder("state")
    let state = "STATE_DIRECTORY=\(tree.path("state"))"
    let run = try DaemonRun(tree, environment: [state])
    let member = try run.member("idle", bytes: 100 << 20)
    let root = try run.control()
    let id = root.request("trigger", #"{"bytes":20971520}"#)
    member.comply(with: try #require(member.next("shrink")), size: 100 << 20)
    #expect(root.answer(to: id)["result"]["state"] == "closed")
    return run
  }

  private func trust(_ run: DaemonRun) throws -> Int? {
    let member = try run.member("idle", bytes: 100 << 20)
    defer { withExtendedLifetime(member) {} }
    return try run.control().call("client.list")["result"]["clients"][0]["trust"].int
  }

  @Test("is on the disk when the daemon has stopped, and read by the next one")
  func restart() throws {
    let tree = try HostFixture.make()
    #expect(try shirk(tree).stop() == 0)
    #expect(tree.mode("state/behaviour") == 0o600)
    #expect(!tree.exists("state/behaviour.new"))
    let state = "STATE_DIRECTORY=\(tree.path("state"))"
    let next = try DaemonRun(tree, environment: [state])
    #expect(try trust(next) == 4_900)
    #expect(next.stop() == 0)
  }

  @Test("on a disk that hangs the daemon stops in order all the same, and says so")
  func stuck() throws {
    let tree = try HostFixture.make()
    let run = try shirk(tree)
    // Nobody reads: to open it takes for ever.
    tree.makeFIFO("state/behaviour.new")
    run.signal(SIGTERM)
    #expect(run.wait(within: .seconds(60)) == 0)
    #expect(run.errors.contains("the disk does not take what clients did"))
    #expect(!tree.exists("state/behaviour"))
    #expect(!tree.exists("s"), "the socket goes first")
  }
}
