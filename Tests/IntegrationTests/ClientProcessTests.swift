// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKModel
import UCMKTestSupport

/// Clients that are programs of their own, and what becomes of a round when they stop or die.
@Suite(
  "client processes",
  .enabled(
    if: ProgramRun.built("ucmk-demo") != nil && DaemonRun.executable != nil,
    "ucmkd or ucmk-demo was not built beside the tests"
  )
)
struct ClientProcessTests {
  private static let size = 16 << 20
  private static let target = 60 << 20

  /// A daemon on this host that starts no round by itself.
  private func daemon() throws -> DaemonRun {
    try DaemonRun(
      onHost: FileTree(),
      settings: """
        [Watermarks]
        Low=1M
        High=2M
        Grow=3M
        [Pressure]
        Low=some 2s/2s
        Medium=some 2s/2s
        Critical=full 2s/2s
        """
    )
  }

  /// A program with a full cache that the daemon knows.
  private func child(_ name: String, _ run: DaemonRun, _ root: WireClient) throws -> ProgramRun {
    let child = try ProgramRun(
      run.tree,
      built: "ucmk-demo",
      ["client", "--name", name, "--bytes", "16M", "--once", "--socket", run.tree.path("s")]
    )
    #expect(
      eventually { row(root, name)["caches"].sum("bytes") == ClientProcessTests.size },
      "\(child.errors)"
    )
    return child
  }

  private func row(_ root: WireClient, _ name: String) -> WireValue {
    let params = #"{"filter":{"name":"\#(name)"}}"#
    return root.call("client.list", params)["result"]["clients"][0]
  }

  private func part(_ round: WireValue, _ name: String) -> WireValue {
    round["clients"].elements.first { $0["name"].string == name } ?? .absent
  }

  /// A round that everybody is asked in; `whenAsked` is called once it is known to run.
  private func round(
    _ root: WireClient,
    _ member: WireClient,
    whenAsked: () throws -> Void
  ) throws -> WireValue {
    let id = root.request("trigger", #"{"bytes":\#(ClientProcessTests.target)}"#)
    let first = try #require(member.next("shrink"))
    try whenAsked()
    member.comply(with: first, size: 64 << 20)
    var answer = WireValue.absent
    _ = eventually(within: .seconds(20)) {
      while let shrink = member.next("shrink", within: .milliseconds(1)) {
        member.comply(with: shrink, size: 64 << 20)
      }
      answer = root.answer(to: id, within: .milliseconds(5))
      return answer != .absent
    }
    #expect(answer["result"]["state"] == "closed")
    #expect(answer["result"]["clients"].sum("part") == ClientProcessTests.target)
    return answer["result"]
  }

  @Test("a program that gives back is measured by what it holds")
  func measured() throws {
    let run = try daemon()
    let root = try run.control()
    let giver = try child("giver", run, root)
    let before = giver.memory
    #expect(before > ClientProcessTests.size)
    let answer = root.call("trigger", #"{"bytes":8388608}"#, within: .seconds(20))["result"]
    #expect(part(answer, "giver")["outcome"] == "done")
    let (claimed, measured) = (answer["claimed"].int ?? 0, answer["measured"].int ?? 0)
    #expect(claimed >= 8 << 20)
    #expect(measured > 4 << 20, "\(measured) of \(claimed)")
    #expect(before - giver.memory > 4 << 20)
    #expect(giver.stop() == 128 + SIGTERM)
    #expect(eventually { row(root, "giver") == .absent })
  }
}
