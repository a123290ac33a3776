// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl

@Suite("ucmkctl clients")
struct ClientsCommandTests {
  @Test("a table of all")
  func list() throws {
    let daemon = try FakeDaemon(["client.list": [.result(Samples.clients)]])
    let run = Run("clients", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output == """
        SESSION  NAME    PID   UID  CACHES       SIZE  RECLAIMABLE     TRUST  CGROUP
        c17      imgd   4711  1000       2  576.0 MiB    536.0 MiB   98.00 %  \
        /app.slice/imgd.service
        c20      shopd   815    33       1    1.0 GiB      1.0 KiB  100.00 %  \
        /system.slice/shop.slice/shopd.service

        """
    )
    #expect(daemon.params(of: "client.list") == [#"{"limit":500}"#])
  }

  @Test("on a terminal of 80 columns the cgroup keeps its end")
  func narrow() throws {
    let daemon = try FakeDaemon(["client.list": [.result(Samples.clients)]])
    let run = Run("clients", on: daemon, columns: 80, environment: ["NO_COLOR": "1"])
    #expect(
      run.output == """
        SESSION  NAME    PID  CACHES       SIZE  RECLAIMABLE     TRUST  CGROUP
        c17      imgd   4711       2  576.0 MiB    536.0 MiB   98.00 %  ..e/imgd.service
        c20      shopd   815       1    1.0 GiB      1.0 KiB  100.00 %  ../shopd.service

        """
    )
  }

  @Test("kinds are shown where they differ")
  func kinds() throws {
    let signal = """
      {"session":"s1","kind":"signal","name":"jvm","pid":99,"uid":0,"cgroup":null,"trust":5000,
      "last_round":null,"caches":[]}
      """
    let daemon = try FakeDaemon([
      "client.list": [.result("{\"clients\":[\(signal),\(Samples.imgd)]}")]
    ])
    #expect(
      Run("clients", on: daemon).output == """
        SESSION  NAME  KIND     PID   UID  CACHES       SIZE  RECLAIMABLE    TRUST  CGROUP
        s1       jvm   signal    99     0       0        0 B          0 B  50.00 %  -
        c17      imgd  member  4711  1000       2  576.0 MiB    536.0 MiB  98.00 %  \
        /app.slice/imgd.service

        """
    )
  }

  @Test("nobody there")
  func none() throws {
    let daemon = try FakeDaemon(["client.list": [.result(#"{"clients":[]}"#)]])
    #expect(Run("clients", on: daemon).output == "no clients\n")
    #expect(Run("clients --json", on: daemon).output == "{\n  \"clients\": []\n}\n")
  }

  @Test("pages are put together, in text and in JSON")
  func pages() throws {
    let daemon = try FakeDaemon([
      "client.list": [
        .result("{\"clients\":[\(Samples.imgd)],\"next\":\"p2\"}"),
        .result("{\"clients\":[\(Samples.shopd)]}"),
        .result("{\"clients\":[\(Samples.imgd)],\"next\":7}"),
        .result("{\"clients\":[\(Samples.shopd)],\"next\":null}"),
      ]
    ])
    #expect(Run("clients", on: daemon).output.split(separator: "\n").count == 3)
    let json = Run("clients --json", on: daemon).output
    #expect(try JSONValue(parsing: json).line == Samples.compact(Samples.clients))
    #expect(
      daemon.params(of: "client.list") == [
        #"{"limit":500}"#, #"{"limit":500,"cursor":"p2"}"#, #"{"limit":500}"#,
        #"{"limit":500,"cursor":7}"#,
      ]
    )
  }

  @Test("a list that does not end is a broken daemon")
  func endless() throws {
    let daemon = try FakeDaemon(["client.list": [.result(#"{"clients":[],"next":"p2"}"#)]])
    let run = Run("clients", on: daemon)
    #expect(run.status == 69)
    #expect(
      run.errors
        == "ucmkctl: the peer does not speak the protocol: client.list does not end\n"
    )
  }

  @Test("filters are the daemon's work")
  func filters() throws {
    let daemon = try FakeDaemon(["client.list": [.result(#"{"clients":[]}"#)]])
    #expect(Run("clients --name imgd --uid 33 --cgroup /a/", on: daemon).status == 0)
    #expect(
      daemon.params(of: "client.list")
        == [#"{"limit":500,"filter":{"uid":33,"cgroup":"/a","name":"imgd"}}"#]
    )
  }

  @Test("one client with its caches and last rounds")
  func detail() throws {
    let daemon = try FakeDaemon(["client.get": [.result(Samples.client)]])
    let run = Run("clients c17", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output == """
        c17 imgd
        kind        member
        process     4711, uid 1000
        cgroup      /app.slice/imgd.service
        trust       98.00 % (measured of what was asked)
        last round  412

        CACHE   ID       SIZE  RECLAIMABLE    FLOOR     LIMIT  SHARE  COST/MiB  FROM
        thumbs   3  512.0 MiB    504.0 MiB  8.0 MiB         -     50      2 ms  low
        tiles    4   64.0 MiB     32.0 MiB      0 B  48.0 MiB    100    500 us  critical

        ROUND      ASKED    CLAIMED   MEASURED   TOOK  OUTCOME
          412  130.0 MiB  128.0 MiB  124.0 MiB  38 ms  done
          398   64.0 MiB        0 B        0 B    2 s  silent

        """
    )
    #expect(daemon.params(of: "client.get") == [#"{"session":"c17"}"#])
  }

  @Test("a client without caches and rounds")
  func bare() throws {
    let daemon = try FakeDaemon([
      "client.get": [.result(#"{"session":"c1","name":"new","caches":[],"history":[]}"#)]
    ])
    #expect(
      Run("clients c1", on: daemon).output == """
        c1 new
        kind        -
        process     -, uid -
        cgroup      -
        trust       - (measured of what was asked)
        last round  -

        no caches

        """
    )
  }

  @Test("a client that is not there is 1")
  func unknown() throws {
    let daemon = try FakeDaemon([
      "client.get": [.error(-32004, "unknown session", data: #"{"id":"c8"}"#)]
    ])
    let run = Run("clients c8", on: daemon)
    #expect(run.status == 1)
    #expect(run.errors == "ucmkctl: unknown session: c8\n")
  }

  @Test("a name cannot draw on the terminal")
  func hostile() throws {
    let daemon = try FakeDaemon([
      "client.list": [
        .result(#"{"clients":[{"session":"c1","kind":"member","name":"\u001b[2Jx\n"}]}"#)
      ]
    ])
    let run = Run("clients", on: daemon)
    #expect(
      run.output == """
        SESSION  NAME    PID  UID  CACHES  SIZE  RECLAIMABLE  TRUST  CGROUP
        c1       ?[2Jx?    -    -       0   0 B          0 B      -  -

        """
    )
    #expect(Run("clients --json", on: daemon).output.contains(#""name": "\u001b[2Jx\n""#))
  }
}
