// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl

@Suite("ucmkctl status")
struct StatusCommandTests {
  private static let screen = """
    ucmkd 0.1.0, protocol 1, up 2h 05m
    state       watching
    level       medium
    pressure    some   12.34 %    8.01 %    2.50 %  over 10 s, 60 s, 300 s
                full    3.10 %    1.00 %    0.40 %
    memory      [##################################.GH.L.]  2.1 GiB of 16.0 GiB available
                low 819.2 MiB, high 1.3 GiB, grow 1.9 GiB, swap free 2.0 GiB
    clients     3 with 7 caches: 1.2 GiB registered, 980.0 MiB reclaimable
    rounds      412, 4 timeouts: asked 9.0 GiB, claimed 8.8 GiB, measured 8.5 GiB
    last round  413 by hand (dry run) on all clients at medium, 2026-11-24 14:57:52
                asked 260.0 MiB, claimed 0 B, measured 0 B, still open
    surfaces    socket on, signals off, reclaim error: permission denied

    DOMAIN                    STATE     LEVEL     AVAILABLE        OF        LOW       HIGH      \
     GROW
    host                      watching  medium      2.1 GiB  16.0 GiB  819.2 MiB    1.3 GiB    \
    1.9 GiB
    /system.slice/shop.slice  round     critical   51.2 MiB   2.0 GiB  102.4 MiB  163.8 MiB  \
    245.8 MiB

    TRIGGER ON                KIND   STALL  WITHIN  SOURCE
    host                      some  150 ms     1 s  trigger
    /system.slice/shop.slice  full   70 ms     2 s  average

    """

  private func daemon(_ status: String = Samples.status) throws -> FakeDaemon {
    try FakeDaemon(["daemon.status": [.result(status)], "round.list": [.result(Samples.rounds)]])
  }

  @Test("one screen")
  func screen() throws {
    let daemon = try daemon()
    let run = Run("status", on: daemon)
    #expect(run.status == 0)
    #expect(run.output == StatusCommandTests.screen)
    #expect(run.errors == "")
    #expect(daemon.params(of: "daemon.status") == ["{}"])
    #expect(daemon.params(of: "round.list") == [#"{"limit":1}"#])
  }

  @Test("on a terminal of 80 columns the tables fit")
  func narrow() throws {
    let environment = ["NO_COLOR": "1"]
    let run = Run("status", on: try daemon(), columns: 80, environment: environment)
    let tables = run.output.split(separator: "\n").drop { !$0.hasPrefix("DOMAIN") }
    #expect(
      tables.map { String($0) } == [
        "DOMAIN             STATE     LEVEL     AVAILABLE        OF        LOW       HIGH",
        "host               watching  medium      2.1 GiB  16.0 GiB  819.2 MiB    1.3 GiB",
        "..lice/shop.slice  round     critical   51.2 MiB   2.0 GiB  102.4 MiB  163.8 MiB",
        "TRIGGER ON                KIND   STALL  WITHIN  SOURCE",
        "host                      some  150 ms     1 s  trigger",
        "/system.slice/shop.slice  full   70 ms     2 s  average",
      ]
    )
    #expect(tables.allSatisfy { $0.count <= 80 })
  }

  @Test("on a terminal the level has its colour")
  func colour() throws {
    let run = Run("status", on: try daemon(), columns: 120)
    #expect(
      run.output.contains("\u{1B}[1mlevel\u{1B}[0m       \u{1B}[1;33mmedium\u{1B}[0m\n")
    )
    #expect(run.output.contains("reclaim \u{1B}[1;31merror: permission denied\u{1B}[0m\n"))
  }

  @Test("a domain whose caches have nothing left to give stands at the top")
  func exhausted() throws {
    let parts = Samples.status.split(separator: "257698037}")
    let status = parts.joined(separator: #"257698037,"exhausted":true}"#)
    let lines = Run("status", on: try daemon(status)).output.split(separator: "\n")
    #expect(
      lines[3] == "exhausted   /system.slice/shop.slice: caches have nothing left to give"
    )
  }

  @Test("one who may not see rounds is shown the number")
  func member() throws {
    let daemon = try FakeDaemon([
      "daemon.status": [.result(Samples.status)],
      "round.list": [.error(-32002, "permission denied", data: #"{"need":"observer"}"#)],
    ])
    let run = Run("status", on: daemon)
    #expect(run.status == 0)
    #expect(run.output.contains("\nlast round  412\nsurfaces"))
  }

  @Test("a fresh daemon on a poor host")
  func fresh() throws {
    let daemon = try daemon(
      """
      {"state":"idle","level":"none","version":"0.1.0","protocol":1,"uptime_ms":1500,"psi":null,
      "memory":{"total":1073741824,"available":1073741824,"swap_free":0},"domains":[],
      "triggers":[],"counts":{"clients":0,"caches":0,"rounds":0,"timeouts":0,
      "reports_dropped":2000,"notifications_dropped":1},"bytes":{"registered":0,
      "reclaimable":0,"asked":0,"claimed":0,"measured":0},"surfaces":{},"last_round":null}
      """
    )
    let run = Run("status", on: daemon)
    #expect(
      run.output == """
        ucmkd 0.1.0, protocol 1, up 1.5 s
        state       idle
        level       none
        pressure    the host has no PSI
        memory      [........................................]  1.0 GiB of 1.0 GiB available
                    low -, high -, grow -, swap free 0 B
        clients     0 with 0 caches: 0 B registered, 0 B reclaimable
        rounds      0, 0 timeouts: asked 0 B, claimed 0 B, measured 0 B
        dropped     2,000 reports, 1 notifications

        """
    )
    #expect(daemon.params(of: "round.list") == [])
  }

  @Test("sizes are plain numbers where that is asked for")
  func raw() throws {
    let run = Run("status --raw-bytes", on: try daemon())
    #expect(run.output.contains("  2254857830 of 17179869184 available\n"))
    #expect(run.output.contains("asked 9663676416, claimed 9448928051, measured 9126805504\n"))
  }

  @Test("a status that says nothing is shown as nothing, not as a failure")
  func empty() throws {
    let run = Run("status", on: try daemon("{}"))
    #expect(run.status == 0)
    #expect(run.output.hasPrefix("ucmkd -, protocol -, up -\nstate       -\nlevel       -\n"))
  }

  @Test("paused and degraded stand out", arguments: [("paused", "1;33"), ("degraded", "1;31")])
  func state(word: String, colour: String) throws {
    let daemon = try daemon("{\"state\":\"\(word)\"}")
    let run = Run("status", on: daemon, columns: 80)
    #expect(run.output.contains("\u{1B}[\(colour)m\(word)\u{1B}[0m\n"))
  }
}
