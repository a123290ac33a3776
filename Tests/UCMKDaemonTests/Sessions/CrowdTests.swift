// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKLinux
import UCMKModel
import UCMKProtocol
import UCMKTestSupport

@testable import UCMKDaemon

/// What one connection does must not be felt by another.
@Suite("crowds")
struct CrowdTests {
  @Test("one user's connections are bounded, then all connections")
  func connections() throws {
    var settings = Settings()
    settings.connectionsPerUser = 3
    settings.connections = 5
    let stage = try DaemonStage(settings)
    let first = try (0..<3).map { _ in try stage.connect(uid: 1) }
    let tooMany = try stage.connect(uid: 1)
    let refused = try #require(tooMany.receive())
    #expect(refused.code == -32_005)
    #expect(refused["id"] == .null)
    #expect(
      refused.data == ["limit": "connections_uid", "max": 3, "retry_after_ms": 1_000]
    )
    #expect(tooMany.waitForClose())
    let second = try (0..<2).map { _ in try stage.connect(uid: 2) }
    let last = try #require(try stage.connect(uid: 3).receive())
    #expect(last.data["limit"] == "connections")
    #expect(last.data["max"] == 5)
    #expect(first[0].hello()["limits"]["connections"] == 5)
    #expect(first[0].hello()["limits"]["connections_uid"] == .absent, "a second hello")
    withExtendedLifetime(second) {}
  }

  @Test("a place that is left is a place again")
  func places() throws {
    var settings = Settings()
    settings.connectionsPerUser = 1
    let stage = try DaemonStage(settings)
    for _ in 0..<50 {
      let client = try stage.connect(uid: 1)
      #expect(client.hello()["session"] != .absent)
      client.notify("bye")
      #expect(client.waitForClose())
    }
    #expect(stage.daemon.sessions.count == 0)
  }

  @Test("one who does not read stops being read, and nobody else notices")
  func deaf() throws {
    let stage = try DaemonStage()
    let deaf = try stage.connect()
    deaf.hello()
    let other = try stage.member("other", mebibytes: 10)
    var taken = 0
    // Large requests with large answers, so that few of them fill everything.
    let padding = String(repeating: " ", count: 8_000)
    let request = Array(
      (#"{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}"# + padding + "\n").utf8
    )
    for _ in 0..<1_000 {
      let count = deaf.push(request)
      guard count == request.count else { break }
      taken += 1
      stage.serve()
    }
    stage.serve()
    let session = try #require(stage.daemon.sessions.session(of: ClientID(1)))
    #expect(session.outbox.isFullOfResponses)
    #expect(session.interest == .out)
    // One answer above the limit at most, and what a chunk of requests left in the decoder.
    #expect(session.outbox.count < 262_144 + 40_000)
    #expect(session.decoder.bytes.count <= 65_536 + 262_144)
    #expect(other.call("ping")["result"] != .absent)
    #expect(deaf.push(request) != request.count, "its socket is full to the brim")
    // It wakes up, and every request that was taken is answered.
    var answered = 0
    while let answer = deaf.receive() {
      #expect(answer["id"] == 1)
      answered += 1
    }
    #expect(answered >= taken)
  }

  @Test("one who does not read counts as timed out; the others give, the sums are exact")
  func deafInRound() throws {
    let stage = try DaemonStage()
    let deaf = try stage.member("deaf", mebibytes: 100, pid: 7)
    let good = try stage.member("good", mebibytes: 100, pid: 8)
    let session = try #require(stage.daemon.sessions.session(of: ClientID(1)))
    // Its queue is full of requests for nothing.
    let filler = [UInt8](repeating: UInt8(ascii: " "), count: 100_000)
    while session.outbox.append(filler[...], kind: .request, sent: 0) {}
    while session.outbox.append(filler[..<500], kind: .request, sent: 0) {}
    while session.outbox.append(filler[..<1], kind: .request, sent: 0) {}
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":20971520}"#)
    for _ in 0..<8 {
      stage.serve()
      while let shrink = good.next("shrink") { good.comply(with: shrink, size: 100 << 20) }
      stage.advance(.milliseconds(100))
    }
    let round = root.answer(to: id)["result"]
    #expect(round["state"] == "closed")
    #expect(round["claimed"] == 20_971_520, "what the deaf one did not give, the other did")
    #expect(round["part"] == 20_971_520)
    #expect(round["clients"].sum("part") == 20_971_520)
    #expect(round["clients"][0]["claimed"] == 0)
    #expect(round["clients"][1]["outcome"] == "done")
    #expect(root.call("daemon.status")["result"]["counts"]["timeouts"].int ?? 0 >= 1)
    withExtendedLifetime(deaf) {}
  }

  @Test("32 requests that one never answers are all it gets")
  func neverAnswers() throws {
    let stage = try DaemonStage()
    let member = try stage.member("mute", mebibytes: 100, pid: 7)
    let root = try stage.control()
    var seen = 0
    for _ in 0..<40 {
      _ = root.call("trigger", #"{"bytes":4096,"wait":false,"dry_run":true}"#)
      while member.next("shrink") != nil { seen += 1 }
      member.notify("still.here")
      stage.advance(.seconds(3))
    }
    #expect(seen == 32)
    let rounds = root.call("round.list")["result"]["rounds"].elements
    #expect(rounds.allSatisfy { $0["state"] == "closed" && $0["claimed"] == 0 })
    let client = root.call("client.get", #"{"session":"c1"}"#)["result"]["history"].elements
    #expect(client.allSatisfy { $0["outcome"] == "silent" })
  }

  @Test("one that does not know shrink is not asked again")
  func noShrink() throws {
    let stage = try DaemonStage()
    let member = try stage.member("old", mebibytes: 100, pid: 7)
    let root = try stage.control()
    _ = root.call("trigger", #"{"bytes":4096,"wait":false}"#)
    let shrink = try #require(member.next("shrink"))
    member.send(
      #"{"jsonrpc":"2.0","id":\#(shrink["id"].int ?? 0),"#
        + #""error":{"code":-32601,"message":"method not found","data":{"method":"shrink"}}}"#
    )
    stage.advance(.seconds(3))
    _ = root.call("trigger", #"{"bytes":4096,"wait":false}"#)
    #expect(member.next("shrink") == nil)
  }

  @Test("one that declares it cannot shrink is never asked")
  func cannotShrink() throws {
    let stage = try DaemonStage()
    let member = try stage.connect(pid: 7)
    member.hello("cannot", #","capabilities":{"shrink":false}"#)
    member.register("cache", bytes: 100 << 20)
    _ = try stage.control().call("trigger", #"{"bytes":4096,"wait":false}"#)
    #expect(member.next("shrink") == nil)
  }

  @Test("one that refuses is left alone for as long as it says")
  func refuses() throws {
    let stage = try DaemonStage()
    let member = try stage.member("busy", mebibytes: 100, pid: 7)
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":4096}"#)
    let shrink = try #require(member.next("shrink"))
    member.send(
      #"{"jsonrpc":"2.0","id":\#(shrink["id"].int ?? 0),"error":{"code":-32009,"#
        + #""message":"refused","data":{"retry_after_ms":5000,"reason":"compacting"}}}"#
    )
    stage.serve()
    stage.advance(.milliseconds(300))
    let round = root.answer(to: id)["result"]
    #expect(round["state"] == "closed")
    #expect(round["clients"][0]["outcome"] == "refused")
    _ = root.call("trigger", #"{"bytes":4096,"wait":false}"#)
    #expect(member.next("shrink") == nil)
    stage.advance(.milliseconds(5_100))
    _ = root.call("trigger", #"{"bytes":4096,"wait":false}"#)
    #expect(member.next("shrink") != nil)
  }

  @Test(
    "an answer that makes no sense counts as none",
    arguments: [
      #""result":7"#, #""result":{}"#, #""result":{"round":1}"#,
      #""result":{"round":1,"targets":[{"id":1,"freed":-1,"bytes":0,"reclaimable":0}]}"#,
      #""result":{"round":1,"targets":[{"id":1,"freed":1.5,"bytes":0,"reclaimable":0}]}"#,
      #""error":{"code":-32004,"message":"unknown id","data":{"id":1}}"#,
      #""error":{"code":1,"message":"odd"}"#, #""error":7"#,
    ]
  )
  func nonsense(outcome: String) throws {
    let stage = try DaemonStage()
    let member = try stage.member("odd", mebibytes: 100, pid: 7)
    let good = try stage.member("good", mebibytes: 100, pid: 8)
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":20971520}"#)
    let shrink = try #require(member.next("shrink"))
    member.send(#"{"jsonrpc":"2.0","id":\#(shrink["id"].int ?? 0),\#(outcome)}"#)
    for _ in 0..<8 {
      stage.serve()
      while let shrink = good.next("shrink") { good.comply(with: shrink, size: 100 << 20) }
      stage.advance(.milliseconds(100))
    }
    let round = root.answer(to: id)["result"]
    #expect(round["state"] == "closed")
    #expect(round["claimed"] == 20_971_520)
    #expect(round["clients"].sum("claimed") == 20_971_520)
    #expect(member.call("ping")["result"] != .absent)
  }

  @Test("a claim counts as a claim, what was seen as what was seen")
  func liar() throws {
    let stage = try DaemonStage()
    let member = try stage.member("liar", mebibytes: 100, pid: 7)
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":20971520}"#)
    let shrink = try #require(member.next("shrink"))
    member.answer(shrink, [(id: 1, freed: 1 << 50, left: 0), (id: 9, freed: 5, left: 0)])
    stage.serve()
    stage.advance(.milliseconds(300))
    let round = root.answer(to: id)["result"]
    #expect(round["measured"] == 0)
    #expect(round["unmet"] == 20_971_520)
    #expect(round["claimed"] == round["clients"][0]["claimed"])
    #expect(round["part"] == 20_971_520)
  }

  @Test("an answer after the round is closed changes none of its sums")
  func late() throws {
    let stage = try DaemonStage()
    let member = try stage.member("late", mebibytes: 100, pid: 7)
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":20971520}"#)
    let shrink = try #require(member.next("shrink"))
    stage.advance(.seconds(3))
    let round = root.answer(to: id)["result"]
    #expect(round["state"] == "closed")
    #expect(round["clients"][0]["outcome"] == "silent")
    let cancel = try #require(member.next("$/cancel"))
    #expect(cancel["params"]["id"] == shrink["id"])
    member.comply(with: shrink, size: 100 << 20)
    let after = root.call("round.get", #"{"round":1}"#)["result"]
    #expect(after["claimed"] == 0)
    #expect(after["clients"][0]["outcome"] == "silent")
  }

  @Test("one that leaves in the middle of a round is gone, the others give its part")
  func gone() throws {
    let stage = try DaemonStage()
    var leaver: WireClient? = try stage.member("leaver", mebibytes: 100, pid: 7)
    let good = try stage.member("good", mebibytes: 100, pid: 8)
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":20971520}"#)
    #expect(leaver?.next("shrink") != nil)
    leaver = nil
    for _ in 0..<8 {
      stage.serve()
      while let shrink = good.next("shrink") { good.comply(with: shrink, size: 100 << 20) }
      stage.advance(.milliseconds(100))
    }
    let round = root.answer(to: id)["result"]
    #expect(round["state"] == "closed")
    #expect(round["claimed"] == 20_971_520)
    #expect(round["clients"][0]["outcome"] == "gone")
    #expect(round["clients"].sum("part") == 20_971_520)
  }

  @Test("three hundred clients get their parts, exactly")
  func manyClients() throws {
    var settings = Settings()
    settings.connectionsPerUser = 2_000
    let stage = try DaemonStage(settings)
    let members = try (0..<300).map { index in
      try stage.member("m\(index)", mebibytes: 1 + index % 7, pid: Int32(index + 1))
    }
    let root = try stage.control()
    let target = 765_432_101
    let id = root.request("trigger", #"{"bytes":\#(target)}"#)
    stage.serve()
    for (index, member) in members.enumerated() {
      guard let shrink = member.next("shrink") else { continue }
      member.comply(with: shrink, size: (1 + index % 7) << 20)
    }
    for _ in 0..<10 { stage.advance(.milliseconds(100)) }
    let round = root.answer(to: id)["result"]
    #expect(round["state"] == "closed")
    #expect(round["part"].int == target)
    var (parts, cursor) = (0, "")
    while true {
      let more = cursor.isEmpty ? "" : #","cursor":"\#(cursor)""#
      let page = root.call("round.get", #"{"round":1\#(more)}"#)["result"]
      parts += page["clients"].sum("part")
      guard let next = page["next"].string else { break }
      cursor = next
    }
    #expect(parts == target)
    #expect(root.longestLine <= 262_144)
  }
}
