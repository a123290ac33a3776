// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKControl
import UCMKModel

@Suite("the conversation with the daemon")
struct ConnectionTests {
  private func connect(_ daemon: FakeDaemon, patience: TimeSpan = .seconds(60)) throws
    -> ControlConnection
  {
    try ControlConnection(paths: [daemon.path], patience: patience)
  }

  @Test("hello says who speaks and in which role")
  func hello() throws {
    let daemon = try FakeDaemon()
    let connection = try connect(daemon)
    #expect(connection.greeting["session"].string == "c99")
    #expect(
      daemon.requests.map(\.line) == [
        #"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":{"min":1,"max":1},"#
          + #""client":{"name":"ucmkctl","version":"0.1.0","lang":"swift"},"#
          + #""capabilities":{"shrink":false},"role":"control"}}"#
      ]
    )
  }

  @Test("each question has an id of its own, and gets its own answer")
  func ids() throws {
    let daemon = try FakeDaemon(["a": [.result("1")], "b": [.result("[2]")]])
    let connection = try connect(daemon)
    #expect(try connection.call("a") == 1)
    #expect(try connection.call("b", ["x": 1]) == [2])
    #expect(daemon.requests.map { $0["id"].integer } == [1, 2, 3])
    #expect(daemon.params(of: "b") == [#"{"x":1}"#])
  }

  @Test("answers to others, empty lines and carriage returns are passed over")
  func noise() throws {
    let daemon = try FakeDaemon([
      "a": [
        .lines([
          "", "\r", #"{"jsonrpc":"2.0","id":77,"result":0}"#,
          #"{"jsonrpc":"2.0","id":78,"error":{"code":-32603,"message":"x"}}"#,
          #"{"jsonrpc":"2.0","method":"notice","params":{"kind":"reload"}}"#,
          #"{"jsonrpc":"2.0","id":ID,"result":{"ok":true}}"# + "\r",
        ])
      ]
    ])
    #expect(try connect(daemon).call("a")["ok"].bool == true)
  }

  @Test("a ping is answered while waiting, any other request refused")
  func ping() throws {
    let daemon = try FakeDaemon([
      "a": [
        .lines([
          #"{"jsonrpc":"2.0","id":"p1","method":"ping","params":{}}"#,
          #"{"jsonrpc":"2.0","id":2,"method":"shrink","params":{}}"#,
          #"{"jsonrpc":"2.0","id":ID,"result":7}"#,
        ])
      ],
      "b": [.result("8")],
    ])
    let connection = try connect(daemon)
    #expect(try connection.call("a") == 7)
    #expect(try connection.call("b") == 8)
    let answers = daemon.requests.filter { $0["method"].isNull }
    #expect(answers.count == 2)
    #expect(answers[0]["id"] == "p1")
    #expect(answers[0]["result"]["monotonic_ns"].integer ?? 0 > 0)
    #expect(
      answers[1].line
        == #"{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"method not found","#
        + #""data":{"method":"shrink"}}}"#
    )
  }

  @Test("events that come before the answer are kept in their order")
  func events() throws {
    let event = { (number: Int) in
      #"{"jsonrpc":"2.0","method":"event","params":{"subscription":1,"n":\#(number)}}"#
    }
    let daemon = try FakeDaemon([
      "subscribe": [
        .lines([
          event(1), event(2), #"{"jsonrpc":"2.0","id":ID,"result":{"subscription":1}}"#, event(3),
        ])
      ]
    ])
    let connection = try connect(daemon)
    #expect(try connection.call("subscribe")["subscription"].integer == 1)
    #expect(try connection.nextEvent(within: .seconds(60))["n"].integer == 1)
    #expect(try connection.nextEvent(within: .seconds(60))["n"].integer == 2)
    #expect(try connection.nextEvent(within: .seconds(60))["n"].integer == 3)
    #expect(throws: ControlError.silent(method: "subscribe", waited: "20 ms")) {
      try connection.nextEvent(within: .milliseconds(20))
    }
  }

  @Test("an answer as long as the protocol allows is read whole")
  func long() throws {
    let text = String(repeating: "x", count: 262_144 - 40)
    let daemon = try FakeDaemon(["a": [.result("\"\(text)\"")]])
    #expect(try connect(daemon).call("a").string?.utf8.count == 262_104)
  }

  @Test("a line without end is not waited for")
  func endless() throws {
    let daemon = try FakeDaemon(["a": [.lines([String(repeating: "x", count: 400_000)])]])
    let connection = try connect(daemon)
    #expect(throws: ControlError.garbage("a line is longer than 262144 bytes")) {
      try connection.call("a")
    }
  }

  @Test("a path that cannot be a socket's is no daemon")
  func longPath() {
    let path = "/" + String(repeating: "x", count: 200)
    #expect(
      throws: ControlError.noDaemon(paths: [path], reason: "File name too long")
    ) { try ControlConnection(paths: [path], patience: .seconds(1)) }
  }

  @Test("the second path is tried where the first has nobody")
  func second() throws {
    let daemon = try FakeDaemon()
    let connection = try ControlConnection(
      paths: ["/nowhere/ucmkd.sock", daemon.path],
      patience: .seconds(60)
    )
    #expect(connection.path == daemon.path)
  }
}

@Suite("what goes wrong, and with which exit code")
struct FailureTests {
  @Test("no daemon is 69, with the path and the way out")
  func none() {
    let run = Run("status --socket /nowhere/ucmkd.sock")
    #expect(run.status == 69)
    #expect(run.output == "")
    #expect(
      run.errors == """
        ucmkctl: no daemon at /nowhere/ucmkd.sock: No such file or directory
        (start it with `systemctl start ucmkd`, or name its socket with --socket)

        """
    )
  }

  @Test("a socket file that nobody listens on is 69")
  func stale() throws {
    let folder = try FakeDaemon.makeFolder()
    let path = folder + "/s"
    try Data().write(to: URL(fileURLWithPath: path))
    defer {
      do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }
    let run = Run("status --socket \(path)")
    #expect(run.status == 69)
    #expect(run.errors.hasPrefix("ucmkctl: no daemon at \(path): Connection refused\n"))
  }

  @Test(
    "a daemon that hangs is 69 once the time is up",
    // Long enough where something else has to be answered in that time.
    arguments: [("hello", "50ms", "50 ms"), ("daemon.status", "3s", "3 s")]
  )
  func hangs(method: String, time: String, text: String) throws {
    let daemon = try FakeDaemon([method: [.silence]])
    let run = Run("status --timeout \(time)", on: daemon)
    #expect(run.status == 69)
    #expect(run.errors == "ucmkctl: the daemon did not answer \(method) within \(text)\n")
  }

  @Test("a daemon that closes midway is 69", arguments: ["hello", "daemon.status"])
  func closes(method: String) throws {
    let daemon = try FakeDaemon([method: [.hangUp]])
    let run = Run("status", on: daemon)
    #expect(run.status == 69)
    #expect(run.errors == "ucmkctl: the daemon is gone: it closed the connection\n")
  }

  @Test(
    "what is no protocol is 69",
    arguments: [
      ("HTTP/1.1 400 Bad Request", "a line is no JSON (no value, at byte 0)"),
      (#"{"jsonrpc":"2.0","id":1"#, "a line is no JSON (members are parted by commas, at byte 23)"),
      ("[1]", "a line holds no object"),
      (#"{"jsonrpc":"2.0","id":ID,"error":{"message":"x"}}"#, "an error without a code"),
      (
        #"{"jsonrpc":"2.0","id":ID,"result":{"protocol":2}}"#,
        "hello was answered without \"protocol\":1"
      ),
    ]
  )
  func garbage(line: String, text: String) throws {
    let daemon = try FakeDaemon(["hello": [.lines([line])]])
    let run = Run("status", on: daemon)
    #expect(run.status == 69)
    #expect(run.errors == "ucmkctl: the peer does not speak the protocol: \(text)\n")
  }

  @Test("a daemon that is full says so before it closes")
  func full() throws {
    let daemon = try FakeDaemon(
      ["hello": [.silence]],
      greeting: #"{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"limit exceeded"}}"#
    )
    let run = Run("status", on: daemon)
    #expect(run.status == 1)
    #expect(run.errors == "ucmkctl: limit exceeded (-32005)\n")
  }

  @Test(
    "a refusal is 1, with what it is about",
    arguments: [
      (
        -32002, "permission denied", #"{"need":"observer"}"#,
        "permission denied: this needs the role observer\n(be root, or a member of the group that "
          + "ucmkd.conf names for it)"
      ),
      (
        -32002, "permission denied", "null",
        "permission denied: this needs the role another role\n(be root, or a member of the group "
          + "that ucmkd.conf names for it)"
      ),
      (-32004, "unknown", #"{"id":"c8"}"#, "unknown: c8"),
      (-32004, "unknown", #"{"id":12}"#, "unknown: 12"),
      (-32004, "unknown", "null", "unknown"),
      (
        -32006, "busy", #"{"retry_after_ms":250}"#,
        "busy: a round is running; try again in 250 ms"
      ),
      (-32006, "busy", "null", "busy"),
      (
        -32007, "shutting down", #"{"reconnect_after_ms":1000}"#,
        "shutting down: back in about 1000 ms"
      ),
      (-32011, "not supported here", #"{"feature":"reclaim"}"#, "not supported here: reclaim"),
      (
        -32601, "method not found", #"{"method":"daemon.status"}"#,
        "method not found: daemon.status (an older daemon?)"
      ),
      (
        -32602, "invalid params", #"{"path":"level","want":"low, medium or critical"}"#,
        "invalid params: level, wanted: low, medium or critical"
      ),
      (-32602, "invalid params", "null", "invalid params"),
      (-32603, "internal error", #"{"ref":"x"}"#, "internal error (-32603)"),
    ]
  )
  func refused(code: Int, text: String, data: String, message: String) throws {
    let daemon = try FakeDaemon(["daemon.status": [.error(code, text, data: data)]])
    let run = Run("status", on: daemon)
    #expect(run.status == 1)
    #expect(run.output == "")
    #expect(run.errors == "ucmkctl: \(message)\n")
  }

  @Test("a daemon of another protocol says which")
  func version() throws {
    let daemon = try FakeDaemon([
      "hello": [.error(-32001, "version not supported", data: #"{"min":2,"max":3}"#)]
    ])
    let run = Run("status", on: daemon)
    #expect(run.status == 1)
    #expect(
      run.errors
        == "ucmkctl: version not supported: the daemon speaks protocol 2 to 3, this tool speaks 1\n"
    )
  }

  @Test("a refusal cannot reach the terminal as an escape sequence")
  func escape() throws {
    let daemon = try FakeDaemon(["daemon.status": [.error(-32603, #"\u001b[2J"#)]])
    #expect(Run("status", on: daemon).errors == "ucmkctl: ?[2J (-32603)\n")
  }
}
