// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UCMKDaemon

@Suite("settings text")
struct SettingsTextTests {
  private func read(_ text: String) -> SettingsText { SettingsText.read(text, file: "f") }

  @Test("is sections, keys, comments and blank lines, each with its place")
  func places() {
    let text = read(
      """
      # comment
      ; another

      [Watermarks]
        Low = 5%
      High=8%  \t
      [Client unit:redis.service]
      Share=500
      """
    )
    #expect(text.problems.isEmpty)
    #expect(text.sections.map(\.name) == ["Watermarks", "Client"])
    #expect(text.sections.map(\.argument) == ["", "unit:redis.service"])
    #expect(text.sections.map(\.line) == [4, 7])
    #expect(
      text.entries == [
        SettingsEntry(
          section: "Watermarks",
          argument: "",
          key: "Low",
          value: "5%",
          line: 5,
          keyColumn: 3,
          valueColumn: 9
        ),
        SettingsEntry(
          section: "Watermarks",
          argument: "",
          key: "High",
          value: "8%",
          line: 6,
          keyColumn: 1,
          valueColumn: 6
        ),
        SettingsEntry(
          section: "Client",
          argument: "unit:redis.service",
          key: "Share",
          value: "500",
          line: 8,
          keyColumn: 1,
          valueColumn: 7
        ),
      ]
    )
  }

  @Test("a value may be empty and may hold an equals sign")
  func oddValues() {
    let text = read("[Access]\nAdminGroup=\nObserverGroup=a=b")
    #expect(text.entries.map(\.value) == ["", "a=b"])
    #expect(text.entries.map(\.valueColumn) == [12, 15])
  }

  @Test("a backslash joins lines by one blank, and comments may stand between")
  func continued() {
    let text = read("[A]\nKey=one \\\n  two\\\n# not this\n three\nNext=1")
    #expect(text.entries.map(\.value) == ["one two three", "1"])
    #expect(text.entries.map(\.line) == [2, 6])
  }

  @Test("a line that goes on at the end of the file ends there")
  func continuedAtEnd() {
    #expect(read("[A]\nKey=one \\").entries.map(\.value) == ["one"])
  }

  @Test("lines may end in CR LF")
  func carriageReturns() {
    let text = read("[Policy]\r\nQuota=level-down\r\n# x\r\n")
    #expect(text.problems.isEmpty)
    #expect(text.entries.map(\.value) == ["level-down"])
    #expect(text.entries.map(\.line) == [2])
  }

  @Test(
    "what is none of these is told with line and column",
    arguments: [
      ("[", 1, 1, "malformed section; wanted [Section] or [Section argument]"),
      ("\n  [Access", 2, 3, "malformed section; wanted [Section] or [Section argument]"),
      ("[]", 1, 1, "malformed section; wanted [Section] or [Section argument]"),
      ("[A]\n word", 2, 2, "neither a section, a comment nor a key; wanted Key=Value"),
      ("[A]\n=x", 2, 1, "neither a section, a comment nor a key; wanted Key=Value"),
      ("Low=5%", 1, 1, "key before any section; wanted [Section] first"),
    ]
  )
  func problems(text: String, line: Int, column: Int, want: String) {
    #expect(
      read(text).problems == [SettingsProblem(file: "f", line: line, column: column, text: want)]
    )
  }

  @Test("keys below a broken section are not complained of a second time")
  func belowBroken() {
    let text = read("[A\nKey=1\n[B]\nOther=2")
    #expect(text.problems.map(\.line) == [1])
    #expect(text.entries.map(\.key) == ["Other"])
  }
}
