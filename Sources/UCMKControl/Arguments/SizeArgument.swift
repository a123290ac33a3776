// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
package import UCMKModel

/// A number of bytes as people type it: `4096`, `64M`, `1.5G`, `512KiB`.
///
/// The units are powers of 1,024 as in systemd's files, in either case; `KB` and its like are
/// refused, for half of those who type them mean 1,000.
package struct SizeArgument: ExpressibleByArgument, Sendable, Hashable {
  /// What was meant.
  package let bytes: ByteCount

  /// Reads `argument`; nil where it is no size, or one that the wire cannot carry.
  package init?(argument: String) {
    let number = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let unit = SizeArgument.unit(argument.dropFirst(number.count)),
      let value = decimal(number, times: unit),
      value <= ByteCount.wireMaximum.value
    else { return nil }
    bytes = ByteCount(value)
  }

  private static func unit(_ suffix: Substring) -> UInt64? {
    switch suffix.lowercased() {
    case "", "b": 1
    case "k", "kib": 1 << 10
    case "m", "mib": 1 << 20
    case "g", "gib": 1 << 30
    case "t", "tib": 1 << 40
    default: nil
    }
  }

  /// This size as the wire carries it.
  package var json: JSONValue { .integer(Int64(clamping: bytes.value)) }
}

/// A length of time as people type it: `500ms`, `30s`, `5m`, `1h30m`, `2d`.
package struct DurationArgument: ExpressibleByArgument, Sendable, Hashable {
  /// What was meant, in whole milliseconds; at least one.
  package let span: TimeSpan

  /// The longest that is taken: a year of 365 days.
  private static let longest: UInt64 = 365 * 86_400_000

  /// Reads `argument`; nil where it is no length of time.
  ///
  /// A number alone is none: the protocol counts milliseconds and systemd seconds.
  package init?(argument: String) {
    var rest = argument[...]
    var total: UInt64 = 0
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(number.count)
      let word = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(word.count)
      guard let unit = DurationArgument.unit(word), let part = decimal(number, times: unit),
        part <= DurationArgument.longest
      else { return nil }
      total += part
      guard total <= DurationArgument.longest else { return nil }
    }
    guard total > 0 else { return nil }
    span = .milliseconds(total)
  }

  private static func unit(_ word: Substring) -> UInt64? {
    switch word {
    case "ms": 1
    case "s": 1_000
    case "m", "min": 60_000
    case "h": 3_600_000
    case "d": 86_400_000
    default: nil
    }
  }

  /// This span as the wire carries it: milliseconds.
  package var json: JSONValue { .integer(Int64(clamping: span.milliseconds)) }
}

/// `number` times `unit`, rounded down; nil where it is no decimal number, where a fraction has no
/// unit to be a fraction of, or where the product passes 64 bits.
private func decimal(_ number: Substring, times unit: UInt64) -> UInt64? {
  let parts = number.split(separator: ".", omittingEmptySubsequences: false)
  guard parts.count <= 2, let whole = UInt64(parts[0]) else { return nil }
  let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
  guard !overflow else { return nil }
  guard parts.count == 2 else { return product }
  guard unit > 1, parts[1].count <= 6, let digits = UInt64(parts[1]) else { return nil }
  var scale: UInt64 = 1
  for _ in 0..<parts[1].count { scale *= 10 }
  // At most 10^6 × 2^40: far from 64 bits.
  let (sum, tooMuch) = product.addingReportingOverflow(digits * unit / scale)
  return tooMuch ? nil : sum
}
