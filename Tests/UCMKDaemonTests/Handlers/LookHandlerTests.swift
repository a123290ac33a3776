// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("look handlers")
struct LookHandlerTests {
  @Test("status has every member that the protocol lists")
  func status() throws {
    let stage = try DaemonStage()
    let member = try stage.member("a", mebibytes: 40)
    stage.advance(.milliseconds(1_234))
    let status = member.call("daemon.status")["result"]
    #expect(
      status.keys == [
        "bytes", "counts", "domains", "last_round", "level", "memory", "protocol", "psi", "state",
        "surfaces", "triggers", "uptime_ms", "version",
      ]
    )
    #expect(status["level"] == "none")
    #expect(status["version"] == "0.1.0")
    #expect(status["protocol"] == 1)
    #expect(status["uptime_ms"] == 1_234)
    let calm: WireValue = ["avg10": 0, "avg60": 0, "avg300": 0, "total_us": 0]
    #expect(status["psi"] == ["some": calm, "full": calm])
    #expect(
      status["memory"]
        == ["total": 1_048_576_000, "available": 629_145_600, "swap_free": 1_048_576]
    )
    #expect(status["domains"][0]["scope"] == ["kind": "host"])
    #expect(
      status["domains"][0].keys == [
        "available", "capacity", "exhausted", "grow", "high", "level", "low", "scope", "state",
      ]
    )
    #expect(status["domains"][0]["low"] == 67_108_864)
    #expect(status["triggers"].elements.count == 3)
    #expect(
      status["triggers"][1] == [
        "scope": ["kind": "host"], "kind": "some", "stall_us": 150_000, "window_us": 1_000_000,
        "source": "average",
      ]
    )
    for key in [
      "clients", "caches", "rounds", "timeouts", "reports_dropped",
      "notifications_dropped",
    ] { #expect(status["counts"][key].int != nil, "\(key)") }
    #expect(status["counts"]["clients"] == 1)
    #expect(status["counts"]["caches"] == 1)
    #expect(
      status["bytes"] == [
        "registered": 41_943_040, "reclaimable": 41_943_040, "asked": 0, "claimed": 0,
        "measured": 0,
      ]
    )
    #expect(status["surfaces"]["json-rpc"] == "on")
    #expect(status["last_round"] == .null)
  }

  @Test("averages are shown in hundredths of a percent")
  func averages() throws {
    let stage = try DaemonStage()
    let line = "avg10=1.23 avg60=0.45 avg300=0.06 total=789"
    stage.tree.write("proc/pressure/memory", "some \(line)\nfull \(line)\n")
    let psi = try stage.control().call("daemon.status")["result"]["psi"]
    #expect(psi["some"] == ["avg10": 123, "avg60": 45, "avg300": 6, "total_us": 789])
  }

  @Test("a list shows one's own uid, an observer sees all")
  func visibility() throws {
    let stage = try DaemonStage()
    let mine = try stage.member("mine", mebibytes: 1, pid: 7, uid: 1_000)
    let other = try stage.member("other", mebibytes: 1, pid: 8, uid: 1_001)
    func names(_ client: WireClient, _ params: String = "{}") -> [String] {
      client.call("client.list", params)["result"]["clients"].elements
        .compactMap { $0["name"].string }
    }
    #expect(names(mine) == ["mine"])
    #expect(names(other) == ["other"])
    let root = try stage.control()
    #expect(names(root) == ["mine", "other"])
    #expect(names(root, #"{"filter":{"uid":1001}}"#) == ["other"])
    #expect(names(mine, #"{"filter":{"uid":1001}}"#) == [])
    #expect(names(root, #"{"filter":{"name":"mine"}}"#) == ["mine"])
    #expect(mine.call("client.get", #"{"session":"c1"}"#)["result"]["name"] == "mine")
    #expect(mine.call("client.get", #"{"session":"c2"}"#).code == -32_004)
    #expect(root.call("client.get", #"{"session":"c2"}"#)["result"]["name"] == "other")
  }

  @Test("a list can be cut to a cgroup")
  func cgroups() throws {
    let stage = try DaemonStage()
    for (pid, path) in [(Int32(7), "/a/x"), (8, "/ab"), (9, "/a")] {
      stage.process(pid, resident: 1, cgroup: path)
      try stage.connect(pid: pid).hello("p\(pid)")
    }
    let found = try stage.control().call("client.list", #"{"filter":{"cgroup":"/a"}}"#)
    #expect(found["result"]["clients"].elements.isEmpty, "their connections have ended")
    let (near, far) = (try stage.connect(pid: 7), try stage.connect(pid: 8))
    near.hello("near")
    far.hello("far")
    let now = try stage.control().call("client.list", #"{"filter":{"cgroup":"/a"}}"#)
    #expect(now["result"]["clients"].elements.compactMap { $0["name"].string }.contains("near"))
    #expect(!now["result"]["clients"].elements.compactMap { $0["name"].string }.contains("far"))
  }

  @Test("a list is paged by its limit: every client once, in order")
  func paging() throws {
    let stage = try DaemonStage()
    var members: [WireClient] = []
    for index in 0..<23 { members.append(try stage.member("m\(index)", mebibytes: 1)) }
    let root = try stage.control()
    var names: [String] = []
    var params = #"{"limit":5}"#
    var pages = 0
    while true {
      let page = root.call("client.list", params)["result"]
      names += page["clients"].elements.compactMap { $0["name"].string }
      pages += 1
      guard let next = page["next"].string else { break }
      params = #"{"limit":5,"cursor":"\#(next)"}"#
    }
    #expect(names == (0..<23).map { "m\($0)" })
    #expect(pages == 5)
    withExtendedLifetime(members) {}
  }

  @Test("a list that would not fit a line is cut, and goes on at its next")
  func longLines() throws {
    let stage = try DaemonStage()
    var members: [WireClient] = []
    let caches = (0..<62).map { #"{"name":"\#(String(repeating: "x", count: 60))\#($0)"}"# }
    for _ in 0..<40 {
      let member = try stage.connect()
      member.hello()
      _ = member.call("cache.register", #"{"caches":[\#(caches.joined(separator: ","))]}"#)
      members.append(member)
    }
    let root = try stage.control()
    var sessions: [String] = []
    var params = #"{"limit":500}"#
    while true {
      let page = root.call("client.list", params)["result"]
      sessions += page["clients"].elements.compactMap { $0["session"].string }
      guard let next = page["next"].string else { break }
      params = #"{"limit":500,"cursor":"\#(next)"}"#
    }
    #expect(sessions == (1...40).map { "c\($0)" })
    #expect(root.longestLine <= 262_144)
    withExtendedLifetime(members) {}
  }

  @Test("the most hostile client that can be registered still fits a line")
  func hostileLabels() throws {
    let stage = try DaemonStage()
    let member = try stage.connect()
    member.hello()
    // A control character takes six bytes on the wire.
    let labels = (0..<8).map { index in
      #""\#(String(repeating: "\\u0001", count: 31))\#(index)":"#
        + #""\#(String(repeating: "\\u0002", count: 64))""#
    }
    for index in 0..<62 {
      let name = String(repeating: "n", count: 62) + (index < 10 ? "0\(index)" : "\(index)")
      let cache = #"{"name":"\#(name)","labels":{\#(labels.joined(separator: ","))}}"#
      #expect(member.call("cache.register", #"{"caches":[\#(cache)]}"#)["error"] == .absent)
    }
    let root = try stage.control()
    let list = root.call("client.list")["result"]
    #expect(list["clients"][0]["caches"].elements.count == 62)
    let one = root.call("client.get", #"{"session":"c1"}"#)["result"]
    #expect(one["caches"].elements.count == 62)
    for index in 1...62 {
      let usage = #"{"id":\#(index),"usage":{"bytes":9007199254740991,"reclaimable":1}}"#
      _ = member.call("cache.update", usage)
    }
    #expect(root.call("plan", #"{"bytes":62}"#)["result"]["part"] == 62)
    let round = root.call("trigger", #"{"bytes":62,"wait":false}"#)
    #expect(round["result"]["round"] == 1)
    let arithmetic = root.call("round.get", #"{"round":1}"#)["result"]
    #expect(arithmetic["clients"][0]["caches"].elements.count == 62)
    #expect(root.longestLine <= 262_144)
  }

  @Test("more domains than fit a line are left out of the status, and counted")
  func manyDomains() throws {
    var settings = Settings()
    let long = String(repeating: "x", count: 200)
    for index in 0..<600 {
      settings.configuration.domains.append(
        DomainSettings(domain: .cgroup("/\(long)\(index)"), capacity: .gibibytes(1))
      )
    }
    let stage = try DaemonStage(settings)
    for index in 0..<600 {
      stage.tree.write("cgroup/\(long)\(index)/memory.current", "1\n")
    }
    stage.advance(.seconds(3))
    let root = try stage.control()
    let status = root.call("daemon.status")["result"]
    let shown = status["domains"].elements.count
    #expect(shown > 100 && shown < 601)
    #expect(status["domains_left_out"].int == 601 - shown)
    #expect(status["surfaces"]["json-rpc"] == "on")
    #expect(root.longestLine <= 262_144)
  }

  @Test("rounds about long paths are listed as far as they fit a line")
  func longRounds() throws {
    let stage = try DaemonStage()
    let root = try stage.control()
    let path = "/" + String(repeating: "p", count: 4_000)
    for _ in 0..<100 {
      _ = root.call("trigger", #"{"bytes":1,"scope":{"kind":"cgroup","path":"\#(path)"}}"#)
    }
    let rounds = root.call("round.list", #"{"limit":256}"#)["result"]["rounds"].elements
    #expect(rounds.count > 20 && rounds.count < 100)
    #expect(rounds[0]["round"] == 100)
    #expect(root.longestLine <= 262_144)
  }

  @Test("a host without PSI is degraded, and lists no triggers")
  func noPressure() throws {
    let stage = try DaemonStage(hasPressure: false)
    let root = try stage.control()
    let status = root.call("daemon.status")["result"]
    #expect(status["state"] == "degraded")
    #expect(status["triggers"] == [])
    #expect(try stage.connect().hello()["host"]["psi"] == false)
  }

  @Test("a wrong question is told where it is wrong")
  func wrong() throws {
    let stage = try DaemonStage()
    let root = try stage.control()
    for (method, params, path) in [
      ("client.list", #"{"limit":0}"#, "limit"), ("client.list", #"{"limit":501}"#, "limit"),
      ("client.list", #"{"cursor":"x"}"#, "cursor"),
      ("client.list", #"{"filter":{"uid":"root"}}"#, "filter.uid"),
      ("client.get", "{}", "session"), ("round.list", #"{"limit":257}"#, "limit"),
      ("round.get", "{}", "round"), ("plan", "{}", "bytes"),
      ("plan", #"{"bytes":1,"level":"none"}"#, "level"),
      ("plan", #"{"bytes":1,"scope":{"kind":"moon"}}"#, "scope.kind"),
      ("plan", #"{"bytes":1,"scope":{"kind":"cgroup"}}"#, "scope.path"),
      ("trigger", #"{"timeout_ms":49}"#, "timeout_ms"),
      ("trigger", #"{"level":"loud"}"#, "level"), ("trigger", #"{"bytes":1.5}"#, "bytes"),
      ("subscribe", #"{"topics":[]}"#, "topics"),
      ("subscribe", #"{"topics":["weather"]}"#, "topics[0]"),
      ("subscribe", #"{"topics":["status"],"interval_ms":99}"#, "interval_ms"),
      ("daemon.pause", #"{"for_ms":0}"#, "for_ms"),
      ("daemon.reload", #"{"check_only":1}"#, "check_only"),
      ("cache.override", #"{"session":"c1","id":1,"share":10001}"#, "share"),
      ("cache.override", #"{"session":"c1","id":0}"#, "id"),
    ] {
      let answer = root.call(method, params)
      #expect(answer.code == -32_602, "\(method) \(params)")
      #expect(answer.data["path"] == .text(path), "\(method) \(params)")
    }
  }

  @Test("what is not there is -32004, with what was asked for")
  func unknown() throws {
    let stage = try DaemonStage()
    let root = try stage.control()
    for (method, params, id) in [
      ("client.get", #"{"session":"c99"}"#, "c99" as WireValue),
      ("client.get", #"{"session":"x"}"#, "x"),
      ("round.get", #"{"round":5}"#, 5),
      ("unsubscribe", #"{"subscription":5}"#, 5),
      ("cache.override", #"{"session":"c99","id":1}"#, "c99"),
    ] {
      let answer = root.call(method, params)
      #expect(answer.code == -32_004, "\(method)")
      #expect(answer.data == ["id": id], "\(method)")
    }
  }

  @Test(
    "who may not, is told what it takes",
    arguments: [
      ("round.list", "{}", "observer"), ("round.get", #"{"round":1}"#, "observer"),
      ("plan", #"{"bytes":1}"#, "observer"), ("subscribe", #"{"topics":["rounds"]}"#, "observer"),
      ("unsubscribe", #"{"subscription":1}"#, "observer"),
      ("trigger", "{}", "admin"), ("daemon.reload", "{}", "admin"),
      ("daemon.pause", "{}", "admin"), ("daemon.resume", "{}", "admin"),
      ("cache.override", #"{"session":"c1","id":1}"#, "admin"),
    ]
  )
  func permissions(method: String, params: String, need: String) throws {
    let stage = try DaemonStage()
    let stranger = try stage.connect(uid: 1_000)
    stranger.hello()
    let answer = stranger.call(method, params)
    #expect(answer.code == -32_002)
    #expect(answer.data == ["need": .text(need)])
  }

  @Test("an observer may look and not touch")
  func observer() throws {
    var settings = Settings()
    settings.observerGroup = "root"
    let stage = try DaemonStage(settings)
    let observer = try stage.connect(uid: 7, groups: [0])
    observer.hello()
    #expect(observer.call("round.list")["result"] == ["rounds": []])
    #expect(observer.call("plan", #"{"bytes":1}"#)["result"]["part"] == 0)
    #expect(observer.call("trigger").data == ["need": "admin"])
  }

  @Test("discover lists every method with its schemas")
  func discover() throws {
    let stage = try DaemonStage()
    let stranger = try stage.connect(uid: 1_000)
    stranger.hello()
    let result = stranger.call("rpc.discover")["result"]
    let names = result["methods"].elements.compactMap { $0["name"].string }
    for name in [
      "hello", "cache.register", "cache.update", "cache.unregister", "cache.report",
      "purgeable.set", "limit.get", "ping", "bye", "shrink", "limit", "relax", "notice",
      "shutdown", "daemon.status", "client.list", "client.get", "round.list", "round.get",
      "plan", "trigger", "subscribe", "unsubscribe", "event", "daemon.reload", "daemon.pause",
      "daemon.resume", "cache.override", "rpc.discover", "$/cancel",
    ] { #expect(names.contains(name), "\(name)") }
    #expect(result["version"] == 1)
    for method in result["methods"].elements {
      #expect(
        method.keys.filter { $0 != "result" } == ["direction", "name", "params", "role"],
        "\(method["name"])"
      )
    }
  }
}
