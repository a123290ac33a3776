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

/// By what the journal and its catalog know a message: random, never given twice, never changed.
package enum MessageID {
  /// A domain is critical and caches have nothing left to give.
  package static let exhausted = "b986937ed771482dab44bd5b69724751"
  /// That is over.
  package static let relieved = "77578fb21b644581912220babf14805c"
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
