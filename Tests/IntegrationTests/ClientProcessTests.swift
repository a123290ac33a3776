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
  private func child(
    _ name: String,
    _ run: DaemonRun,
    _ root: WireClient,
    _ more: [String] = ["--once"]
  ) throws -> ProgramRun {
    let child = try ProgramRun(
      run.tree,
      built: "ucmk-demo",
      ["client", "--name", name, "--bytes", "16M", "--socket", run.tree.path("s")] + more
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

  @Test("a program that is killed in the middle of a round is gone; the other gives its part")
  func killed() throws {
    let run = try daemon()
    let root = try run.control()
    let member = try run.member("other", bytes: 64 << 20)
    let dying = try child("dying", run, root, ["--stop-when-asked"])
    let round = try round(root, member) {
      #expect(eventually { dying.output == "asked\n" }, "\(dying.errors)")
      dying.signal(SIGKILL)
      #expect(dying.wait() == 128 + SIGKILL)
      // The daemon has seen it before the other one answers.
      #expect(eventually { row(root, "dying") == .absent })
    }
    let gone = part(round, "dying")
    #expect(gone["outcome"] == "gone")
    #expect(gone["asked"].int ?? 0 > 0)
    #expect(gone["claimed"] == 0)
    #expect(gone["measured"] == 0)
    let other = part(round, "other")
    #expect(other["outcome"] == "done")
    #expect(other["claimed"].int == ClientProcessTests.target, "its own part and that of the dead")
    #expect(round["claimed"].int == ClientProcessTests.target)
    #expect(round["took_ms"].int ?? .max < 2_000, "nobody waited for the dead")
    let counts = root.call("daemon.status")["result"]["counts"]
    #expect(counts["clients"] == 1)
    #expect(counts["timeouts"] == 0)
  }

  @Test("a program that stops in the middle of a round is silent; it is there when it goes on")
  func stopped() throws {
    let run = try daemon()
    let root = try run.control()
    let member = try run.member("other", bytes: 64 << 20)
    let sleeper = try child("sleeper", run, root, ["--stop-when-asked"])
    let round = try round(root, member) {
      #expect(eventually { sleeper.output == "asked\n" }, "\(sleeper.errors)")
      #expect(eventually { sleeper.isStopped })
    }
    let silent = part(round, "sleeper")
    #expect(silent["outcome"] == "silent")
    #expect(silent["asked"].int ?? 0 > 0)
    #expect(silent["claimed"] == 0)
    let other = part(round, "other")
    #expect(other["outcome"] == "done")
    #expect(other["claimed"].int == ClientProcessTests.target)
    #expect(round["took_ms"].int ?? 0 >= 2_000, "its deadline was waited for")
    #expect(root.call("daemon.status")["result"]["counts"]["timeouts"] == 1)
    // It still counts as a client: its heartbeat is not over.
    let session = row(root, "sleeper")["session"]
    #expect(session != .absent)
    sleeper.signal(SIGCONT)
    let heard = eventually { () -> Bool in
      let params = #"{"session":"\#(session.string ?? "")"}"#
      return root.call("client.get", params)["result"]["caches"].sum("bytes") == 16 << 20
    }
    #expect(heard && !sleeper.isStopped)
    // Its late answer changes nothing of a round that is over.
    let number = round["round"].int ?? 0
    let later = root.call("round.get", #"{"round":\#(number)}"#)["result"]
    #expect(later["claimed"] == round["claimed"])
    #expect(part(later, "sleeper")["outcome"] == "silent")
    #expect(sleeper.stop() == 128 + SIGTERM)
    #expect(eventually { row(root, "sleeper") == .absent })
  }
}
