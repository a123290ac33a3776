// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKControl

@Suite("the command line")
struct ToolTests {
  @Test("the version is on standard output")
  func version() {
    let run = Run("--version")
    #expect(run.status == 0)
    #expect(run.output == "0.1.0\n")
    #expect(run.errors == "")
  }

  @Test("help names every command and is done")
  func help() {
    let run = Run("--help")
    #expect(run.status == 0)
    for command in [
      "status", "clients", "plan", "shrink", "rounds", "explain", "watch", "reload", "pause",
      "resume", "override", "config", "doctor",
    ] {
      #expect(run.output.contains("\n  \(command) "))
    }
    #expect(Run("help").output == run.output)
    #expect(Run("help shrink").output == Run("shrink --help").output)
  }

  @Test(
    "every command explains itself and takes the common options",
    arguments: [
      "status", "clients", "plan", "shrink", "rounds", "explain", "watch", "reload", "pause",
      "resume", "override", "config check", "doctor",
    ]
  )
  func commandHelp(command: String) {
    let run = Run("\(command) --help")
    #expect(run.status == 0)
    #expect(run.output.hasPrefix("OVERVIEW: "))
    for option in ["--socket <path>", "--json", "--raw-bytes", "--timeout <time>"] {
      #expect(run.output.contains(option))
    }
    #expect(run.errors == "")
  }

  @Test(
    "a wrong command line is 64 and says so on standard error",
    arguments: [
      "bogus", "status extra", "status --bogus", "clients c1 --name x", "clients --uid me",
      "plan", "plan --bytes", "plan --bytes 0", "plan --bytes 12Q", "plan --bytes 1M --level none",
      "plan --bytes 1M --cgroup relative", "shrink --bytes -5", "shrink --bytes 1M --within 5",
      "rounds --limit 0", "rounds --limit 257", "explain", "explain r5", "explain 0",
      "watch memory", "watch --interval 99ms", "watch --interval 61s", "watch --count 0",
      "pause --for ever", "override", "override c17", "override c17 thumbs",
      "override c17 thumbs --share 0", "override c17 thumbs --share 10001",
      "override c17 thumbs --min-level none", "config bogus", "status --timeout 0s",
    ]
  )
  func usage(arguments: String) {
    let run = Run(arguments)
    #expect(run.status == 64)
    #expect(run.output == "")
    #expect(run.errors.contains("Error: "))
    #expect(run.errors.contains("Usage: ucmkctl"))
  }

  @Test("a command that is missing is 64 too", arguments: ["", "config", "surface"])
  func missing(arguments: String) {
    let run = Run(arguments)
    #expect(run.status == 64)
    #expect(run.output == "")
    #expect(run.errors.contains("SUBCOMMANDS:"))
  }

  @Test("an empty socket is a mistake")
  func emptySocket() {
    let (output, errors) = (MemorySink(), MemorySink())
    let context = ControlContext(output: output, errors: errors)
    #expect(ControlTool.run(["status", "--socket", ""], in: context) == 64)
    #expect(errors.text == "ucmkctl: --socket needs a path\n")
  }

  @Test("output that cannot be written is 74")
  func brokenOutput() throws {
    let daemon = try FakeDaemon(["daemon.resume": [.result(#"{"state":"idle"}"#)]])
    let full = unsafe open("/dev/full", O_WRONLY | O_CLOEXEC)
    try #require(full >= 0)
    defer { close(full) }
    let errors = MemorySink()
    let context = ControlContext(output: FileSink(descriptor: full), errors: errors)
    #expect(ControlTool.run(["resume", "--socket", daemon.path], in: context) == 74)
    #expect(
      errors.text == "ucmkctl: the output could not be written: No space left on device\n"
    )
  }

  @Test("colour needs a terminal and no NO_COLOR")
  func colour() throws {
    let daemon = try FakeDaemon(["round.list": [.result(Samples.rounds)]])
    let escape = "\u{1B}["
    #expect(!Run("rounds", on: daemon).output.contains(escape))
    #expect(Run("rounds", on: daemon, columns: 120).output.contains(escape))
    let off = ["NO_COLOR": "1"]
    #expect(!Run("rounds", on: daemon, columns: 120, environment: off).output.contains(escape))
    let empty = ["NO_COLOR": ""]
    #expect(Run("rounds", on: daemon, columns: 120, environment: empty).output.contains(escape))
    let dumb = ["TERM": "dumb"]
    #expect(!Run("rounds", on: daemon, columns: 120, environment: dumb).output.contains(escape))
  }

  @Test(
    "--json prints the daemon's own result, twice the same, and never colour",
    arguments: [
      ("status", "daemon.status", Samples.status), ("clients", "client.list", Samples.clients),
      ("clients c17", "client.get", Samples.client), ("plan --bytes 1M", "plan", Samples.plan),
      ("shrink --bytes 1M", "trigger", Samples.round), ("rounds", "round.list", Samples.rounds),
      ("explain 412", "round.get", Samples.explained),
      ("reload", "daemon.reload", #"{"changed":["Policy.Quota"],"errors":[]}"#),
      ("pause", "daemon.pause", #"{"state":"paused"}"#),
      ("resume", "daemon.resume", #"{"state":"idle","later":{"z":9007199254740991,"a":1.50}}"#),
      ("override c17 3 --share 5", "cache.override", "{}"),
    ]
  )
  func json(arguments: String, method: String, result: String) throws {
    let daemon = try FakeDaemon([method: [.result(result)]])
    let run = Run("\(arguments) --json", on: daemon, columns: 80)
    #expect(run.status == 0)
    #expect(run.output.hasSuffix("\n"))
    let printed = try JSONValue(parsing: run.output)
    #expect(printed.line == Samples.compact(result))
    #expect(printed.document + "\n" == run.output)
    #expect(Run("\(arguments) --json", on: daemon).output == run.output)
  }
}
