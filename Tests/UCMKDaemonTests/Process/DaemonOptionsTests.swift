// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKSystemd

@testable import UCMKDaemon

@Suite("daemon options")
struct DaemonOptionsTests {
  @Test("nothing said is the system's instance")
  func defaults() throws {
    let options = try DaemonOptions([])
    #expect(options == DaemonOptions())
    #expect(options.command == .serve)
    #expect(options.logLevel == .info)
    #expect(!options.isUserInstance)
  }

  @Test("every option, with its value behind it or after an equals sign")
  func everything() throws {
    var expected = DaemonOptions()
    expected.config = "c"
    expected.socket = "s"
    expected.proc = "p"
    expected.cgroup = "g"
    expected.record = "r"
    expected.logLevel = .debug
    expected.isUserInstance = true
    let apart = try DaemonOptions([
      "--config", "c", "--socket", "s", "--proc", "p", "--cgroup", "g", "--record", "r",
      "--log-level", "debug", "--user",
    ])
    let joined = try DaemonOptions([
      "--config=c", "--socket=s", "--proc=p", "--cgroup=g", "--record=r", "--log-level=debug",
      "--user",
    ])
    #expect(apart == expected)
    #expect(joined == expected)
    #expect(try DaemonOptions(["--config=a=b"]).config == "a=b")
  }

  @Test("the other commands")
  func commands() throws {
    #expect(try DaemonOptions(["--check"]).command == .check)
    #expect(try DaemonOptions(["--version"]).command == .version)
    #expect(try DaemonOptions(["--help"]).command == .help)
    #expect(try DaemonOptions(["-h"]).command == .help)
    #expect(try DaemonOptions(["--replay", "f"]).command == .replay("f"))
  }

  @Test(
    "what is wrong is told",
    arguments: [
      (["--frobnicate"], "unknown argument --frobnicate; --help lists the options"),
      (["file"], "unknown argument file; --help lists the options"),
      ([""], "unknown argument ; --help lists the options"),
      (["--config"], "--config wants a value"),
      (["--config", ""], "--config wants a value"),
      (["--config="], "--config wants a value"),
      (["--user=yes"], "--user takes no value"),
      (["--check=1"], "--check takes no value"),
      (
        ["--log-level", "loud"],
        "--log-level wants one of error, warning, notice, info, debug, not loud"
      ),
    ]
  )
  func wrong(arguments: [String], text: String) {
    #expect(throws: DaemonOptions.Problem(text: text)) { try DaemonOptions(arguments) }
  }

  @Test("the help names every option")
  func help() {
    for option in [
      "--config", "--socket", "--proc", "--cgroup", "--user", "--record", "--log-level",
      "--check", "--replay", "--version", "--help",
    ] { #expect(DaemonOptions.help.contains(option)) }
  }
}
