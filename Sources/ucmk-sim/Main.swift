// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The policy against simulated hosts: what `make sim` runs.
@main
struct Simulator: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ucmk-sim",
    abstract: "Try the daemon's own core, and what it is compared with, on simulated hosts.",
    subcommands: [
      RunCommand.self, TableCommand.self, PictureCommand.self, MixesCommand.self,
      FleetCommand.self, TraceCommand.self, ReportCommand.self, CheckCommand.self,
    ]
  )
}
