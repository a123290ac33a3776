// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import UCMKControl

/// The entry: everything is in UCMKControl, where tests reach it.
@main
struct Main {
  static func main() {
    let context = ControlContext.process(environment: ProcessInfo.processInfo.environment)
    exit(ControlTool.run(Array(CommandLine.arguments.dropFirst()), in: context))
  }
}
