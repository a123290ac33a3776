// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKControl

@Suite("ucmkctl rounds")
struct RoundsCommandTests {
  @Test("the newest first, as the daemon has them")
  func list() throws {
    let daemon = try FakeDaemon(["round.list": [.result(Samples.rounds)]])
    let run = Run("rounds", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output == """
        ROUND  TIME            LEVEL     REASON         ASKED    CLAIMED   MEASURED      UNMET   \
        TOOK  SCOPE
          413  11-24 14:57:52  medium    manual     260.0 MiB        0 B    dry run  256.0 MiB   \
        open  all clients
          412  11-24 13:57:52  critical  watermark  260.0 MiB  256.0 MiB  256.0 MiB        0 B  \
        1.8 s  /system.slice/shop.slice

        """
    )
    #expect(daemon.params(of: "round.list") == [#"{"limit":32}"#])
  }

  @Test("on a terminal of 80 columns reason and unmet give way")
  func narrow() throws {
    let daemon = try FakeDaemon(["round.list": [.result(Samples.rounds)]])
    let environment = ["NO_COLOR": "1"]
    let run = Run("rounds --limit 2", on: daemon, columns: 84, environment: environment)
    #expect(
      run.output == """
        ROUND  TIME            LEVEL         ASKED    CLAIMED   MEASURED   TOOK  SCOPE
          413  11-24 14:57:52  medium    260.0 MiB        0 B    dry run   open  all clients
          412  11-24 13:57:52  critical  260.0 MiB  256.0 MiB  256.0 MiB  1.8 s  ..shop.slice

        """
    )
    #expect(daemon.params(of: "round.list") == [#"{"limit":2}"#])
  }

  @Test("none yet")
  func none() throws {
    let daemon = try FakeDaemon(["round.list": [.result(#"{"rounds":[]}"#)]])
    #expect(Run("rounds", on: daemon).output == "no rounds yet\n")
  }
}

@Suite("ucmkctl explain")
struct ExplainCommandTests {
  @Test("the arithmetic in words and numbers")
  func all() throws {
    let daemon = try FakeDaemon(["round.get": [.result(Samples.explained)]])
    let run = Run("explain 412", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output == """
        round 412 by trigger on host at low, 2026-11-24 13:57:52
        target      256.0 MiB, what the round was to get back
        capacity    536.0 MiB, the most that all together could be asked for
        part        256.0 MiB, the smaller of the two: it is what was divided
        asked       260.0 MiB, over all attempts
        claimed     250.0 MiB, what the clients say they freed
        measured    240.0 MiB, what the daemon saw come back
        unmet       16.0 MiB, target less measured

        c17 imgd (pid 4711): part 224.0 MiB, asked 228.0 MiB, claimed 218.0 MiB, measured 212.0 \
        MiB - done in 38 ms
          cache thumbs (3): part 224.0 MiB, asked 228.0 MiB, claimed 218.0 MiB
            bytes            512.0 MiB  the size of the cache
            reclaimable      504.0 MiB  what it says it could free now
            measured         516.0 MiB  what the process really holds
            share                   50  granted by the administrator, lowered by the client
            cost_us_per_mib       2 ms  to rebuild one MiB
            trust              98.00 %  measured of what was asked, so far
            ledger                 0 B  given before beyond its fair part
            floor              8.0 MiB  kept at this level
            cap              504.0 MiB  the most it can be asked for
            weight             250,000  share times clamped cost: the heavier, the more it keeps
            release               sync
          1. keep per unit of weight: 1,342,177
          2. part of thumbs: 224.0 MiB
          3. why not more: the floor holds

        c20 shopd (pid 815): part 32.0 MiB, asked 32.0 MiB, claimed 32.0 MiB, measured 28.0 MiB \
        - late in 412 ms
          cache pages (1): part 32.0 MiB, asked 32.0 MiB, claimed 32.0 MiB

        """
    )
    #expect(daemon.params(of: "round.get") == [#"{"round":412}"#])
  }

  @Test("one client by session or name, with the exact numbers", arguments: ["c20", "shopd"])
  func client(word: String) throws {
    let daemon = try FakeDaemon(["round.get": [.result(Samples.explained)]])
    let run = Run("explain 412 \(word) --raw-bytes", on: daemon)
    #expect(!run.output.contains("imgd"))
    #expect(
      run.output.hasSuffix(
        """
        unmet       16777216, target less measured

        c20 shopd (pid 815): part 33554432, asked 33554432, claimed 33554432, measured 29360128 \
        - late in 412 ms
          cache pages (1): part 33554432, asked 33554432, claimed 33554432

        """
      )
    )
    let json = try JSONValue(parsing: Run("explain 412 \(word) --json", on: daemon).output)
    #expect(json["clients"].items.map { $0["session"].string } == ["c20"])
    #expect(json["round"].integer == 412)
  }

  @Test("each attempt with everybody who could be asked, from all pages")
  func attempts() throws {
    let daemon = try FakeDaemon([
      "round.get": [.result(Samples.attempts), .result(Samples.attemptsRest)]
    ])
    let run = Run("explain 7", on: daemon)
    let start = try #require(run.output.range(of: "attempt 1"))
    #expect(
      String(run.output[start.lowerBound...]) == """
        attempt 1 at low: target 256.0 MiB, capacity 536.0 MiB, part 256.0 MiB
          by level-down, median cost 2 ms, pages of 4.0 KiB, small quotas left out
          NODE  GROUP       IN       SIZE  COLD      BELOW       ROOM        CAP   WEIGHT       PART
             0  /            0  512.0 MiB   0 B  504.0 MiB          -  504.0 MiB  500,000  256.0 MiB
             1  /app.slice   0  512.0 MiB   0 B  504.0 MiB  256.0 MiB  256.0 MiB  500,000  256.0 MiB
          CLIENT  NAME   NODE     TRUST    LEDGER       SIZE  COLD        CAP   WEIGHT       \
        FAIR       PART
          c17     imgd      1   98.00 %  -4.0 KiB  512.0 MiB   0 B  504.0 MiB  500,000  \
        256.0 MiB  256.0 MiB
          c20     shopd     0  100.00 %       0 B    4.0 KiB   0 B    4.0 KiB  500,000    \
        4.0 KiB   left out
          CLIENT  CACHE      BYTES  RECLAIMABLE    FLOOR  IN FLIGHT  COLD  SHARE  COST       \
         CAP   WEIGHT       PART        ASK      ASKED
          c17         3  512.0 MiB    504.0 MiB  8.0 MiB        0 B   0 B     50  2 ms  \
        493.9 MiB  500,000  256.0 MiB  261.2 MiB  261.2 MiB
          not asked:
            c5 old: did not answer again and again

        attempt 2 at low: target 16.0 MiB, capacity 0 B, part 0 B
          by level-down, median cost 2 ms, pages of 4.0 KiB, small quotas left out
          not asked:
            c17 imgd: was silent, late or refused earlier in the round
            c20 shopd: said that no more can come

        """
    )
    #expect(
      daemon.params(of: "round.get") == [#"{"round":7}"#, #"{"round":7,"cursor":"2.0"}"#]
    )
  }

  @Test("the attempts of one client")
  func attemptsOfClient() throws {
    let daemon = try FakeDaemon([
      "round.get": [.result(Samples.attempts), .result(Samples.attemptsRest)]
    ])
    let json = try JSONValue(parsing: Run("explain 7 c17 --json", on: daemon).output)
    let attempts = json["attempts"].items
    #expect(attempts.map { $0["clients"].items.map { $0["session"] } } == [["c17"], []])
    #expect(attempts.map { $0["excluded"].items.map { $0["session"] } } == [[], ["c17"]])
    #expect(attempts[0]["nodes"].items.count == 2)
    #expect(json["next"].isNull)
  }

  @Test("a round whose clients are forgotten says so, and does not say that it asked nobody")
  func forgotten() throws {
    let daemon = try FakeDaemon([
      "round.get": [
        .result(
          """
          {"round":7,"target":4096,"clients":[],"clients_forgotten":true,"attempts":[
          {"attempt":1,"level":"low","rule":"level-down","target":4096,"capacity":8192,
          "part":4096,"rows_forgotten":true,"nodes":[],"clients":[],"excluded":[]}]}
          """
        )
      ]
    ])
    let lines = Run("explain 7", on: daemon).output.split(separator: "\n")
    #expect(lines.contains("its clients are forgotten: newer rounds took their place"))
    #expect(lines.last == "  its clients are forgotten: newer attempts took their place")
    let one = Run("explain 7 imgd", on: daemon)
    #expect(one.status == 1)
    #expect(
      one.errors
        == "ucmkctl: the clients of round 7 are forgotten: newer rounds took their place\n"
    )
  }

  @Test("what is forgotten between two pages is not shown by halves")
  func forgottenMeanwhile() throws {
    let attempts = [
      #"{"attempt":1,"nodes":[{"node":0}],"clients":[{"session":"c1"}],"excluded":[]}"#,
      #"{"attempt":1,"rows_forgotten":true,"nodes":[],"clients":[],"excluded":[]}"#,
    ]
    let client = #"{"session":"c1","name":"a"}"#
    let daemon = try FakeDaemon([
      "round.get": [
        .result(#"{"round":7,"clients":[\#(client)],"attempts":[\#(attempts[0])],"next":"1.2"}"#),
        .result(
          #"{"round":7,"clients":[],"clients_forgotten":true,"attempts":[\#(attempts[1])]}"#
        ),
      ]
    ])
    let json = try JSONValue(parsing: Run("explain 7 --json", on: daemon).output)
    #expect(json["clients"].items.isEmpty)
    #expect(json["clients_forgotten"].bool == true)
    #expect(json["attempts"].items.count == 1)
    #expect(json["attempts"].items[0]["rows_forgotten"].bool == true)
    #expect(json["attempts"].items[0]["clients"].items.isEmpty)
  }

  @Test("a client that the round did not ask")
  func stranger() throws {
    let daemon = try FakeDaemon(["round.get": [.result(Samples.explained)]])
    let run = Run("explain 412 c5", on: daemon)
    #expect(run.status == 1)
    #expect(run.output == "")
    #expect(run.errors == "ucmkctl: round 412 asked no client c5\n")
  }

  @Test("the last round is asked for by its number")
  func last() throws {
    let daemon = try FakeDaemon([
      "daemon.status": [.result(#"{"last_round":398}"#), .result(#"{"last_round":null}"#)],
      "round.get": [.result(Samples.explained)],
    ])
    #expect(Run("explain last", on: daemon).status == 0)
    #expect(daemon.params(of: "round.get") == [#"{"round":398}"#])
    let none = Run("explain last", on: daemon)
    #expect(none.status == 1)
    #expect(none.errors == "ucmkctl: there was no round yet\n")
  }

  @Test("a round that the daemon no longer knows is 1")
  func unknown() throws {
    let daemon = try FakeDaemon([
      "round.get": [.error(-32004, "unknown round", data: #"{"id":7}"#)]
    ])
    let run = Run("explain 7", on: daemon)
    #expect(run.status == 1)
    #expect(run.errors == "ucmkctl: unknown round: 7\n")
  }

  @Test("in a dry run what is missing is counted against what was claimed")
  func dryRun() throws {
    let daemon = try FakeDaemon(["round.get": [.result(Samples.dryRun)]])
    #expect(
      Run("explain 414", on: daemon).output.hasSuffix(
        "unmet       1.0 MiB, target less claimed (a dry run)\n"
      )
    )
  }

  @Test(
    "inputs are found however the daemon arranges them",
    arguments: [
      #"{"caches":[{"id":2,"cap":1},{"id":1,"cap":4096}]}"#, #"[{"id":1,"cap":4096}]"#,
      #"{"1":{"cap":4096},"2":{"cap":1}}"#, #"{"pages":{"cap":4096}}"#, #"{"cap":4096}"#,
    ]
  )
  func inputs(arrangement: String) throws {
    let daemon = try FakeDaemon([
      "round.get": [
        .result(
          #"{"round":1,"clients":[{"session":"c1","name":"x","pid":1,"part":1,"#
            + #""caches":[{"id":1,"name":"pages","part":1}],"inputs":\#(arrangement)}]}"#
        )
      ]
    ])
    #expect(
      Run("explain 1", on: daemon).output.hasSuffix(
        """

        c1 x (pid 1): part 1 B
          cache pages (1): part 1 B
            cap    4.0 KiB  the most it can be asked for

        """
      )
    )
  }
}
