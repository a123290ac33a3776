// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("hello")
struct HelloTests {
  @Test("tells everything that the protocol lists")
  func result() throws {
    let stage = try DaemonStage()
    stage.process(4_711, resident: 100, cgroup: "/app.slice/imgd.service")
    let client = try stage.connect(uid: 1_000, pid: 4_711)
    let result = client.hello("imgd")
    #expect(
      result.keys == [
        "capabilities", "daemon", "heartbeat_ms", "host", "limits", "protocol",
        "report_min_interval_ms", "resume_token", "resumed", "session", "you",
      ]
    )
    #expect(result["protocol"] == 1)
    #expect(result["daemon"] == ["name": "ucmkd", "version": "0.1.0"])
    #expect(result["session"] == "c1")
    #expect(result["resumed"] == false)
    #expect(result["resume_token"].string?.utf8.count == 32)
    #expect(result["heartbeat_ms"] == 15_000)
    #expect(result["report_min_interval_ms"] == 100)
    #expect(
      result["limits"] == [
        "line_in": 65_536, "line_out": 262_144, "hello_ms": 5_000, "connections_uid": 256,
        "connections": 4_096, "caches": 62, "name": 64, "labels": 8, "reports_per_s": 10,
        "report_burst": 20, "in_flight": 32, "queue": 262_144, "malformed": 8, "ranges": 1_024,
      ]
    )
    #expect(
      result["host"] == [
        "mem_total": 1_048_576_000, "page_size": .number(Int64(Page.size)), "psi": true,
        "cgroup2": true, "swap_total": 2_097_152,
      ]
    )
    #expect(
      result["you"] == [
        "pid": 4_711, "uid": 1_000, "gid": 1_000, "cgroup": "/app.slice/imgd.service",
        "roles": ["member"],
      ]
    )
    #expect(
      result["capabilities"]
        == ["shrink": true, "limit": true, "purgeable": false, "shm": false]
    )
  }

  @Test("comes first: before it every other request is refused, known or not")
  func first() throws {
    let stage = try DaemonStage()
    let client = try stage.connect()
    for method in ["ping", "cache.register", "daemon.status", "no.such", "shrink"] {
      let answer = client.call(method)
      #expect(answer.code == -32_000, "\(method)")
      #expect(answer["error"]["data"] == .absent)
    }
    client.notify("cache.report", #"{"caches":[]}"#)
    client.notify("bye")
    #expect(client.hello()["session"] == "c1")
  }

  @Test("comes once")
  func twice() throws {
    let stage = try DaemonStage()
    let client = try stage.connect()
    client.hello()
    let again = client.call(
      "hello",
      #"{"protocol":{"min":1,"max":1},"client":{"name":"x"}}"#
    )
    #expect(again.code == -32_012)
    #expect(again.data == ["state": "open"])
  }

  @Test("takes the highest version that both know, or says which it knows")
  func versions() throws {
    let stage = try DaemonStage()
    let client = try stage.connect()
    let newer = client.call("hello", #"{"protocol":{"min":2,"max":9},"client":{"name":"x"}}"#)
    #expect(newer.code == -32_001)
    #expect(newer.data == ["min": 1, "max": 1])
    let wide = client.call("hello", #"{"protocol":{"min":1,"max":9},"client":{"name":"x"}}"#)
    #expect(wide["result"]["protocol"] == 1)
  }

  @Test(
    "names the member that is wrong and what it should be",
    arguments: [
      (#"{}"#, "protocol"),
      (#"{"protocol":{"min":1},"client":{"name":"x"}}"#, "protocol.max"),
      (#"{"protocol":{"min":1,"max":1.5},"client":{"name":"x"}}"#, "protocol.max"),
      (#"{"protocol":{"min":1,"max":1}}"#, "client"),
      (#"{"protocol":{"min":1,"max":1},"client":{"name":""}}"#, "client.name"),
      (#"{"protocol":{"min":1,"max":1},"client":{"name":7}}"#, "client.name"),
      (
        #"{"protocol":{"min":1,"max":1},"client":{"name":"x"},"role":"boss"}"#, "role"
      ),
      (
        #"{"protocol":{"min":1,"max":1},"client":{"name":"x"},"capabilities":{"shrink":1}}"#,
        "capabilities.shrink"
      ),
    ]
  )
  func wrongMember(params: String, path: String) throws {
    let stage = try DaemonStage()
    let client = try stage.connect()
    let answer = client.call("hello", params)
    #expect(answer.code == -32_602)
    #expect(answer.data["path"] == .text(path))
    #expect(answer.data["want"].string?.isEmpty == false)
    #expect(client.hello()["session"] == "c1", "a wrong hello is not a hello")
  }

  @Test("a control connection is not listed as a client, until it registers a cache")
  func control() throws {
    let stage = try DaemonStage()
    let client = try stage.control()
    #expect(client.call("client.list")["result"]["clients"] == [])
    client.register("own", bytes: 1 << 20)
    #expect(client.call("client.list")["result"]["clients"][0]["session"] == "c1")
  }

  @Test(
    "roles come from the kernel's word, not from the message",
    arguments: [
      (uid: UInt32(0), isUserInstance: false, roles: ["member", "observer", "admin"]),
      (uid: UInt32(1_000), isUserInstance: false, roles: ["member"]),
      (uid: UInt32(1_000), isUserInstance: true, roles: ["member", "observer", "admin"]),
      (uid: UInt32(1_001), isUserInstance: true, roles: ["member"]),
    ]
  )
  func roles(uid: UInt32, isUserInstance: Bool, roles: [String]) throws {
    let stage = try DaemonStage(isUserInstance: isUserInstance)
    let client = try stage.connect(uid: uid)
    let told = client.hello("x", #","role":"control""#)["you"]["roles"]
    #expect(told.elements.compactMap(\.string) == roles)
  }

  @Test("groups give roles: primary or supplementary, observer or administrator")
  func groups() throws {
    // Group 0 is called root on every Linux.
    var settings = Settings()
    settings.observerGroup = "root"
    let observed = try DaemonStage(settings)
    let observer = try observed.connect(uid: 7, groups: [3, 0])
    #expect(observer.hello()["you"]["roles"] == ["member", "observer"])

    settings.observerGroup = ""
    settings.adminGroup = "root"
    let ruled = try DaemonStage(settings)
    let admin = try ruled.connect(uid: 7, groups: [0])
    #expect(admin.hello()["you"]["roles"] == ["member", "observer", "admin"])
    let stranger = try ruled.connect(uid: 7, groups: [3])
    #expect(stranger.hello()["you"]["roles"] == ["member"])
  }

  @Test("the cgroup is null where no v2 hierarchy is known")
  func noCgroup() throws {
    let stage = try DaemonStage()
    let client = try stage.connect(pid: 999_999)
    #expect(client.hello()["you"]["cgroup"] == .null)
  }

  @Test("within 5 s of connect, or the connection ends")
  func tooLate() throws {
    let stage = try DaemonStage()
    let early = try stage.connect()
    let late = try stage.connect()
    let half = try stage.connect()
    half.send(bytes: Array(#"{"jsonrpc":"2.0","#.utf8))
    stage.advance(.milliseconds(4_900))
    early.hello()
    stage.advance(.milliseconds(200))
    #expect(late.waitForClose())
    #expect(half.waitForClose())
    #expect(early.call("ping")["result"]["monotonic_ns"].int == Int(stage.now.nanoseconds))
  }
}
