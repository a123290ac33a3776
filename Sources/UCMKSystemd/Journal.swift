// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CSystemd
import UCMKLinux

/// How much a log entry matters (syslog(3)); smaller matters more.
package enum LogLevel: UInt8, Sendable, Hashable, Comparable, CaseIterable {
  /// The operator must act.
  case error = 3
  /// Degraded, but working.
  case warning = 4
  /// A round, a start, a stop.
  case notice = 5
  /// Clients.
  case info = 6
  /// Events and effects.
  case debug = 7

  /// The word of `--log-level`.
  package var name: String {
    switch self {
    case .error: "error"
    case .warning: "warning"
    case .notice: "notice"
    case .info: "info"
    case .debug: "debug"
    }
  }

  /// The level that `name` names, or nil for any other word.
  package init?(name: String) {
    for level in LogLevel.allCases where level.name == name {
      self = level
      return
    }
    return nil
  }

  /// The one that matters more comes first.
  package static func < (left: LogLevel, right: LogLevel) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// Where log entries go: the journal with its fields, or one line each on standard error.
///
/// Logging never fails and never stops the caller: an entry that cannot be written is lost. One
/// object serves one thread.
package final class Journal {
  /// Where entries go.
  package enum Destination: Sendable, Hashable {
    /// The journal, which standard error is connected to already.
    case journal
    /// Lines to a descriptor; 2 is standard error.
    case lines(Int32)
  }

  /// What the daemon is called.
  package let identifier: String
  /// Entries that matter less are dropped.
  package var leastLevel: LogLevel
  /// Where entries go.
  package let destination: Destination

  private let messageID: (String) -> String?
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  /// Makes a journal.
  ///
  /// - Parameters:
  ///   - identifier: What the daemon is called.
  ///   - leastLevel: Entries that matter less are dropped.
  ///   - destination: Where to; by default what `$JOURNAL_STREAM` says of standard error.
  ///   - messageID: The `MESSAGE_ID` of a message, 32 hexadecimal digits; nil for one without.
  package init(
    identifier: String,
    leastLevel: LogLevel = .info,
    destination: Destination = .detected(),
    messageID: @escaping (String) -> String? = { _ in nil }
  ) {
    self.messageID = messageID
    self.identifier = identifier
    self.leastLevel = leastLevel
    self.destination = destination
    bytes.reserveCapacity(4096)
    ends.reserveCapacity(32)
  }

  /// Writes one entry.
  ///
  /// - Parameters:
  ///   - level: How much it matters.
  ///   - message: What happened: a fixed text.
  ///   - fields: Names such as `target_bytes` and their values. The journal knows them as
  ///     `UCMK_TARGET_BYTES`.
  package func send(
    _ level: LogLevel,
    _ message: String,
    fields: [(name: String, value: String)] = []
  ) {
    guard level <= leastLevel else { return }
    switch destination {
    case .lines(let fd): writeLine(fd, message, fields)
    case .journal:
      if sendEntry(level, message, fields) < 0 { writeLine(2, message, fields) }
    }
  }

  private func sendEntry(
    _ level: LogLevel,
    _ message: String,
    _ fields: [(name: String, value: String)]
  ) -> Int32 {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    appendField("MESSAGE", message)
    appendField("PRIORITY", "\(level.rawValue)")
    appendField("SYSLOG_IDENTIFIER", identifier)
    if let id = messageID(message) { appendField("MESSAGE_ID", id) }
    for field in fields {
      bytes.append(contentsOf: "UCMK_".utf8)
      for byte in field.name.utf8 { bytes.append(JournalText.upper(byte)) }
      finishField(field.value)
    }
    return unsafe bytes.withUnsafeMutableBytes { text in
      unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: ends.count) { vector in
        var start = 0
        for index in ends.indices {
          let field = unsafe iovec(
            iov_base: text.baseAddress.map { unsafe $0 + start },
            iov_len: ends[index] - start
          )
          unsafe vector.initializeElement(at: index, to: field)
          start = ends[index]
        }
        return unsafe sd_journal_sendv(vector.baseAddress, Int32(ends.count))
      }
    }
  }

  private func appendField(_ name: String, _ value: String) {
    bytes.append(contentsOf: name.utf8)
    finishField(value)
  }

  private func finishField(_ value: String) {
    bytes.append(UInt8(ascii: "="))
    bytes.append(contentsOf: value.utf8)
    ends.append(bytes.count)
  }

  private func writeLine(
    _ fd: Int32,
    _ message: String,
    _ fields: [(name: String, value: String)]
  ) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: identifier.utf8)
    bytes.append(contentsOf: ": ".utf8)
    JournalText.append(message, quoting: .never, to: &bytes)
    for field in fields {
      bytes.append(UInt8(ascii: " "))
      bytes.append(contentsOf: field.name.utf8)
      bytes.append(UInt8(ascii: "="))
      JournalText.append(field.value, quoting: .whereNeeded, to: &bytes)
    }
    bytes.append(UInt8(ascii: "\n"))
    StandardStream.write(bytes, to: fd)
  }
}

extension Journal.Destination {
  /// The journal where `$JOURNAL_STREAM` names the device and inode of standard error
  /// (systemd.exec(5)), else standard error.
  package static func detected() -> Journal.Destination {
    guard let stream = Environment.value("JOURNAL_STREAM") else { return .lines(2) }
    return StandardStream.identity(of: 2) == stream ? .journal : .lines(2)
  }
}

/// How text from anywhere, such as the name of a client, goes into a line of a log.
enum JournalText {
  /// Whether a value is put between quotes.
  enum Quoting {
    case never, whereNeeded
  }

  /// Appends `text`; control characters, and quotes and backslashes of a quoted value, are
  /// escaped, so that nobody writes a line of their own into the log.
  static func append(_ text: String, quoting: Quoting, to bytes: inout [UInt8]) {
    let isQuoted =
      quoting == .whereNeeded && (text.isEmpty || text.utf8.contains(where: needsQuote))
    if isQuoted { bytes.append(UInt8(ascii: "\"")) }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
      case 0..<32, 127:
        bytes.append(contentsOf: "\\x".utf8)
        bytes.append(hexadecimal(byte >> 4))
        bytes.append(hexadecimal(byte & 15))
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        if isQuoted { bytes.append(UInt8(ascii: "\\")) }
        bytes.append(byte)
      default: bytes.append(byte)
      }
    }
    if isQuoted { bytes.append(UInt8(ascii: "\"")) }
  }

  /// The capital of an ASCII letter; `_` for what no name of a journal field may hold.
  static func upper(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 32
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
    default: UInt8(ascii: "_")
    }
  }

  private static func needsQuote(_ byte: UInt8) -> Bool {
    byte <= 32 || byte == 127 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "=")
      || byte == UInt8(ascii: "\\")
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
  }
}
