// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel

@testable import UCMKDaemon

@Suite("settings values")
struct SettingsValueTests {
  @Test(
    "sizes take K M G T, decimals and the long spellings",
    arguments: [
      ("0", UInt64(0)), ("4096", 4_096), ("512B", 512), ("1K", 1_024), ("64M", 67_108_864),
      ("64 MiB", 67_108_864), ("1.5G", 1_610_612_736), ("2T", 2_199_023_255_552),
      ("0.001K", 1), ("9007199254740991", 9_007_199_254_740_991),
    ]
  )
  func sizes(text: String, bytes: UInt64) throws {
    #expect(try SettingsValue.size(text) == ByteCount(bytes))
  }

  @Test(
    "and nothing else",
    arguments: [
      "", "M", "-1", "+1", "1.M", ".5M", "1.2345M", "1..2M", "5%", "1 M B", "1k", "0x10",
      "9007199254740992", "8192T", "99999999999999999999", "1e3", "١",
    ]
  )
  func badSizes(text: String) {
    #expect(throws: ValueProblem("a size such as 4096, 64M or 1.5G")) {
      try SettingsValue.size(text)
    }
  }

  @Test("amounts are sizes or percentages with at most two decimals")
  func amounts() throws {
    #expect(try SettingsValue.amount("5%") == .part(Permyriad(500)))
    #expect(try SettingsValue.amount("2.5%") == .part(Permyriad(250)))
    #expect(try SettingsValue.amount("0.01%") == .part(Permyriad(1)))
    #expect(try SettingsValue.amount("100%") == .part(.one))
    #expect(try SettingsValue.amount("0%") == .part(.zero))
    #expect(try SettingsValue.amount("512M") == .bytes(.mebibytes(512)))
  }

  @Test("and no others", arguments: ["100.01%", "101%", "0.001%", "%", "-5%", "5M%", "5 %%"])
  func badPercentages(text: String) {
    #expect(throws: ValueProblem("a percentage from 0% to 100% with at most two decimals")) {
      try SettingsValue.amount(text)
    }
  }

  @Test("what is neither says both")
  func neither() {
    #expect(throws: ValueProblem("a size such as 512M, or a percentage such as 5%")) {
      try SettingsValue.amount("much")
    }
  }

  @Test("times take us ms s min")
  func spans() throws {
    #expect(try SettingsValue.span("150ms") == .milliseconds(150))
    #expect(try SettingsValue.span("1s") == .seconds(1))
    #expect(try SettingsValue.span("1.5 s") == .milliseconds(1_500))
    #expect(try SettingsValue.span("2min") == .seconds(120))
    #expect(try SettingsValue.span("70000us") == .milliseconds(70))
    for text in ["", "5", "ms", "1h", "-1s", "99999999999999999min"] {
      #expect(throws: ValueProblem("a time such as 150ms or 1s")) {
        try SettingsValue.span(text)
      }
    }
  }

  @Test("thresholds are a kind, a stall and a window")
  func thresholds() throws {
    #expect(
      try SettingsValue.threshold("full 70ms/1s")
        == StallThreshold(isFull: true, stall: .milliseconds(70), window: .seconds(1))
    )
    #expect(
      try SettingsValue.threshold("some  500ms/500ms")
        == StallThreshold(isFull: false, stall: .milliseconds(500), window: .milliseconds(500))
    )
  }

  @Test(
    "a window is 500 ms to 10 s, a stall more than none and at most that",
    arguments: [
      "some 70ms/499ms", "some 70ms/10001ms", "some 0ms/1s", "some 1001ms/1s", "some 70ms",
      "some 70ms/", "some /1s", "any 70ms/1s", "70ms/1s", "some 70ms/1s x", "Some 70ms/1s",
      "some 70ms/1s/2s", "",
    ]
  )
  func badThresholds(text: String) {
    let wanted = "a stall and a window of 500ms to 10s, such as: some 70ms/1s"
    #expect(throws: ValueProblem(wanted)) { try SettingsValue.threshold(text) }
  }

  @Test("numbers keep to their range")
  func numbers() throws {
    #expect(try SettingsValue.number("1", in: 1...10) == 1)
    #expect(try SettingsValue.number("10", in: 1...10) == 10)
    for text in ["0", "11", "", "+5", "5.0", "five", "5 ", "99999999999999999999"] {
      #expect(throws: ValueProblem("a number from 1 to 10")) {
        try SettingsValue.number(text, in: 1...10)
      }
    }
  }

  @Test("groups are names, or nothing")
  func groups() throws {
    #expect(try SettingsValue.group("") == "")
    #expect(try SettingsValue.group("wheel") == "wheel")
    for text in ["two words", "a:b", String(repeating: "x", count: 65)] {
      #expect(throws: ValueProblem("the name of a group, or nothing")) {
        try SettingsValue.group(text)
      }
    }
  }
}
