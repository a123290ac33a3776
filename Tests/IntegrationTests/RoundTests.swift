// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKModel
import UCMKTestSupport

@Suite("rounds on a fixture host", .enabled(if: DaemonRun.executable != nil, noDaemon))
struct RoundTests {
  /// What an automatic round must hold, whatever started it.
  private func check(_ round: WireValue, reason: String, members: Int) {
    #expect(round["reason"].string == reason)
    #expect(round["scope"] == ["kind": "host"])
    #expect(round["state"] == "closed")
    let (target, capacity) = (round["target"].int ?? 0, round["capacity"].int ?? 0)
    let part = round["part"].int ?? -1
    #expect(part == min(target, capacity))
    #expect(target >= 8 << 20)
    let clients = round["clients"].elements
    #expect(clients.count == members)
    #expect(round["clients"].sum("part") == part)
    #expect(round["clients"].sum("claimed") == round["claimed"].int)
    // All are alike, so that their parts differ by what cannot be divided.
    let parts = clients.compactMap { $0["part"].int }
    #expect((parts.max() ?? 0) - (parts.min() ?? 0) <= 1, "\(parts)")
    for client in clients {
      #expect(client["caches"].sum("part") == client["part"].int)
      let (asked, least) = (client["asked"].int ?? 0, client["part"].int ?? 0)
      #expect(asked >= least && asked < least + 4_096, "rounded up to a page")
    }
  }

  @Test("below the low watermark a round starts by itself, and after recovery caches may grow")
  func watermark() throws {
    let tree = try HostFixture.make(available: 130)
    let run = try DaemonRun(tree)
    let crew = try Crew(run, members: 3)
    HostFixture.memory(tree, available: 30)
    let first = try #require(crew.members[0].next("shrink"))
    #expect(first["params"]["scope"] == ["kind": "host"])
    #expect(["low", "medium", "critical"].contains(first["params"]["level"].string))
    #expect(first["params"]["targets"][0]["limit"].int != nil)
    // Before anybody has answered: what is freed is there when the daemon looks for it.
    HostFixture.memory(tree, available: 125)
    HostFixture.process(tree, resident: 1_905)
    crew.members[0].comply(with: first, size: crew.size)
    #expect(
      eventually {
        crew.comply()
        return crew.root.call("round.list")["result"]["rounds"][0]["state"] == "closed"
      }
    )
    let number = first["params"]["round"].int ?? 0
    let round = crew.root.call("round.get", #"{"round":\#(number)}"#)["result"]
    check(round, reason: "watermark", members: 3)
    #expect(round["measured"].int ?? 0 > 0)
    HostFixture.memory(tree, available: 600)
    for member in crew.members {
      let relax = try #require(member.next("relax", within: .seconds(20)))
      #expect(relax["id"] == .absent)
      #expect(relax["params"]["round"].int != nil)
      #expect(relax["params"]["level"].string != nil)
    }
    #expect(
      eventually(within: .seconds(20)) {
        crew.members[0].call("limit.get")["result"]
          == ["caches": [["id": 1, "limit": .null]], "level": "none"]
      }
    )
    #expect(run.stop() == 0)
  }

  @Test("a byte in the FIFO of MEMORY_PRESSURE_WATCH starts a round by pressure, at medium")
  func pressure() throws {
    let tree = try HostFixture.make(available: 90)
    tree.makeFIFO("pressure")
    let run = try DaemonRun(
      tree,
      environment: ["MEMORY_PRESSURE_WATCH=\(tree.path("pressure"))"]
    )
    let crew = try Crew(run, members: 4)
    let status = crew.root.call("daemon.status")["result"]
    #expect(status["triggers"].elements.contains { $0["source"] == "watch" })
    let fifo = unsafe open(tree.path("pressure"), O_WRONLY | O_NONBLOCK | O_CLOEXEC)
    try #require(fifo >= 0)
    defer { _ = close(fifo) }
    #expect(unsafe write(fifo, "x", 1) == 1)
    let first = try #require(crew.members[0].next("shrink"))
    #expect(first["params"]["level"] == "medium")
    crew.members[0].comply(with: first, size: crew.size)
    #expect(
      eventually {
        crew.comply()
        return crew.root.call("round.list")["result"]["rounds"][0]["state"] == "closed"
      }
    )
    let number = first["params"]["round"].int ?? 0
    let round = crew.root.call("round.get", #"{"round":\#(number)}"#)["result"]
    check(round, reason: "trigger", members: 4)
    #expect(round["level"] == "medium")
    #expect(crew.root.call("daemon.status")["result"]["level"].string != "none")
    #expect(run.stop() == 0)
  }

  @Test("a manual round is answered whole: parts, claims and what was seen")
  func manual() throws {
    let tree = try HostFixture.make()
    let run = try DaemonRun(tree)
    let crew = try Crew(run, members: 3, mebibytes: 50)
    let target = 31_415_926
    let id = crew.root.request("trigger", #"{"bytes":\#(target)}"#)
    let shrinks = try crew.members.map { try #require($0.next("shrink")) }
    // All were asked and nobody has answered: the daemon has the size before, and not yet after.
    HostFixture.process(tree, resident: 1_975)
    for (member, shrink) in zip(crew.members, shrinks) {
      member.comply(with: shrink, size: crew.size)
    }
    let round = crew.root.answer(to: id)["result"]
    #expect(round["state"] == "closed")
    #expect(round["part"].int == target)
    #expect(round["clients"].sum("part") == target)
    let claimed = round["claimed"].int ?? 0
    #expect(claimed >= target && claimed < target + 3 * 4_096)
    // 25 of 2,000 MiB by the process's own status, over three claims that are alike: the byte that
    // cannot be divided by three is somebody's.
    #expect(round["measured"] == 26_214_400)
    #expect(round["clients"].sum("measured") == 26_214_400)
    #expect(round["unmet"] == 5_201_526)
    // Limits of a manual round are lifted within 10 s, when the host is not short.
    let relax = try #require(crew.members[0].next("relax"))
    #expect(relax["params"]["round"] == round["round"])
  }

  @Test("a cgroup with a limit above a client is a domain of its own")
  func cgroup() throws {
    let tree = try HostFixture.make()
    for name in ["memory.current", "memory.high", "memory.max", "memory.stat"] {
      let text = try HostFixture.text("cgroup/shop.slice/\(name)")
      tree.write("cgroup/shop.slice/\(name)", text)
    }
    tree.write("proc/\(getpid())/cgroup", "0::/shop.slice/web.service\n")
    let run = try DaemonRun(tree)
    let crew = try Crew(run, members: 1, mebibytes: 6)
    func domain() -> WireValue {
      crew.root.call("daemon.status")["result"]["domains"].elements
        .first { $0["scope"]["path"] == "/shop.slice" } ?? .absent
    }
    #expect(eventually { domain()["capacity"] == 16_777_216 })
    #expect(domain()["available"] == 8_388_608)
    tree.write("cgroup/shop.slice/memory.current.new", "16252928\n")
    tree.move("cgroup/shop.slice/memory.current.new", to: "cgroup/shop.slice/memory.current")
    let shrink = try #require(crew.members[0].next("shrink"))
    #expect(shrink["params"]["scope"] == ["kind": "cgroup", "path": "/shop.slice"])
    crew.members[0].comply(with: shrink, size: crew.size)
    #expect(run.stop() == 0)
  }
}
