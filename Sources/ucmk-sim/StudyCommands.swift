// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import UCMKControl
import UCMKSim

/// Splits over mixes of caches.
struct MixesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mixes",
    abstract: "Print what splits cost over the optimum, what lies gain, and who gives over time."
  )

  @Option(help: "How many mixes of 12 caches.")
  var mixes = 100

  func run() async throws {
    let study = await MixStudy.run(mixes: mixes, progress: Output.progress("mixes", of: mixes))
    try Output.print(study.lines + [""])
    try Output.print(LiarStudy.lines(await LiarStudy.run(mixes: mixes)) + [""])
    try Output.print(await LongRun.lines(seeds: 40))
  }
}

/// Thousands of hosts.
struct FleetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fleet",
    abstract: "Run many hosts, each with its own seed, and print the tails."
  )

  @Option(help: "How many hosts.")
  var hosts = 1_000

  @Option(help: "How many days of each.")
  var days = 1.0

  @Option(help: "Who decides; several are compared.")
  var policy: [PolicyName] = [.ucmkd]

  @Option(help: "The seed of the first host.")
  var seed: UInt64 = 0

  @Option(help: "Also write the report to this file, one line of JSON for each policy.")
  var out: String?

  func run() async throws {
    var reports: [FleetReport] = []
    for policy in policy {
      let progress = Output.progress("fleet of \(policy.rawValue)", of: hosts)
      reports.append(
        await FleetReport.run(
          hosts: hosts,
          days: days,
          policy: policy,
          seed: seed,
          progress: progress
        )
      )
    }
    try Output.print(FleetReport.lines(reports))
    if let out { try Output.write(reports.map { $0.json.line + "\n" }.joined(), to: out) }
  }
}

/// One run as a picture.
struct PictureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "picture",
    abstract: "Draw a run of two minutes as four lines of text."
  )

  @Option(help: "The demand: step, ramp, sine or spike.")
  var scenario: Scenario

  @Option(help: "Bad clients: none, latency-x5, give-30 or both.")
  var stress = Stress.none

  @Option(help: "Who decides.")
  var policy = PolicyName.ucmkd

  @Option(help: "The seed.")
  var seed: UInt64 = 1

  @Option(help: "How wide.")
  var columns = 100

  func run() throws {
    let spec = RunSpec(scenario: scenario, stress: stress, policy: policy, seed: seed)
    try Output.print(Picture.lines(of: spec, columns: columns))
  }
}
