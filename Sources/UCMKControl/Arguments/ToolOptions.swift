// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

import UCMKModel

/// What every command takes.
package struct ToolOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The daemon's socket.",
      discussion: "Else $UCMK_SOCKET, else \(SocketPath.system); with UCMK_SCOPE=user the socket "
        + "in $XDG_RUNTIME_DIR comes first.",
      valueName: "path"
    ),
    completion: .file()
  )
  package var socket: String?

  @Flag(help: "Print JSON: one document, or one object a line where events stream.")
  package var json = false

  @Flag(name: .customLong("raw-bytes"), help: "Print sizes as plain numbers of bytes.")
  package var rawBytes = false

  @Option(
    help: ArgumentHelp(
      "How long the daemon may take to answer, such as 500ms or 10s (default: 5s).",
      valueName: "time"
    )
  )
  package var timeout: DurationArgument?

  package init() {}

  /// Connects to the daemon that these options and the environment name.
  package func connect(_ context: ControlContext) throws(ControlError) -> ControlConnection {
    try ControlConnection(
      paths: SocketPath.candidates(option: socket, environment: context.environment),
      patience: timeout?.span ?? .seconds(5)
    )
  }
}
