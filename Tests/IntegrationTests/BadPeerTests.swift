// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

/// Peers that behave badly in a round: the others are served in time and the sums stay right.
@Suite("bad peers", .enabled(if: DaemonRun.executable != nil, noDaemon))
struct BadPeerTests {
  static let target = 24 << 20

  /// One row of a round's clients.
  private func row(_ round: WireValue, _ name: String) -> WireValue {
    round["clients"].elements.first { $0["name"].string == name } ?? .absent
  }

  private func expectExact(_ round: WireValue) {
    #expect(round["state"] == "closed")
    #expect(round["part"].int == BadPeerTests.target)
    #expect(round["clients"].sum("part") == BadPeerTests.target)
    #expect(round["clients"].sum("asked") == round["asked"].int)
    #expect(round["clients"].sum("claimed") == round["claimed"].int)
    #expect(round["clients"].sum("measured") == round["measured"].int)
    for client in round["clients"].elements {
      #expect(client["caches"].sum("part") == client["part"].int)
      #expect(client["caches"].sum("asked") == client["asked"].int)
      #expect(client["caches"].sum("claimed") == client["claimed"].int)
    }
  }

  @Test("a client that dies in the middle of a round is gone; its part comes from the others")
  func killed() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    var victim: WireClient? = try run.member("victim", bytes: 100 << 20)
    let round = crew.round(bytes: BadPeerTests.target) {
      if victim?.next("shrink", within: .milliseconds(1)) != nil { victim = nil }
    }
    #expect(victim == nil, "it was asked")
    expectExact(round)
    #expect(row(round, "victim")["outcome"] == "gone")
    #expect(row(round, "victim")["claimed"] == 0)
    #expect(round["claimed"].int == BadPeerTests.target)
    #expect(crew.root.call("daemon.status")["result"]["counts"]["timeouts"] == 0, "nobody waits")
    crew.expectService("after a death")
  }

  @Test("one that lies is believed in `claimed` and not in `measured`")
  func liar() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let liar = try run.member("liar", bytes: 100 << 20)
    let round = crew.round(bytes: BadPeerTests.target) {
      while let shrink = liar.next("shrink", within: .milliseconds(1)) {
        liar.answer(
          shrink,
          [(id: 1, freed: 90 << 20, left: 10 << 20), (id: 77, freed: 1, left: 0)]
        )
      }
    }
    expectExact(round)
    #expect(row(round, "liar")["claimed"].int == 90 << 20)
    #expect(round["measured"] == 0, "the process holds as much as before")
    #expect(round["unmet"].int == BadPeerTests.target)
    #expect(row(round, "good-0")["outcome"] == "done")
    #expect(row(round, "good-1")["outcome"] == "done")
  }

  @Test("one that never answers costs a round its deadline and nothing else")
  func mute() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let mute = try run.member("mute", bytes: 100 << 20)
    var asked: WireValue?
    let round = crew.round(bytes: BadPeerTests.target) {
      asked = mute.next("shrink", within: .milliseconds(1)) ?? asked
    }
    expectExact(round)
    #expect(row(round, "mute")["outcome"] == "silent")
    #expect(round["claimed"].int == BadPeerTests.target, "the others gave its part too")
    let took = round["took_ms"].int ?? 0
    #expect(took >= 2_000 && took < 9_000, "\(took) ms")
    let cancel = try #require(mute.next("$/cancel"))
    #expect(cancel["params"]["id"] == asked?["id"])
    #expect(crew.root.call("daemon.status")["result"]["counts"]["timeouts"] == 1)
    mute.comply(with: try #require(asked), size: 100 << 20)
    let later = crew.root.call("round.get", #"{"round":\#(round["round"].int ?? 0)}"#)["result"]
    #expect(later["claimed"] == round["claimed"], "a late answer changes no sums")
  }

  @Test("those that never read fill their queues, and nothing more")
  func deaf() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let before = try resident(run)
    let padding = String(repeating: " ", count: 8_000)
    let request = Array(
      (#"{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}"# + padding + "\n").utf8
    )
    let deaf = try (0..<8).map { try run.connect().asControl("deaf-\($0)") }
    func shout() {
      for client in deaf { for _ in 0..<50 where client.push(request) < request.count { break } }
    }
    for _ in 0..<40 {
      shout()
      #expect(crew.root.call("ping")["result"] != .absent)
    }
    crew.expectService("beside eight that do not read", meanwhile: shout)
    let grown = try resident(run) - before
    // Each: 262,144 bytes of answers and one above, 65,536 of requests, what malloc makes of it.
    #expect(grown < 8 * (2 << 20), "\(grown) bytes")
    #expect(run.stop() == 0)
  }

  @Test("a flood of requests and reports is served without hurting anybody")
  func flood() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    let flooder = try run.connect()
    flooder.hello("flooder", #","role":"control""#)
    let id = flooder.register("c", bytes: 0)
    let report =
      #"{"jsonrpc":"2.0","method":"cache.report","params":"#
      + #"{"caches":[{"id":\#(id),"bytes":0,"reclaimable":0}]}}"# + "\n"
    let ping = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"# + "\n"
    let text = Array(String(repeating: report + ping, count: 500).utf8)
    var backlog = text[...]
    func pour() {
      for _ in 0..<20 {
        if backlog.isEmpty { backlog = text[...] }
        let taken = flooder.push(Array(backlog))
        guard taken > 0 else { break }
        backlog = backlog.dropFirst(taken)
      }
      _ = flooder.drain()
    }
    for _ in 0..<10 {
      pour()
      #expect(crew.root.call("ping")["result"] != .absent)
    }
    crew.expectService("beside a flood", meanwhile: pour)
    let counts = crew.root.call("daemon.status")["result"]["counts"]
    #expect(counts["reports_dropped"].int ?? 0 > 100)
  }

  @Test("a storm of connections is turned away at the limit; those inside are served")
  func storm() throws {
    let tree = try HostFixture.make()
    tree.write("ucmkd.conf", "[Limits]\nConnectionsPerUser=20\n")
    let run = try DaemonRun(tree)
    let crew = try Crew(run)
    var inside: [WireClient] = []
    var refused = 0
    for _ in 0..<60 {
      let client = try run.connect()
      let id = client.request("hello", #"{"protocol":{"min":1,"max":1},"client":{"name":"s"}}"#)
      let answer = try #require(client.receive())
      if answer["id"].int == id {
        inside.append(client)
      } else {
        refused += 1
        #expect(answer.code == -32_005)
        #expect(answer["error"]["data"]["limit"] == "connections_uid")
        #expect(answer["error"]["data"]["max"] == 20)
        #expect(client.waitForClose())
      }
    }
    #expect(inside.count == 17)
    #expect(refused == 43)
    crew.expectService("beside a full house")
  }

  @Test("without a descriptor left, the next connection is refused and nobody else notices")
  func noDescriptors() throws {
    let tree = try HostFixture.make()
    let quoted = ([DaemonRun.executable ?? ""] + DaemonRun.usual(tree)).map { "'\($0)'" }
    let script = "ulimit -n 40; exec \(quoted.joined(separator: " "))"
    let run = try DaemonRun(tree, bare: ["-c", script], program: "/bin/sh")
    // A file that can be seen can be connected to.
    try #require(eventually { tree.exists("s") }, "\(run.errors)")
    let crew = try Crew(run)
    var refused = 0
    var inside: [WireClient] = []
    for _ in 0..<60 {
      let client = try run.connect()
      client.send(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
      let answer = try #require(client.receive())
      if answer.code == -32_005 { refused += 1 } else { inside.append(client) }
    }
    #expect(refused > 20)
    crew.expectService("without descriptors")
    #expect(run.stop() == 0)
  }

  @Test("one that loses its connection comes back to its caches")
  func resume() throws {
    let run = try DaemonRun(try HostFixture.make())
    let crew = try Crew(run)
    var token = ""
    do {
      let client = try run.connect()
      token = client.hello("phoenix")["resume_token"].string ?? ""
      client.register("c", bytes: 100 << 20)
    }
    let back = try run.connect()
    let hello = back.hello("phoenix", #","resume":"\#(token)""#)
    #expect(hello["resumed"] == true)
    let round = crew.round(bytes: BadPeerTests.target) {
      while let shrink = back.next("shrink", within: .milliseconds(1)) {
        back.comply(with: shrink, size: 100 << 20)
      }
    }
    expectExact(round)
    #expect(row(round, "phoenix")["outcome"] == "done")
  }

  private func resident(_ run: DaemonRun) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(run.pid)/statm", encoding: .utf8)
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(Page.size)
  }
}

extension WireClient {
  /// Says hello as one that is not listed.
  fileprivate func asControl(_ name: String) -> WireClient {
    hello(name, #","role":"control""#)
    return self
  }
}
