// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import UCMKSim

/// The timelines of the daemon's core in every scenario, as pictures in one file.
///
/// Whatever changes the policy changes them, and whoever reviews the change sees how.
@Suite("Timelines")
struct GoldenPictureTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/sim/timelines.txt")
  private static let update = "UPDATE_GOLDEN=1 swift test --filter GoldenPictureTests"

  /// Every scenario with seed 1, aligned, 100 columns for two minutes.
  private func pictures() -> String {
    var text = "How the daemon's core goes through two minutes on the host of the study, seed 1.\n"
    text += "Written by: \(Self.update)\n"
    for scenario in Scenario.allCases {
      for stress in [Stress.none, .both] {
        let spec = RunSpec(
          scenario: scenario,
          stress: stress,
          policy: .ucmkd,
          seed: 1,
          isAligned: true
        )
        text += "\n\(scenario.rawValue)\(stress == .none ? "" : ", slow clients that give 30 %")\n"
        for line in Picture.lines(of: spec, columns: 80) { text += "  \(line)\n" }
      }
    }
    return text
  }

  @Test("go as they went before")
  func golden() throws {
    let pictures = pictures()
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try FileManager.default.createDirectory(
        at: Self.file.deletingLastPathComponent(),
        withIntermediateDirectories: true
      )
      try pictures.write(to: Self.file, atomically: true, encoding: .utf8)
    }
    let kept = try String(contentsOf: Self.file, encoding: .utf8)
    let (lines, before) = (pictures.split(separator: "\n"), kept.split(separator: "\n"))
    #expect(lines.count == before.count)
    for (line, old) in zip(lines, before) where line != old {
      Issue.record("was \(old)\n now \(line)\nif that is meant: \(Self.update)")
    }
  }

  @Test("show no stall and no lack of memory where clients are well", arguments: Scenario.allCases)
  func calm(scenario: Scenario) {
    let spec = RunSpec(scenario: scenario, policy: .ucmkd, seed: 1, isAligned: true)
    let lines = Picture.lines(of: spec, columns: 80)
    #expect(lines.map(\.count) == [90, 90, 90, 90])
    #expect(lines[3].contains("R"), "a round ran")
    #expect(!lines[0].dropFirst(10).allSatisfy { $0 == "▁" })
    if scenario != .spike { #expect(lines[2].dropFirst(10).allSatisfy { $0 == "▁" }) }
  }
}
