// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The version of this tool, which is that of the project.
package enum ToolVersion {
  /// As `ucmkctl --version` prints it.
  package static let current = "0.1.0"
}
