// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKProtocol
import UCMKSystemd
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("admin handlers")
struct AdminHandlerTests {
  @Test("a reload says what changed, tells every client with a cache, and takes effect")
  func reload() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 1)
    let empty = try stage.connect()
    empty.hello("no cache")
    let root = try stage.control()
    stage.nextSettings = SettingsReader.read([
      SettingsSource(
        file: "f",
        text: "[Client name:a]\nShare=7\n[Watermarks]\nLow=100M\nHigh=200M\nGrow=300M"
      )
    ])
    let answer = root.call("daemon.reload")["result"]
    #expect(
      answer == [
        "changed": ["Client name:a.Share", "Watermarks.Grow", "Watermarks.High", "Watermarks.Low"],
        "errors": [],
      ]
    )
    let notice = try #require(member.next("notice"))
    #expect(notice["params"]["kind"] == "reload")
    #expect(notice["id"] == .absent)
    #expect(empty.drain().isEmpty)
    let shown = root.call("client.get", #"{"session":"c1"}"#)["result"]["caches"][0]
    #expect(shown["share"] == 7)
    let status = root.call("daemon.status")["result"]
    #expect(status["domains"][0]["low"] == 104_857_600)
    #expect(root.call("daemon.reload")["result"] == ["changed": [], "errors": []])
  }

  @Test("a bad file changes nothing and is told by line and column")
  func badFile() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 1)
    let root = try stage.control()
    let before = root.call("daemon.status")["result"]["domains"]
    stage.nextSettings = SettingsReader.read([
      SettingsSource(file: "/etc/ucmkd/ucmkd.conf", text: "[Watermarks]\nLow=100M\nHigh=x")
    ])
    let answer = root.call("daemon.reload")["result"]
    #expect(answer["changed"] == [])
    #expect(
      answer["errors"] == [
        [
          "file": "/etc/ucmkd/ucmkd.conf", "line": 3, "column": 6,
          "text": "bad value for High: wanted a size such as 512M, or a percentage such as 5%",
        ]
      ]
    )
    #expect(root.call("daemon.status")["result"]["domains"] == before)
    #expect(member.drain().isEmpty)
    #expect(stage.log.contains { $0.level == .error })
  }

  @Test("a file of nothing but mistakes, or of endless ones, fits a line")
  func endlessMistakes() throws {
    let stage = try DaemonStage()
    let root = try stage.control()
    let long = String(repeating: "k", count: 400_000)
    let many = (0..<5_000).map { "Key\($0)=1" }.joined(separator: "\n")
    stage.nextSettings = SettingsReader.read([
      SettingsSource(
        file: "/" + String(repeating: "f", count: 4_000),
        text: "[Limits]\n\(long)=1\n[\(long)]\n[Limits]\n\(many)"
      )
    ])
    let errors = root.call("daemon.reload")["result"]["errors"].elements
    #expect(errors.count > 10)
    #expect(errors[0]["text"].string?.hasPrefix("unknown key kkkk") == true)
    #expect(errors[0]["text"].string?.count ?? 999 < 200)
    let name = String(repeating: "n", count: 200)
    let rules = (0..<1_500).map { "[Client name:\(name)\($0)]\nShare=1" }.joined(separator: "\n")
    stage.nextSettings = SettingsReader.read([SettingsSource(file: "f", text: rules)])
    #expect(root.call("daemon.reload")["result"]["changed"].elements.count > 200)
    #expect(root.longestLine <= 262_144)
  }

  @Test("a reload that only checks changes nothing")
  func check() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 1)
    let root = try stage.control()
    stage.nextSettings = SettingsReader.read([
      SettingsSource(file: "f", text: "[Limits]\nConnections=9")
    ])
    let answer = root.call("daemon.reload", #"{"check_only":true}"#)["result"]
    #expect(answer == ["changed": ["Limits.Connections"], "errors": []])
    #expect(member.drain().isEmpty)
    #expect(try stage.control().call("ping")["result"] != .absent)
    #expect(stage.daemon.limits.connections == 4_096)
  }

  @Test("a pause is told to clients, stops automatic rounds, and ends by word or by itself")
  func pause() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 500)
    let root = try stage.control()
    #expect(root.call("daemon.pause")["result"] == ["state": "paused"])
    #expect(try #require(member.next("notice"))["params"]["kind"] == "paused")
    #expect(root.call("daemon.status")["result"]["state"] == "paused")
    stage.host(available: 10)
    stage.daemon.pressureWatchFired()
    stage.advance(.seconds(3))
    #expect(member.next("shrink") == nil)
    #expect(root.call("daemon.resume")["result"]["state"].string != "paused")
    #expect(try #require(member.next("notice"))["params"]["kind"] == "resumed")
    stage.advance(.seconds(3))
    #expect(member.next("shrink") != nil)
    #expect(root.call("daemon.pause", #"{"for_ms":1000}"#)["result"] == ["state": "paused"])
    stage.advance(.milliseconds(1_100))
    #expect(root.call("daemon.status")["result"]["state"].string != "paused")
    #expect(member.next("notice")?["params"]["kind"] == "paused")
    #expect(member.next("notice")?["params"]["kind"] == "resumed")
  }

  @Test("an override counts in place of what was declared, until it is over")
  func override() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 100)
    let root = try stage.control()
    let params =
      #"{"session":"c1","id":1,"share":300,"floor":1048576,"min_level":"critical","for_ms":1000}"#
    #expect(root.call("cache.override", params)["result"] == [:])
    func shown() -> WireValue {
      root.call("client.get", #"{"session":"c1"}"#)["result"]["caches"][0]
    }
    #expect(shown()["share"] == 300)
    #expect(shown()["floor"] == 1_048_576)
    #expect(shown()["min_level"] == "critical")
    #expect(root.call("plan", #"{"bytes":1}"#)["result"]["part"] == 0)
    let unknown = root.call("cache.override", #"{"session":"c1","id":2}"#)
    #expect(unknown.code == -32_004)
    #expect(unknown.data == ["id": 2])
    stage.advance(.milliseconds(1_100))
    #expect(shown()["share"] == 100)
    #expect(shown()["min_level"] == "low")
    withExtendedLifetime(member) {}
  }
}
