// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

import Glibc

/// Numbers as people read them.
package enum Quantity {
  /// A size with one decimal: `512 B`, `1.5 KiB`, `64.0 MiB`; rounded to the nearest tenth.
  package static func size(_ bytes: Int64) -> String {
    let magnitude = bytes.magnitude
    let sign = bytes < 0 ? "-" : ""
    guard magnitude >= 1_024 else { return "\(sign)\(magnitude) B" }
    var unit: UInt64 = 1 << 10
    for name in ["KiB", "MiB", "GiB", "TiB"] {
      // In tenths of the unit, which leaves room: 2^63 × 10 does not fit, so the rest is scaled.
      let tenths = magnitude / unit * 10 + (magnitude % unit * 10 + unit / 2) / unit
      if tenths < 10_240 || name == "TiB" { return "\(sign)\(tenths / 10).\(tenths % 10) \(name)" }
      unit <<= 10
    }
    preconditionFailure("the last unit takes every size")
  }

  /// A length of time in its two largest units: `420 ms`, `2.5 s`, `3m 20s`, `2h 05m`, `3d 04h`;
  /// rounded down.
  package static func duration(_ span: TimeSpan) -> String {
    duration(milliseconds: Int64(clamping: span.milliseconds))
  }

  /// The same of a number of milliseconds.
  package static func duration(milliseconds: Int64) -> String {
    let value = max(0, milliseconds)
    if value < 1_000 { return "\(value) ms" }
    let seconds = value / 1_000
    if seconds < 60 {
      let tenths = value % 1_000 / 100
      return tenths == 0 ? "\(seconds) s" : "\(seconds).\(tenths) s"
    }
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400)
    if minutes < 60 { return "\(minutes)m \(twoDigits(seconds % 60))s" }
    if hours < 24 { return "\(hours)h \(twoDigits(minutes % 60))m" }
    return "\(days)d \(twoDigits(hours % 24))h"
  }

  /// A short time in microseconds: `500 us`, `2.5 ms`, `1 s`.
  package static func duration(microseconds: Int64) -> String {
    let value = max(0, microseconds)
    if value < 1_000 { return "\(value) us" }
    guard value < 1_000_000 else { return duration(milliseconds: value / 1_000) }
    let tenths = value % 1_000 / 100
    return tenths == 0 ? "\(value / 1_000) ms" : "\(value / 1_000).\(tenths) ms"
  }

  /// A fraction given in hundredths of a percent: `12.34 %`.
  package static func percent(hundredths: Int64) -> String {
    let sign = hundredths < 0 ? "-" : ""
    return "\(sign)\(hundredths.magnitude / 100).\(twoDigits(Int64(hundredths.magnitude % 100))) %"
  }

  /// A number with its thousands parted: `1,048,576`.
  package static func count(_ value: Int64) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return (value < 0 ? "-" : "") + text
  }

  /// `1 cache`, `2 caches`.
  package static func plural(_ value: Int64, _ noun: String) -> String {
    "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
  }

  /// A moment, in microseconds since 1970, as the calendar has it: `2026-11-23 14:57:52`.
  package static func moment(microseconds: Int64, in zone: TimeZone) -> String {
    var seconds = time_t(microseconds / 1_000_000)
    var parts = unsafe tm()
    switch zone {
    case .local: unsafe localtime_r(&seconds, &parts)
    case .utc: unsafe gmtime_r(&seconds, &parts)
    }
    let date = unsafe [parts.tm_year + 1_900, parts.tm_mon + 1, parts.tm_mday]
    let time = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec]
    return [(date, "-"), (time, ":")].map { numbers, separator in
      numbers.map { twoDigits(Int64($0)) }.joined(separator: separator)
    }.joined(separator: " ")
  }

  /// Whose clock moments are shown by.
  package enum TimeZone: Sendable {
    /// That of the machine, or of `TZ`.
    case local
    /// Universal time; what tests use.
    case utc
  }

  private static func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

/// `text` without what a terminal would obey: names come from other processes.
///
/// Control characters, the marks that turn the direction of writing, and line separators become
/// `?`.
package func printable(_ text: String) -> String {
  var clean = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{200E}", "\u{200F}",
      "\u{2028}"..."\u{202E}", "\u{2066}"..."\u{2069}":
      clean.append("?")
    default: clean.append(scalar)
    }
  }
  return String(clean)
}
