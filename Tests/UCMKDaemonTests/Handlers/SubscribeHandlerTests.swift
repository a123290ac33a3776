// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKSystemd
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("subscribe handler")
struct SubscribeHandlerTests {
  private func subscribe(_ client: WireClient, _ topics: String, _ more: String = "") -> Int? {
    client.call("subscribe", #"{"topics":[\#(topics)]\#(more)}"#)["result"]["subscription"].int
  }

  @Test("an event says whose it is, what about, when, and what was left out")
  func envelope() throws {
    let stage = try DaemonStage()
    let root = try stage.control()
    let number = try #require(subscribe(root, #""clients""#))
    let member = try stage.member("a", mebibytes: 1)
    let event = try #require(root.next("event"))
    #expect(event["id"] == .absent)
    let params = event["params"]
    #expect(params.keys == ["data", "dropped", "monotonic_ns", "subscription", "topic"])
    #expect(params["subscription"].int == number)
    #expect(params["topic"] == "clients")
    #expect(params["monotonic_ns"].int == Int(stage.now.nanoseconds))
    #expect(params["dropped"] == 0)
    withExtendedLifetime(member) {}
  }

  @Test("clients that join, change and leave")
  func clients() throws {
    let stage = try DaemonStage()
    let root = try stage.control()
    _ = subscribe(root, #""clients""#)
    var changes: [String] = []
    do {
      let member = try stage.member("a", mebibytes: 1)
      _ = member.call("cache.update", #"{"id":1,"share":3}"#)
      _ = member.call("cache.unregister", #"{"ids":[1]}"#)
    }
    stage.serve()
    while let event = root.next("event") {
      let data = event["params"]["data"]
      #expect(data["session"] == "c2")
      changes.append(data["change"].string ?? "")
      if data["change"] != "left" { #expect(data["client"]["name"] == "a") }
    }
    #expect(changes == ["joined", "changed", "changed", "changed", "left"])
  }

  @Test("rounds, when they open and when they close")
  func rounds() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    let root = try stage.control()
    _ = subscribe(root, #""rounds""#)
    _ = root.call("trigger", #"{"bytes":1048576,"wait":false}"#)
    let opened = try #require(root.next("event"))["params"]["data"]
    #expect(opened["state"] == "open")
    member.comply(with: try #require(member.next("shrink")), size: 100 << 20)
    stage.serve()
    stage.advance(.seconds(1))
    let closed = try #require(root.next("event"))["params"]["data"]
    #expect(closed["state"] == "closed")
    #expect(closed["clients"][0]["claimed"] == 1_048_576)
  }

  @Test("the level, when it changes")
  func pressure() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 500)
    let root = try stage.control()
    _ = subscribe(root, #""pressure""#)
    stage.host(available: 30)
    stage.daemon.pressureWatchFired()
    let event = try #require(root.next("event"))["params"]["data"]
    #expect(event["scope"] == ["kind": "host"])
    #expect(event["from"] == "none")
    #expect(["medium", "critical"].contains(event["level"].string))
    withExtendedLifetime(member) {}
  }

  @Test("the end of the ladder, for subscribers, in the journal, and in the status")
  func exhausted() throws {
    let stage = try DaemonStage()
    let root = try stage.control()
    _ = subscribe(root, #""pressure""#)
    stage.daemon.perform([.exhausted(.host)])
    stage.serve()
    let event = try #require(root.next("event"))["params"]["data"]
    #expect(event["scope"] == ["kind": "host"])
    #expect(event["exhausted"] == true)
    #expect(event["level"] == "none")
    let record = try #require(stage.log.last)
    #expect(record.level == .warning)
    #expect(record.message == "pressure is critical and caches have nothing left to give")
    let field = { (name: String) in record.fields.first { $0.name == name }?.value }
    #expect(field("domain") == "host")
    #expect(field("available_bytes") == "629145600")
    stage.daemon.perform([.relieved(.host)])
    stage.serve()
    let relief = try #require(root.next("event"))["params"]["data"]
    #expect(relief["exhausted"] == false)
    #expect(stage.log.last?.level == .notice)
    #expect(root.call("daemon.status", "{}")["result"]["domains"][0]["exhausted"] == false)
  }

  @Test("the status, as often as wished")
  func status() throws {
    let stage = try DaemonStage()
    let root = try stage.control()
    _ = subscribe(root, #""status""#, #","interval_ms":100"#)
    stage.advance(.milliseconds(350))
    let events = root.drain().filter { $0["method"] == "event" }
    #expect(events.count == 3)
    #expect(events.allSatisfy { $0["params"]["data"]["version"] == "0.1.0" })
  }

  @Test("nothing more after unsubscribe; another's subscription is unknown")
  func unsubscribe() throws {
    let stage = try DaemonStage()
    let (root, other) = (try stage.control(), try stage.control())
    let number = try #require(subscribe(root, #""clients","status""#))
    #expect(other.call("unsubscribe", #"{"subscription":\#(number)}"#).code == -32_004)
    #expect(root.call("unsubscribe", #"{"subscription":\#(number)}"#)["result"] == [:])
    #expect(root.call("unsubscribe", #"{"subscription":\#(number)}"#).code == -32_004)
    let member = try stage.member("a", mebibytes: 1)
    stage.advance(.seconds(3))
    #expect(root.drain().isEmpty)
    withExtendedLifetime(member) {}
  }

  @Test("sixteen on one connection")
  func many() throws {
    let stage = try DaemonStage()
    let root = try stage.control()
    for _ in 0..<16 { #expect(subscribe(root, #""rounds""#) != nil) }
    let answer = root.call("subscribe", #"{"topics":["rounds"]}"#)
    #expect(answer.code == -32_005)
    #expect(answer.data == ["limit": "subscriptions", "max": 16])
  }

  @Test("one who does not read loses the oldest events, and learns how many")
  func dropped() throws {
    let stage = try DaemonStage()
    let root = try stage.control()
    _ = subscribe(root, #""clients""#)
    let member = try stage.member("a", mebibytes: 1)
    // Each change is an event of some 500 bytes: more than queue and socket hold.
    for index in 0..<4_000 {
      member.send(
        #"{"jsonrpc":"2.0","id":1,"method":"cache.update","params":{"id":1,"floor":\#(index)}}"#
      )
      stage.serve()
      _ = member.drain()
    }
    let session = try #require(stage.daemon.sessions.session(of: ClientID(1)))
    #expect(session.outbox.count <= 262_144)
    let other = try stage.control()
    let counted = other.call("daemon.status")["result"]["counts"]["notifications_dropped"].int ?? 0
    #expect(counted > 0)
    var (seen, told) = (0, 0)
    while let event = root.next("event") {
      seen += 1
      told += event["params"]["dropped"].int ?? 0
    }
    _ = member.call("cache.update", #"{"id":1,"floor":1}"#)
    while let event = root.next("event") {
      seen += 1
      told += event["params"]["dropped"].int ?? 0
    }
    #expect(told == counted)
    #expect(seen + told == 4_003)
  }
}
