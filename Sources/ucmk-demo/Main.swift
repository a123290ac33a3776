// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The main job on real memory: the programs of the demonstration and of the sandbox's suites.
@main
struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ucmk-demo",
    abstract: "Show a round on real memory.",
    subcommands: [
      RunCommand.self, ClientCommand.self, DemandCommand.self, StallCommand.self,
    ]
  )
}
