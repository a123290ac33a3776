// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// Reads PSI files (`Documentation/accounting/psi.rst`).
package enum PSIReader {
  /// Both lines of a PSI text; nil where one is missing or half-written.
  package static func parse(_ text: Span<UInt8>) -> PressureReading? {
    var some: PressureLine?
    var full: PressureLine?
    var position = 0
    while let line = TextScanner.nextLine(text, &position) {
      if let stall = parseLine("some ", text, line) {
        some = stall
      } else if let stall = parseLine("full ", text, line) {
        full = stall
      }
    }
    guard let some, let full else { return nil }
    return PressureReading(some: some, full: full)
  }

  /// The stall of the whole host; nil on a kernel without PSI (or started with `psi=0`).
  package static func host(_ files: KernelFiles) throws(SystemError) -> PressureReading? {
    try files.read(.proc("pressure/memory"), parse)
  }

  /// The stall of one cgroup; nil where it is gone or its PSI is switched off.
  package static func cgroup(
    _ path: String,
    _ files: KernelFiles
  ) throws(SystemError) -> PressureReading? {
    try files.read(.cgroup(path, "memory.pressure"), parse)
  }

  /// A line such as `some avg10=0.12 avg60=0.00 avg300=0.00 total=123456`.
  private static func parseLine(
    _ kind: StaticString,
    _ text: Span<UInt8>,
    _ line: Range<Int>
  ) -> PressureLine? {
    var rest = line
    guard TextScanner.skip(kind, text, &rest) else { return nil }
    guard TextScanner.skip("avg10=", text, &rest), let ten = hundredths(text, &rest),
      TextScanner.skip(" avg60=", text, &rest), let sixty = hundredths(text, &rest),
      TextScanner.skip(" avg300=", text, &rest), let most = hundredths(text, &rest),
      TextScanner.skip(" total=", text, &rest), let total = TextScanner.number(text, &rest)
    else { return nil }
    return PressureLine(
      average10: ten,
      average60: sixty,
      average300: most,
      total: .microseconds(total)
    )
  }

  /// A percentage with two digits after the point, as hundredths, at most 10,000.
  private static func hundredths(_ text: Span<UInt8>, _ range: inout Range<Int>) -> UInt32? {
    guard let whole = TextScanner.number(text, &range) else { return nil }
    guard TextScanner.skip(".", text, &range) else { return nil }
    let start = range
    guard let part = TextScanner.number(text, &range) else { return nil }
    guard range.lowerBound - start.lowerBound == 2 else { return nil }
    return UInt32(min(min(whole, 100) * 100 + part, 10_000))
  }
}
