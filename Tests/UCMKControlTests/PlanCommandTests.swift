// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl

@Suite("ucmkctl plan")
struct PlanCommandTests {
  @Test("who would be asked for what, and why")
  func table() throws {
    let daemon = try FakeDaemon(["plan": [.result(Samples.plan)]])
    let run = Run("plan --bytes 512M", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output == """
        512.0 MiB at medium on all clients: nothing is sent
        target 512.0 MiB, capacity 536.0 MiB, part 512.0 MiB, unmet 0 B

        SESSION  CLIENT  CACHE   RECLAIMABLE    FLOOR        CAP     WEIGHT       PART      ASKED
        c17      imgd    thumbs    504.0 MiB  8.0 MiB  504.0 MiB    250,000  448.0 MiB  457.3 MiB
        c17      imgd    tiles      32.0 MiB      0 B   32.0 MiB    500,000   32.0 MiB   32.7 MiB
        c20      shopd   pages      32.0 MiB      0 B   32.0 MiB  1,000,000   32.0 MiB   32.0 MiB
        total                                                                512.0 MiB  522.0 MiB

        """
    )
    #expect(daemon.params(of: "plan") == [#"{"bytes":536870912,"level":"medium"}"#])
  }

  @Test("who is not asked is listed with the reason")
  func excluded() throws {
    let plan = """
      {"target":4096,"capacity":0,"part":0,"unmet":4096,"level":"low","scope":{"kind":"manual"},
      "clients":[],"excluded":[
      {"session":"c3","name":"old","pid":7,"reason":"no-requests"},
      {"session":"c4","name":"busy","pid":8,"reason":"refuses"},
      {"session":"c5","name":"calm","pid":9,"reason":"level"},
      {"session":"c6","name":"bare","pid":10,"reason":"nothing-left"},
      {"session":"c7","name":"new","pid":11,"reason":"asleep"}]}
      """
    let daemon = try FakeDaemon(["plan": [.result(plan)]])
    let run = Run("plan --bytes 4K --level low", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output == """
        4.0 KiB at low on all clients: nothing is sent
        target 4.0 KiB, capacity 0 B, part 0 B, unmet 4.0 KiB

        nobody would be asked

        not asked:
          c3 old: takes no requests to shrink
          c4 busy: refused a moment ago
          c5 calm: none of its caches is asked at this level
          c6 bare: holds nothing above its floors
          c7 new: asleep

        """
    )
  }

  @Test("on a terminal of 80 columns the totals still fit")
  func narrow() throws {
    let daemon = try FakeDaemon(["plan": [.result(Samples.plan)]])
    let run = Run("plan --bytes 512M", on: daemon, columns: 80, environment: ["NO_COLOR": "1"])
    #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    #expect(run.output.contains("\ntotal "))
  }

  @Test("the level and the cgroup go to the daemon")
  func aim() throws {
    let daemon = try FakeDaemon(["plan": [.result(Samples.plan)]])
    let command = "plan --bytes 1.5G --level critical --cgroup /sys/fs/cgroup/app.slice"
    #expect(Run(command, on: daemon).status == 0)
    #expect(
      daemon.params(of: "plan") == [
        #"{"bytes":1610612736,"level":"critical","#
          + #""scope":{"kind":"cgroup","path":"/app.slice"}}"#
      ]
    )
  }

  @Test("the arithmetic follows where it is asked for")
  func steps() throws {
    let daemon = try FakeDaemon(["plan": [.result(Samples.plan)]])
    let lines = Run("plan --bytes 512M --steps", on: daemon).output
      .split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    let start = try #require(lines.firstIndex { $0.hasPrefix("c17 imgd (pid") })
    #expect(
      Array(lines[start...].prefix(12)) == [
        "c17 imgd (pid 4711): part 480.0 MiB, asked 490.0 MiB",
        "  cache thumbs (3): part 448.0 MiB, asked 457.3 MiB",
        "    bytes            512.0 MiB  the size of the cache",
        "    reclaimable      504.0 MiB  what it says it could free now",
        "    measured         516.0 MiB  what the process really holds",
        "    share                   50  granted by the administrator, lowered by the client",
        "    cost_us_per_mib       2 ms  to rebuild one MiB",
        "    trust              98.00 %  measured of what was asked, so far",
        "    ledger                 0 B  given before beyond its fair part",
        "    floor              8.0 MiB  kept at this level",
        "    cap              504.0 MiB  the most it can be asked for",
        "    weight             250,000  share times clamped cost: the heavier, the more it keeps",
      ]
    )
    #expect(lines.contains("  1. what may be kept above the floors, per unit of weight: 1,342"))
    #expect(lines.contains("  2. part of thumbs: 448.0 MiB"))
  }

  @Test("a plan of many clients comes in pages")
  func pages() throws {
    let page = { (session: String, next: String) in
      #"{"target":3,"part":2,"clients":[{"session":"\#(session)","caches":[]}]\#(next)}"#
    }
    let daemon = try FakeDaemon([
      "plan": [.result(page("c1", #","next":"c1""#)), .result(page("c2", ""))]
    ])
    let run = Run("plan --bytes 3 --json", on: daemon)
    #expect(
      try JSONValue(parsing: run.output).line
        == #"{"target":3,"part":2,"clients":[{"session":"c1","caches":[]},"#
        + #"{"session":"c2","caches":[]}]}"#
    )
    #expect(
      daemon.params(of: "plan") == [
        #"{"bytes":3,"level":"medium"}"#, #"{"bytes":3,"level":"medium","cursor":"c1"}"#,
      ]
    )
  }

  @Test("nobody to ask")
  func nobody() throws {
    let daemon = try FakeDaemon([
      "plan": [
        .result(
          """
          {"target":1048576,"capacity":0,"part":0,"unmet":1048576,"level":"low",
          "scope":{"kind":"cgroup","path":"/a"},"clients":[]}
          """
        )
      ]
    ])
    let run = Run("plan --bytes 1M --level low --cgroup /a", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output == """
        1.0 MiB at low on /a: nothing is sent
        target 1.0 MiB, capacity 0 B, part 0 B, unmet 1.0 MiB

        nobody would be asked

        """
    )
  }
}

@Suite("ucmkctl shrink")
struct ShrinkCommandTests {
  @Test("asked, claimed and measured of each client")
  func round() throws {
    let daemon = try FakeDaemon(["trigger": [.result(Samples.round)]])
    let run = Run("shrink --bytes 256M", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output == """
        round 413 by hand on all clients at medium, 2026-11-24 14:57:52
        target 256.0 MiB, capacity 536.0 MiB, part 256.0 MiB

        SESSION  NAME    PID       PART      ASKED    CLAIMED   MEASURED    TOOK  OUTCOME
        c17      imgd   4711  224.0 MiB  228.0 MiB  218.0 MiB  212.0 MiB   38 ms  done
        c20      shopd   815   32.0 MiB   32.0 MiB   32.0 MiB   28.0 MiB  412 ms  late
        total                 256.0 MiB  260.0 MiB  250.0 MiB  240.0 MiB

        16.0 MiB unmet in 412 ms

        """
    )
    #expect(daemon.params(of: "trigger") == [#"{"bytes":268435456,"level":"medium"}"#])
  }

  @Test("a dry run that nobody was asked in")
  func dryRun() throws {
    let daemon = try FakeDaemon(["trigger": [.result(Samples.dryRun)]])
    let run = Run("shrink --bytes 1M --level critical --cgroup /app.slice --dry-run", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output == """
        round 414 by hand (dry run) on /app.slice at critical, 2026-11-24 14:57:52
        target 1.0 MiB, capacity 0 B, part 0 B
        nobody was asked

        1.0 MiB unmet in 0 ms (dry run: nothing was freed)

        """
    )
    #expect(
      daemon.params(of: "trigger") == [
        #"{"bytes":1048576,"level":"critical","scope":{"kind":"cgroup","path":"/app.slice"},"#
          + #""dry_run":true}"#
      ]
    )
  }

  @Test("a target that was met says so")
  func met() throws {
    let round = Samples.round.replacing("\"unmet\":16777216", with: "\"unmet\":0")
    let daemon = try FakeDaemon(["trigger": [.result(round)]])
    let run = Run("shrink --bytes 256M --within 30s", on: daemon)
    #expect(run.output.hasSuffix("\n\nthe target was met in 412 ms\n"))
    #expect(
      daemon.params(of: "trigger")
        == [#"{"bytes":268435456,"level":"medium","timeout_ms":30000}"#]
    )
  }

  @Test("one who does not wait is told the number")
  func noWait() throws {
    let daemon = try FakeDaemon(["trigger": [.result(#"{"round":415}"#)]])
    let run = Run("shrink --bytes 256M --no-wait", on: daemon)
    #expect(run.output == "round 415 started\n")
    #expect(
      daemon.params(of: "trigger") == [#"{"bytes":268435456,"level":"medium","wait":false}"#]
    )
  }

  @Test("further pages of a round are looked up, not triggered")
  func pages() throws {
    let daemon = try FakeDaemon([
      "trigger": [.result(#"{"round":9,"clients":[{"session":"c1"}],"next":"c1"}"#)],
      "round.get": [.result(#"{"round":9,"clients":[{"session":"c2"}]}"#)],
    ])
    let run = Run("shrink --bytes 3 --json", on: daemon)
    #expect(
      try JSONValue(parsing: run.output).line
        == #"{"round":9,"clients":[{"session":"c1"},{"session":"c2"}]}"#
    )
    #expect(daemon.params(of: "trigger").count == 1)
    #expect(daemon.params(of: "round.get") == [#"{"round":9,"cursor":"c1"}"#])
  }

  @Test("while a round runs the daemon refuses")
  func busy() throws {
    let daemon = try FakeDaemon([
      "trigger": [.error(-32006, "busy", data: #"{"retry_after_ms":1200}"#)]
    ])
    let run = Run("shrink --bytes 256M", on: daemon)
    #expect(run.status == 1)
    #expect(run.errors == "ucmkctl: busy: a round is running; try again in 1200 ms\n")
  }

  @Test("the time of the round comes on top of the daemon's own")
  func patience() throws {
    let daemon = try FakeDaemon(["trigger": [.silence]])
    let run = Run("shrink --bytes 1M --within 1s --timeout 3s", on: daemon)
    #expect(run.status == 69)
    #expect(run.errors == "ucmkctl: the daemon did not answer trigger within 4 s\n")
  }
}
