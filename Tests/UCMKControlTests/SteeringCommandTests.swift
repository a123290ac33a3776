// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl

@Suite("ucmkctl reload")
struct ReloadCommandTests {
  @Test("what changed is named")
  func changed() throws {
    let daemon = try FakeDaemon([
      "daemon.reload": [
        .result(#"{"changed":["Watermarks.Low","Policy.Quota"],"errors":[]}"#),
        .result(#"{"changed":[],"errors":[]}"#),
      ]
    ])
    let run = Run("reload", on: daemon)
    #expect(run.status == 0)
    #expect(run.output == "changed: Watermarks.Low, Policy.Quota\n")
    #expect(Run("reload", on: daemon).output == "nothing changed\n")
    #expect(daemon.params(of: "daemon.reload") == ["{}", "{}"])
  }

  @Test("a check says what would change")
  func checkOnly() throws {
    let daemon = try FakeDaemon([
      "daemon.reload": [.result(#"{"changed":["Watermarks.Low"],"errors":[]}"#)]
    ])
    #expect(Run("reload --check-only", on: daemon).output == "would change: Watermarks.Low\n")
    #expect(daemon.params(of: "daemon.reload") == [#"{"check_only":true}"#])
  }

  private static let faults = """
    {"changed":[],"errors":[
    {"file":"/etc/ucmkd/ucmkd.conf","line":3,"column":5,"text":"wanted a size, found 'much'"},
    {"file":"/etc/ucmkd/ucmkd.conf.d/a.conf","line":1,"column":1,"text":"unknown section"},
    {"file":"/etc/ucmkd/ucmkd.conf","text":"no such file"}]}
    """

  @Test("a bad file is 1, each fault as file:line:column: text")
  func bad() throws {
    let daemon = try FakeDaemon(["daemon.reload": [.result(ReloadCommandTests.faults)]])
    let run = Run("reload", on: daemon)
    #expect(run.status == 1)
    #expect(run.output == "")
    #expect(
      run.errors == """
        /etc/ucmkd/ucmkd.conf:3:5: wanted a size, found 'much'
        /etc/ucmkd/ucmkd.conf.d/a.conf:1:1: unknown section
        /etc/ucmkd/ucmkd.conf: no such file

        """
    )
  }

  @Test("with --json the faults are in the document as well")
  func badJSON() throws {
    let daemon = try FakeDaemon(["daemon.reload": [.result(ReloadCommandTests.faults)]])
    let run = Run("reload --json", on: daemon)
    #expect(run.status == 1)
    #expect(
      try JSONValue(parsing: run.output).line == Samples.compact(ReloadCommandTests.faults)
    )
    #expect(run.errors.hasPrefix("/etc/ucmkd/ucmkd.conf:3:5: "))
  }

  @Test("one who may not is refused")
  func refused() throws {
    let daemon = try FakeDaemon([
      "daemon.reload": [.error(-32002, "permission denied", data: #"{"need":"admin"}"#)]
    ])
    let run = Run("reload", on: daemon)
    #expect(run.status == 1)
    #expect(run.errors.hasPrefix("ucmkctl: permission denied: this needs the role admin\n"))
  }
}

@Suite("ucmkctl pause and resume")
struct PauseCommandTests {
  @Test("until it is resumed, or for a time")
  func pause() throws {
    let daemon = try FakeDaemon(["daemon.pause": [.result(#"{"state":"paused"}"#)]])
    let run = Run("pause", on: daemon)
    #expect(run.status == 0)
    #expect(run.output == "paused until resumed\n")
    #expect(Run("pause --for 1h30m", on: daemon).output == "paused for 1h 30m\n")
    #expect(daemon.params(of: "daemon.pause") == ["{}", #"{"for_ms":5400000}"#])
  }

  @Test("resume says what the daemon does now")
  func resume() throws {
    let daemon = try FakeDaemon(["daemon.resume": [.result(#"{"state":"watching"}"#)]])
    let run = Run("resume", on: daemon)
    #expect(run.status == 0)
    #expect(run.output == "resumed: watching\n")
    #expect(daemon.params(of: "daemon.resume") == ["{}"])
  }

  @Test("the daemon's document with --json")
  func json() throws {
    let daemon = try FakeDaemon(["daemon.pause": [.result(#"{"state":"paused"}"#)]])
    #expect(Run("pause --json", on: daemon).output == "{\n  \"state\": \"paused\"\n}\n")
  }
}

@Suite("ucmkctl override")
struct OverrideCommandTests {
  @Test("a cache by its id")
  func byID() throws {
    let daemon = try FakeDaemon(["cache.override": [.result("{}")]])
    let run = Run("override c17 3 --share 500 --floor 64M --min-level medium --for 1h", on: daemon)
    #expect(run.status == 0)
    #expect(
      run.output
        == "cache 3 of c17: share 500, floor 64.0 MiB, asked from medium on, for 1h 00m\n"
    )
    #expect(
      daemon.params(of: "cache.override") == [
        #"{"session":"c17","id":3,"share":500,"floor":67108864,"min_level":"medium","#
          + #""for_ms":3600000}"#
      ]
    )
    #expect(daemon.params(of: "client.get") == [])
  }

  @Test("a cache by its name")
  func byName() throws {
    let daemon = try FakeDaemon([
      "cache.override": [.result("{}")], "client.get": [.result(Samples.client)],
    ])
    let run = Run("override c17 tiles --floor 0 --raw-bytes", on: daemon)
    #expect(run.status == 0)
    #expect(run.output == "cache tiles of c17: floor 0\n")
    #expect(daemon.params(of: "client.get") == [#"{"session":"c17"}"#])
    #expect(daemon.params(of: "cache.override") == [#"{"session":"c17","id":4,"floor":0}"#])
  }

  @Test("a name that the client does not have")
  func noSuchName() throws {
    let daemon = try FakeDaemon(["client.get": [.result(Samples.client)]])
    let run = Run("override c17 other --share 5", on: daemon)
    #expect(run.status == 1)
    #expect(run.errors == "ucmkctl: c17 has no cache other\n")
    #expect(daemon.params(of: "cache.override") == [])
  }

  @Test("a client or a cache that is not there is 1")
  func unknown() throws {
    let daemon = try FakeDaemon([
      "cache.override": [.error(-32004, "unknown cache", data: #"{"id":9}"#)],
      "client.get": [.error(-32004, "unknown session", data: #"{"id":"c8"}"#)],
    ])
    let cache = Run("override c17 9 --share 5", on: daemon)
    #expect(cache.status == 1)
    #expect(cache.errors == "ucmkctl: unknown cache: 9\n")
    let session = Run("override c8 tiles --share 5", on: daemon)
    #expect(session.status == 1)
    #expect(session.errors == "ucmkctl: unknown session: c8\n")
  }
}
