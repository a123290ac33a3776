// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKCore
package import UCMKModel

/// What a value should have been; becomes a `SettingsProblem` with its place.
package struct ValueProblem: Error, Sendable, Equatable {
  /// What was wanted, for people.
  package var wanted: String

  /// Makes a problem.
  package init(_ wanted: String) { self.wanted = wanted }
}

/// Readers of single values.
///
/// Each throws what it wanted.
package enum SettingsValue {
  /// A size: digits, at most three decimals, and one of `K M G T` (powers of 1,024), also written
  /// `KiB`…; plain digits are bytes.
  ///
  /// At most 2^53 - 1.
  package static func size(_ text: String) throws(ValueProblem) -> ByteCount {
    let wanted = ValueProblem("a size such as 4096, 64M or 1.5G")
    guard let (number, unit) = numberAndUnit(text) else { throw wanted }
    let shift: UInt64
    switch unit {
    case "", "B": shift = 0
    case "K", "KiB": shift = 10
    case "M", "MiB": shift = 20
    case "G", "GiB": shift = 30
    case "T", "TiB": shift = 40
    default: throw wanted
    }
    let product = number.multipliedFullWidth(by: 1 << shift)
    guard product.high < 1_000 else { throw wanted }
    let bytes = ByteCount(UInt64(1_000).dividingFullWidth(product).quotient)
    guard bytes <= .wireMaximum else { throw wanted }
    return bytes
  }

  /// A size, or a percentage of the domain with at most two decimals: `5%`, `2.5%`.
  package static func amount(_ text: String) throws(ValueProblem) -> Amount {
    guard text.last == "%" else {
      do {
        return .bytes(try size(text))
      } catch {
        throw ValueProblem("a size such as 512M, or a percentage such as 5%")
      }
    }
    guard let (thousandths, unit) = numberAndUnit(String(text.dropLast())), unit.isEmpty,
      thousandths % 10 == 0, thousandths <= 100_000
    else { throw ValueProblem("a percentage from 0% to 100% with at most two decimals") }
    return .part(Permyriad(UInt32(thousandths / 10)))
  }

  /// A time: digits, at most three decimals, and one of `us ms s min`.
  package static func span(_ text: String) throws(ValueProblem) -> TimeSpan {
    let wanted = ValueProblem("a time such as 150ms or 1s")
    guard let (thousandths, unit) = numberAndUnit(text) else { throw wanted }
    let nanoseconds: UInt64
    switch unit {
    case "us": nanoseconds = 1_000
    case "ms": nanoseconds = 1_000_000
    case "s": nanoseconds = 1_000_000_000
    case "min": nanoseconds = 60_000_000_000
    default: throw wanted
    }
    let (product, overflow) = thousandths.multipliedReportingOverflow(by: nanoseconds / 1_000)
    guard !overflow else { throw wanted }
    return TimeSpan(nanoseconds: product)
  }

  /// `some 70ms/1s` or `full 70ms/1s`: a window of 500 ms to 10 s (`psi.rst`), a stall within it.
  package static func threshold(_ text: String) throws(ValueProblem) -> StallThreshold {
    let wanted = ValueProblem("a stall and a window of 500ms to 10s, such as: some 70ms/1s")
    let words = text.split(separator: " ", omittingEmptySubsequences: true)
    guard words.count == 2, words[0] == "some" || words[0] == "full" else { throw wanted }
    let times = words[1].split(separator: "/", omittingEmptySubsequences: false)
    guard times.count == 2 else { throw wanted }
    let stall: TimeSpan, window: TimeSpan
    do {
      stall = try span(String(times[0]))
      window = try span(String(times[1]))
    } catch { throw wanted }
    guard window >= .milliseconds(500), window <= .seconds(10), stall > .zero, stall <= window
    else { throw wanted }
    return StallThreshold(isFull: words[0] == "full", stall: stall, window: window)
  }

  /// A whole number in `range`.
  package static func number(
    _ text: String,
    in range: ClosedRange<Int>
  ) throws(ValueProblem) -> Int {
    guard let number = Int(text), range.contains(number), text.utf8.first != UInt8(ascii: "+")
    else { throw ValueProblem("a number from \(range.lowerBound) to \(range.upperBound)") }
    return number
  }

  /// The name of a group, or nothing.
  package static func group(_ text: String) throws(ValueProblem) -> String {
    guard text.utf8.count <= 64, !text.contains(where: { $0 == " " || $0 == ":" }) else {
      throw ValueProblem("the name of a group, or nothing")
    }
    return text
  }

  /// Digits with at most three decimals, in thousandths, and what follows them.
  private static func numberAndUnit(_ text: String) -> (thousandths: UInt64, unit: String)? {
    var thousandths: UInt64 = 0
    var decimals: Int?
    var digits = 0
    var rest = Substring(text)
    while let character = rest.utf8.first {
      if character == UInt8(ascii: "."), decimals == nil, digits > 0 {
        decimals = 0
      } else if character >= UInt8(ascii: "0"), character <= UInt8(ascii: "9") {
        if let count = decimals {
          guard count < 3 else { return nil }
          decimals = count + 1
        }
        let (tenfold, high) = thousandths.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tenfold.addingReportingOverflow(UInt64(character) - 48)
        guard !high, !carry else { return nil }
        thousandths = sum
        digits += 1
      } else {
        break
      }
      rest = rest.dropFirst()
    }
    guard digits > 0, decimals != 0 else { return nil }
    for _ in (decimals ?? 0)..<3 {
      let (tenfold, high) = thousandths.multipliedReportingOverflow(by: 10)
      guard !high else { return nil }
      thousandths = tenfold
    }
    return (thousandths, String(rest.drop { $0 == " " }))
  }
}
