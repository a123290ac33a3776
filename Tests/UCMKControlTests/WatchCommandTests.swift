// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl

@Suite("ucmkctl watch")
struct WatchCommandTests {
  /// A daemon that answers `subscribe` and then sends these events of subscription 5.
  private func daemon(_ events: [String]) throws -> FakeDaemon {
    try FakeDaemon([
      "subscribe": [
        .lines(
          [#"{"jsonrpc":"2.0","id":ID,"result":{"subscription":5}}"#]
            + events.map { #"{"jsonrpc":"2.0","method":"event","params":\#($0)}"# }
        )
      ]
    ])
  }

  private func event(_ topic: String, _ data: String, dropped: Int = 0) -> String {
    #"{"subscription":5,"topic":"\#(topic)","monotonic_ns":123456789,"dropped":\#(dropped),"#
      + "\"data\":\(Samples.compact(data))}"
  }

  @Test("one event a line, in words")
  func lines() throws {
    let daemon = try daemon([
      event("pressure", #"{"scope":{"kind":"host"},"from":"none","to":"medium"}"#),
      event(
        "pressure",
        #"{"scope":{"kind":"host"},"from":"critical","level":"critical","exhausted":true}"#
      ),
      event("pressure", #"{"scope":{"kind":"host"},"level":"medium","exhausted":false}"#),
      event("pressure", #"{"scope":{"kind":"cgroup","path":"/a"},"level":"low"}"#, dropped: 1),
      event(
        "rounds",
        #"{"round":7,"scope":{"kind":"host"},"level":"low","state":"open","target":1048576}"#
      ),
      event("rounds", Samples.round),
      event("clients", #"{"change":"joined","client":\#(Samples.compact(Samples.imgd))}"#),
      event("clients", #"{"session":"c20","name":"shopd","state":"left","caches":[]}"#),
      event("clients", #"{"change":"left","session":"c21"}"#),
      event("clients", Samples.shopd, dropped: 1_200),
      event("status", Samples.status),
      event("weather", #"{"rain":true}"#),
    ])
    let run = Run("watch pressure rounds clients status --count 12", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output == """
        14:57:52  pressure  host: none -> medium
        14:57:52  pressure  host: critical, caches have nothing left to give
        14:57:52  pressure  host: medium, relieved
        14:57:52  pressure  /a: low (1 event before this lost)
        14:57:52  rounds    7 opened on host at low: target 1.0 MiB
        14:57:52  rounds    413 closed on all clients at medium: asked 260.0 MiB, claimed 250.0 \
        MiB, measured 240.0 MiB in 412 ms
        14:57:52  clients   c17 imgd joined: 2 caches, 536.0 MiB reclaimable
        14:57:52  clients   c20 shopd left: 0 caches, 0 B reclaimable
        14:57:52  clients   c21 left
        14:57:52  clients   c20 shopd changed: 1 cache, 1.0 KiB reclaimable (1,200 events before \
        this lost)
        14:57:52  status    watching, level medium, 2.1 GiB available, 980.0 MiB reclaimable of \
        3 clients
        14:57:52  weather   {"rain":true}

        """
    )
    #expect(
      daemon.params(of: "subscribe")
        == [#"{"topics":["pressure","rounds","clients","status"]}"#]
    )
  }

  @Test("with --json one object a line, as it came")
  func json() throws {
    let events = [
      event("pressure", #"{"scope":{"kind":"host"},"level":"low"}"#),
      event("rounds", Samples.round),
    ]
    let run = Run("watch --json --count 2", on: try daemon(events), columns: 80)
    #expect(run.status == 0)
    #expect(run.output == events[0] + "\n" + events[1] + "\n")
  }

  @Test("the usual topics, and how often")
  func topics() throws {
    let daemon = try daemon([event("pressure", "{}"), event("pressure", "{}")])
    #expect(Run("watch --count 1", on: daemon).status == 0)
    #expect(Run("watch status --interval 250ms --count 1", on: daemon).status == 0)
    #expect(
      daemon.params(of: "subscribe") == [
        #"{"topics":["pressure","rounds","clients"]}"#,
        #"{"topics":["status"],"interval_ms":250}"#,
      ]
    )
  }

  @Test("events of another subscription are not ours")
  func foreign() throws {
    let daemon = try daemon([
      #"{"subscription":6,"topic":"pressure","dropped":0,"data":{"level":"critical"}}"#,
      event("pressure", #"{"scope":{"kind":"host"},"level":"low"}"#),
    ])
    #expect(Run("watch --count 1", on: daemon).output == "14:57:52  pressure  host: low\n")
  }

  @Test("a daemon that goes ends it with 69, after what it said")
  func gone() throws {
    let daemon = try FakeDaemon([
      "subscribe": [
        .lines([
          #"{"jsonrpc":"2.0","id":ID,"result":{"subscription":5}}"#,
          #"{"jsonrpc":"2.0","method":"event","params":"#
            + event("pressure", #"{"scope":{"kind":"host"},"level":"low"}"#) + "}",
          #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}"#,
          "no more of this",
        ])
      ]
    ])
    let run = Run("watch", on: daemon)
    #expect(run.status == 69)
    #expect(run.output == "14:57:52  pressure  host: low\n")
    #expect(
      run.errors
        == "ucmkctl: the peer does not speak the protocol: "
        + "a line is no JSON (no value, at byte 0)\n"
    )
  }

  @Test("the level has its colour on a terminal")
  func colour() throws {
    let daemon = try daemon([
      event("pressure", #"{"scope":{"kind":"host"},"from":"none","to":"critical"}"#)
    ])
    #expect(
      Run("watch --count 1", on: daemon, columns: 80).output
        == "14:57:52  pressure  host: \u{1B}[32mnone\u{1B}[0m -> \u{1B}[1;31mcritical\u{1B}[0m\n"
    )
  }

  @Test("one who may not watch is refused")
  func refused() throws {
    let daemon = try FakeDaemon([
      "subscribe": [.error(-32002, "permission denied", data: #"{"need":"observer"}"#)]
    ])
    let run = Run("watch", on: daemon)
    #expect(run.status == 1)
    #expect(run.errors.contains("this needs the role observer"))
  }
}
