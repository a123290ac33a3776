// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

@Suite("service manager and signals", .enabled(if: DaemonRun.executable != nil, noDaemon))
struct NotificationTests {
  @Test("hears of the start, of each reload, of the level, and of the end, in order")
  func notifications() throws {
    let tree = try HostFixture.make()
    let manager = try #require(NotifySocket(tree.path("notify")))
    let run = try DaemonRun(tree, environment: ["NOTIFY_SOCKET=\(tree.path("notify"))"])
    #expect(eventually { manager.heard("READY=1") })
    let member = try run.member("a", bytes: 1 << 20)
    #expect(eventually { manager.heard("STATUS=level none, 1 clients, 0 rounds") })
    let before = MonotonicClock.now().nanoseconds / 1_000
    run.signal(SIGHUP)
    #expect(eventually { manager.heard("RELOADING=1") })
    #expect(member.next("notice")?["params"]["kind"] == "reload")
    #expect(
      eventually {
        manager.drain(); return manager.messages.filter(isReady).count == 2
      }
    )
    #expect(run.stop() == 0)
    manager.drain()
    let words: [String] = manager.messages.map { String($0.prefix { $0 != "=" }) }
    let steps = words.filter { $0 != "STATUS" }
    #expect(steps == ["READY", "RELOADING", "READY", "STOPPING"])
    let reloading = try #require(manager.messages.first { $0.hasPrefix("RELOADING=1\n") })
    let stamp = try #require(reloading.split(separator: "=").last.flatMap { UInt64($0) })
    #expect(reloading == "RELOADING=1\nMONOTONIC_USEC=\(stamp)")
    #expect(stamp >= before && stamp <= MonotonicClock.now().nanoseconds / 1_000)
    #expect(manager.messages[0] == "READY=1\nSTATUS=level none, 0 clients, 0 rounds")
  }

  private func isReady(_ message: String) -> Bool { message.hasPrefix("READY=1") }

  @Test("the watchdog hears from every half of its time, and from nobody where it is not asked")
  func watchdog() throws {
    let tree = try HostFixture.make()
    let manager = try #require(NotifySocket(tree.path("notify")))
    let environment = ["NOTIFY_SOCKET=\(tree.path("notify"))", "WATCHDOG_USEC=200000"]
    let run = try DaemonRun(tree, environment: environment)
    #expect(
      eventually {
        manager.drain(); return manager.messages.count { $0 == "WATCHDOG=1" } >= 3
      }
    )
    #expect(run.stop() == 0)
  }

  @Test("SIGHUP reads a good file; a bad one is told by line and changes nothing")
  func reload() throws {
    let tree = try HostFixture.make()
    let run = try DaemonRun(tree)
    let root = try run.control()
    func low() -> Int? { root.call("daemon.status")["result"]["domains"][0]["low"].int }
    #expect(low() == 67_108_864)
    tree.write("ucmkd.conf", try HostFixture.text("settings/good.conf"))
    run.signal(SIGHUP)
    #expect(eventually { low() == 104_857_600 })
    tree.write("ucmkd.conf", try HostFixture.text("settings/broken.conf"))
    run.signal(SIGHUP)
    let place = "\(tree.path("ucmkd.conf")):3:8: "
    #expect(eventually { run.errors.contains(place) })
    #expect(low() == 104_857_600)
    let answer = root.call("daemon.reload")["result"]
    #expect(answer["changed"] == [])
    #expect(answer["errors"][0]["line"] == 3)
    #expect(answer["errors"][0]["column"] == 8)
    #expect(answer["errors"][1]["line"] == 5)
    #expect(run.stop() == 0)
  }

  @Test("SIGUSR1 dumps the flight recorder, into the state directory where there is one")
  func flight() throws {
    let tree = try HostFixture.make()
    tree.makeFolder("state")
    let run = try DaemonRun(tree, environment: ["STATE_DIRECTORY=\(tree.path("state"))"])
    let member = try run.member("flown", bytes: 1 << 20)
    run.signal(SIGUSR1)
    func dumps() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: tree.path("state"))
    }
    #expect(try eventually { try !dumps().isEmpty })
    let name = try #require(try dumps().first)
    #expect(name.hasPrefix("flight-"))
    #expect(eventually { run.errors.contains("flight recorder dumped") })
    let text = try String(contentsOfFile: tree.path("state/\(name)"), encoding: .utf8)
    let lines = text.split(separator: "\n").map { WireValue(line: $0.utf8) }
    #expect(lines.first?["event"] == "configured")
    #expect(lines.contains { $0["event"] == "joined" && $0["name"] == "flown" })
    #expect(lines.allSatisfy { $0["at"].int != nil })
    #expect(tree.mode("state/\(name)") == 0o600)
    #expect(run.stop() == 0)
    let plain = try DaemonRun(tree)
    plain.signal(SIGUSR1)
    #expect(eventually { plain.errors.contains(#"{"at":"#) })
    withExtendedLifetime(member) {}
  }

  @Test("the log goes to standard error, at the level that was asked for")
  func log() throws {
    let tree = try HostFixture.make()
    let run = try DaemonRun(tree, ["--log-level", "error"], environment: ["JOURNAL_STREAM=1:2"])
    _ = try run.member("quiet", bytes: 1)
    #expect(run.stop() == 0)
    #expect(run.errors.isEmpty)
    let loud = try DaemonRun(tree, ["--log-level=debug"])
    _ = try loud.member("loud", bytes: 1)
    #expect(loud.stop() == 0)
    #expect(loud.errors.contains("client joined session=c1 name=loud"))
    #expect(loud.output.isEmpty)
  }
}
