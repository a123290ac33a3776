// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKLinux
import UCMKTestSupport

@testable import UCMKSystemd

@Suite("journal")
struct JournalTests {
  private let ends: (OwnedDescriptor, OwnedDescriptor)

  init() throws { ends = try UnixStream.pair(nonblocking: true) }

  private func journal(_ least: LogLevel = .debug) -> Journal {
    Journal(identifier: "ucmkd", leastLevel: least, destination: .lines(ends.0.raw))
  }

  /// What was written since the last call.
  private func written() -> String {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    guard case .bytes(let count) = UnixStream.receive(ends.1.raw, into: &buffer) else { return "" }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  @Test("writes a line of message and fields, in their order")
  func lines() {
    let journal = journal()
    journal.send(.notice, "round closed", fields: [("round", "412"), ("target_bytes", "1048576")])
    #expect(written() == "ucmkd: round closed round=412 target_bytes=1048576\n")
    journal.send(.info, "started")
    #expect(written() == "ucmkd: started\n")
  }

  @Test("drops what matters less than the level in force")
  func filter() {
    let journal = journal(.warning)
    for level in LogLevel.allCases { journal.send(level, level.name) }
    #expect(written() == "ucmkd: error\nucmkd: warning\n")
    journal.leastLevel = .debug
    journal.send(.debug, "now")
    #expect(written() == "ucmkd: now\n")
  }

  @Test(
    "nobody writes a line of their own into the log",
    arguments: [
      ("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""),
      ("x\nucmkd: forged", "\"x\\nucmkd: forged\""), ("say \"hi\"", "\"say \\\"hi\\\"\""),
      ("back\\slash", "\"back\\\\slash\""), ("\u{1b}[31m", "\"\\x1b[31m\""),
      ("tab\there", "\"tab\\x09here\""), ("\u{7f}", "\"\\x7f\""), ("größe", "größe"),
    ]
  )
  func escaping(value: String, expected: String) {
    journal().send(.info, "client", fields: [("name", value)])
    #expect(written() == "ucmkd: client name=\(expected)\n")
  }

  @Test("a message stays on its line too")
  func messages() {
    journal().send(.error, "two\nlines \"quoted\"")
    #expect(written() == "ucmkd: two\\nlines \"quoted\"\n")
  }

  @Test("a reader that is gone is no failure")
  func brokenStream() async {
    await #expect(processExitsWith: .success) {
      try SignalNumber.pipe.ignore()
      var pair: (OwnedDescriptor, OwnedDescriptor)? = try UnixStream.pair(nonblocking: true)
      let kept = try #require(pair?.0)
      pair = nil
      let journal = Journal(identifier: "ucmkd", destination: .lines(kept.raw))
      journal.send(.error, "nobody reads this")
    }
  }

  @Test("levels have the words of the command line and the numbers of syslog")
  func levels() {
    for level in LogLevel.allCases { #expect(LogLevel(name: level.name) == level) }
    #expect(LogLevel.allCases.map(\.rawValue) == [3, 4, 5, 6, 7])
    #expect(LogLevel(name: "loud") == nil)
    #expect(LogLevel.error < .debug)
  }

  @Test("is used only where the variable names standard error itself")
  func detection() async {
    await #expect(processExitsWith: .success) {
      unsafe unsetenv("JOURNAL_STREAM")
      #expect(Journal.Destination.detected() == .lines(2))
      unsafe setenv("JOURNAL_STREAM", "1:1", 1)
      #expect(Journal.Destination.detected() == .lines(2))
      unsafe setenv("JOURNAL_STREAM", "garbage", 1)
      #expect(Journal.Destination.detected() == .lines(2))
      let own = try #require(StandardStream.identity(of: 2))
      unsafe setenv("JOURNAL_STREAM", own, 1)
      #expect(Journal.Destination.detected() == .journal)
    }
  }

  @Test("names of fields are those that the journal takes")
  func fieldNames() {
    let name = "target_bytes.v2-ä".utf8.map(JournalText.upper)
    #expect(String(decoding: name, as: UTF8.self) == "TARGET_BYTES_V2___")
  }
}
