// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import UCMKControl
import UCMKSim

/// One scenario with one policy.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a scenario; one line of JSON for each seed."
  )

  @Option(help: "The demand: step, ramp, sine or spike.")
  var scenario: Scenario

  @Option(help: "Bad clients: none, latency-x5, give-30 or both.")
  var stress = Stress.none

  @Option(help: "Who decides: none, dropall, fixed10, deficit, ucmkd or oracle.")
  var policy: PolicyName

  @Option(help: "The first seed.")
  var seed: UInt64 = 1

  @Option(help: "How many seeds, from the first on.")
  var seeds: UInt64 = 1

  @Option(help: "The file for the results; standard output without.")
  var out: String?

  func run() async throws {
    let specs = (seed..<(seed + seeds)).map {
      RunSpec(scenario: scenario, stress: stress, policy: policy, seed: $0)
    }
    let outcomes = await Study.run(specs, progress: Output.progress("run", of: specs.count))
    try Output.write(outcomes.map { $0.json.line + "\n" }.joined(), to: out)
  }
}

/// Every scenario with every policy.
struct TableCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Print medians of every policy in every scenario."
  )

  @Option(help: "How many seeds.")
  var seeds: UInt64 = 30

  @Flag(help: "Let the demand move with the policy's first look, not up to 5 s later.")
  var aligned = false

  @Option(help: "Only these policies.")
  var policy: [PolicyName] = []

  @Option(help: "Also write every run to this file, one line of JSON each.")
  var out: String?

  func run() async throws {
    let policies = policy.isEmpty ? PolicyName.allCases : policy
    let specs = StudyTable.specs(seeds: seeds, policies: policies, isAligned: aligned)
    let outcomes = await Study.run(specs, progress: Output.progress("table", of: specs.count))
    if let out { try Output.write(outcomes.map { $0.json.line + "\n" }.joined(), to: out) }
    try Output.print(StudyTable(outcomes).lines)
  }
}
