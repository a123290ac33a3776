// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKSystemd

/// A fixed message with fields; never a sentence with numbers in it.
package struct LogRecord: Sendable {
  /// How much it matters.
  package var level: LogLevel
  /// What happened.
  package var message: String
  /// Keys in lower case and their values.
  package var fields: [(name: String, value: String)]

  /// Makes a record.
  package init(
    _ level: LogLevel,
    _ message: String,
    _ fields: [(name: String, value: String)] = []
  ) {
    self.level = level
    self.message = message
    self.fields = fields
  }
}

extension Daemon {
  func log(
    _ level: LogLevel,
    _ message: String,
    _ fields: [(name: String, value: String)] = []
  ) {
    surroundings.log(LogRecord(level, message, fields))
  }
}
