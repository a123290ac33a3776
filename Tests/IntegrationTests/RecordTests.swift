// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing
import UCMKModel
import UCMKTestSupport

@Suite("record and replay", .enabled(if: DaemonRun.executable != nil, noDaemon))
struct RecordTests {
  /// A replay of `file`: exit code, effects, complaints.
  private func replay(_ tree: FileTree, _ file: String) throws -> (Int32?, String, String) {
    let run = try DaemonRun(tree, bare: ["--replay", tree.path(file)])
    let code = run.wait()
    return (code, run.output, run.errors)
  }

  @Test("a recorded run replays to the same bytes, and to what the clients were sent")
  func wholeRun() throws {
    let tree = try HostFixture.make(available: 600)
    let run = try DaemonRun(tree, ["--record", tree.path("rec")])
    let members = try (0..<3).map { try run.member("m\($0)", bytes: (100 + $0) << 20) }
    let root = try run.control()
    var live: [[Int]] = []
    for bytes in [10 << 20, 33_333_333] {
      let id = root.request("trigger", #"{"bytes":\#(bytes)}"#)
      var answer = WireValue.absent
      _ = eventually {
        answer = root.answer(to: id, within: .milliseconds(5))
        for (index, member) in members.enumerated() {
          while let shrink = member.next("shrink", within: .milliseconds(1)) {
            live.append([
              index + 1, shrink["params"]["round"].int ?? 0,
              shrink["params"]["attempt"].int ?? 0,
              shrink["params"]["targets"][0]["bytes"].int ?? 0,
            ])
            member.comply(with: shrink, size: (100 + index) << 20)
          }
        }
        return answer != .absent
      }
      #expect(answer["result"]["state"] == "closed")
    }
    #expect(run.stop() == 0)
    let (code, effects, errors) = try replay(tree, "rec")
    #expect(code == 0)
    #expect(errors.isEmpty)
    let again = try replay(tree, "rec")
    #expect(again.1 == effects)
    let asked = effects.split(separator: "\n").map { WireValue(line: $0.utf8) }
      .filter { $0["effect"] == "ask" }
      .map { ask in
        [
          ask["client"].int ?? 0, ask["round"].int ?? 0, ask["attempt"].int ?? 0,
          ask["targets"][0][1].int ?? 0,
        ]
      }
    #expect(!live.isEmpty)
    #expect(
      asked.sorted { $0.lexicographicallyPrecedes($1) }
        == live.sorted { $0.lexicographicallyPrecedes($1) }
    )
  }

  @Test(
    "a broken recording is 78 with the offset, and what came before is printed",
    arguments: [
      ("{\"at\":5,\"event\":\"ticked\"}\nnonsense\n", 27, "JSON"),
      (
        "{\"at\":5,\"event\":\"ticked\"}\n{\"at\":6,\"event\":\"ticked\"", 50, "the end of the line"
      ),
      ("{\"at\":5,\"event\":\"exploded\"}\n", 0, "an event that exists, not exploded"),
      (
        "{\"at\":5,\"event\":\"ticked\"}\n{\"at\":4,\"event\":\"ticked\"}\n", 26,
        "an instant not before the last one"
      ),
    ]
  )
  func broken(text: String, offset: Int, wanted: String) throws {
    let tree = FileTree()
    tree.write("rec", text)
    let (code, _, errors) = try replay(tree, "rec")
    #expect(code == 78)
    #expect(errors == "ucmkd: \(tree.path("rec")): broken at offset \(offset): wanted \(wanted)\n")
  }

  @Test("a recording that is not there is 78 and named")
  func missing() throws {
    let tree = FileTree()
    let (code, _, errors) = try replay(tree, "none")
    #expect(code == 78)
    #expect(errors.contains(tree.path("none")))
  }

  @Test("a recording that cannot be made is told before anything is served")
  func unwritable() throws {
    let tree = try HostFixture.make()
    let arguments = DaemonRun.usual(tree) + ["--record", tree.path("none/rec")]
    let run = try DaemonRun(tree, bare: arguments)
    #expect(run.wait() == 71)
    #expect(run.errors.contains(tree.path("none/rec")))
  }

  @Test("an empty recording decides nothing")
  func empty() throws {
    let tree = FileTree()
    tree.write("rec", "\n\n")
    let (code, effects, errors) = try replay(tree, "rec")
    #expect(code == 0)
    #expect(effects.isEmpty && errors.isEmpty)
  }
}
