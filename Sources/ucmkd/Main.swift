// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKDaemon

/// The entry point and nothing else, so that everything behind it can be imported by tests.
@main
struct Main {
  static func main() {
    exit(DaemonProcess.run(Array(CommandLine.arguments.dropFirst())))
  }
}
