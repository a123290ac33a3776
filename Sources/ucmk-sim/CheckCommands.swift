// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import UCMKControl
import UCMKSim

/// How much of every study is run.
struct Effort: ParsableArguments {
  @Flag(help: "Few seeds: the form that every change runs.")
  var short = false

  var seeds: UInt64 { short ? 12 : 30 }
  var mixes: Int { short ? 100 : 300 }
  var liars: Int { short ? 60 : 200 }
  var hosts: Int { short ? 20 : 200 }
}

/// Everything that was run, and how it stands against the targets.
struct Findings {
  var table: StudyTable, mixes: MixStudy, liars: [LiarRow], longRun: [String]
  var fleets: [FleetReport]
  var results: [SimResult]

  /// Runs every study.
  static func gather(_ effort: Effort) async -> Findings {
    let specs = StudyTable.specs(seeds: effort.seeds)
    let table = StudyTable(
      await Study.run(specs, progress: Output.progress("scenarios", of: specs.count, parts: 4))
    )
    let progress = Output.progress("mixes", of: effort.mixes, parts: 4)
    let mixes = await MixStudy.run(mixes: effort.mixes, progress: progress)
    let liars = await LiarStudy.run(mixes: effort.liars)
    let before = processorSeconds
    let fleet = await FleetReport.run(
      hosts: effort.hosts,
      policy: .ucmkd,
      progress: Output.progress("fleet", of: effort.hosts, parts: 4)
    )
    let spent = processorSeconds - before
    let other = await FleetReport.run(hosts: effort.hosts, policy: .none)
    return Findings(
      table: table,
      mixes: mixes,
      liars: liars,
      longRun: await LongRun.lines(seeds: effort.short ? 8 : 40),
      fleets: [fleet, other],
      results: Targets.results(of: table) + Targets.results(of: mixes)
        + Targets.results(of: liars)
        + [Targets.result(processorSeconds: spent, hostDays: Double(effort.hosts))]
    )
  }

  /// The tables with their titles.
  var sections: [HTMLReport.Section] {
    [
      HTMLReport.Section(title: "Targets", lines: SimResult.lines(results)),
      HTMLReport.Section(title: "Scenarios, medians over seeds", lines: table.lines),
      HTMLReport.Section(title: "Added miss cost over the optimum", lines: mixes.lines),
      HTMLReport.Section(title: "What lies gain", lines: LiarStudy.lines(liars)),
      HTMLReport.Section(title: "200 rounds with two shirkers of ten", lines: longRun),
      HTMLReport.Section(title: "A fleet, one day", lines: FleetReport.lines(fleets)),
    ]
  }

  /// Time that all threads of this process ran.
  private static var processorSeconds: Double {
    var time = timespec()
    let status = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    precondition(status == 0, "a process knows its own time")
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// `make sim`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Run every study and compare with the targets; exits 1 where one is missed."
  )

  @OptionGroup var effort: Effort

  @Option(help: "The file for the results.")
  var output = "sim.json"

  func run() async throws {
    let findings = await Findings.gather(effort)
    for section in findings.sections.dropFirst() + findings.sections.prefix(1) {
      try Output.print([section.title, ""] + section.lines + [""])
    }
    try Output.write(SimResult.document(findings.results), to: output)
    guard findings.results.allSatisfy(\.isMet) else { throw ExitCode(1) }
  }
}

/// A page with tables and plots.
struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a page with every table and with timelines of every policy."
  )

  @OptionGroup var effort: Effort

  @Option(help: "The seed whose timelines are drawn.")
  var seed: UInt64 = 1

  @Option(help: "The file for the page.")
  var out = "sim.html"

  func run() async throws {
    let findings = await Findings.gather(effort)
    try Output.write(HTMLReport(sections: findings.sections, seed: seed).page, to: out)
  }
}
