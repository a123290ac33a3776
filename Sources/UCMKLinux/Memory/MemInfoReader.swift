// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// The sizes of the host in `/proc/meminfo` (proc(5)).
package struct MemInfo: Sendable, Hashable {
  /// `MemTotal` and `MemAvailable`.
  package var total: ByteCount, available: ByteCount
  /// `SwapTotal` and `SwapFree`; nil on a kernel without swap.
  package var swapTotal: ByteCount?, swapFree: ByteCount?

  /// Makes sizes.
  package init(
    total: ByteCount,
    available: ByteCount,
    swapTotal: ByteCount? = nil,
    swapFree: ByteCount? = nil
  ) {
    self.total = total
    self.available = available
    self.swapTotal = swapTotal
    self.swapFree = swapFree
  }
}

/// The counters of `/proc/vmstat` that show that reclaim is at work.
///
/// Only movement counts.
package struct ReclaimCounters: Sendable, Hashable {
  /// `pgscan_kswapd` + `pgscan_direct`, in pages.
  package var scanned: UInt64?
  /// `workingset_refault_anon` + `workingset_refault_file`, in pages.
  package var refaults: UInt64?

  /// Makes counters.
  package init(scanned: UInt64? = nil, refaults: UInt64? = nil) {
    self.scanned = scanned
    self.refaults = refaults
  }
}

/// Reads the memory of the host.
package enum MemInfoReader {
  /// The sizes in the text of `meminfo`; nil where `MemTotal` or `MemAvailable` is missing.
  package static func parse(_ text: Span<UInt8>) -> MemInfo? {
    var total: ByteCount?
    var available: ByteCount?
    var swapTotal: ByteCount?
    var swapFree: ByteCount?
    var position = 0
    while let line = TextScanner.nextLine(text, &position) {
      if let value = TextScanner.value(of: "MemTotal", text, line: line) {
        total = .kibibytes(value)
      } else if let value = TextScanner.value(of: "MemAvailable", text, line: line) {
        available = .kibibytes(value)
      } else if let value = TextScanner.value(of: "SwapTotal", text, line: line) {
        swapTotal = .kibibytes(value)
      } else if let value = TextScanner.value(of: "SwapFree", text, line: line) {
        swapFree = .kibibytes(value)
        break
      }
    }
    guard let total, let available else { return nil }
    return MemInfo(total: total, available: available, swapTotal: swapTotal, swapFree: swapFree)
  }

  /// The counters in the text of `vmstat`; nil for those that it does not have.
  package static func parseCounters(_ text: Span<UInt8>) -> ReclaimCounters? {
    var counters = ReclaimCounters()
    var position = 0
    while let line = TextScanner.nextLine(text, &position) {
      var rest = line
      if TextScanner.skip("workingset_refault_", text, &rest) {
        if let value = TextScanner.value(of: "anon", text, line: rest)
          ?? TextScanner.value(of: "file", text, line: rest)
        {
          counters.refaults = (counters.refaults ?? 0) &+ value
        }
      } else if TextScanner.skip("pgscan_", text, &rest) {
        if let value = TextScanner.value(of: "kswapd", text, line: rest)
          ?? TextScanner.value(of: "direct", text, line: rest)
        {
          counters.scanned = (counters.scanned ?? 0) &+ value
        }
      }
    }
    return counters
  }

  /// The sizes of the host; nil where `meminfo` is absent or half-written.
  package static func sizes(_ files: KernelFiles) throws(SystemError) -> MemInfo? {
    try files.read(.proc("meminfo"), parse)
  }

  /// Everything that is known of the host at this moment; nil where `meminfo` is absent or
  /// half-written.
  ///
  /// Parts that the host lacks are nil.
  package static func reading(_ files: KernelFiles) throws(SystemError) -> DomainReading? {
    guard let sizes = try sizes(files) else { return nil }
    let counters = try files.read(.proc("vmstat"), parseCounters)
    return DomainReading(
      capacity: sizes.total,
      available: sizes.available,
      pressure: try PSIReader.host(files),
      reclaimScanned: counters?.scanned,
      refaults: counters?.refaults,
      swapFree: sizes.swapFree
    )
  }
}

/// Reads the kernel's own watermarks.
package enum ZoneInfoReader {
  /// The sum of the high marks of all zones in the text of `/proc/zoneinfo`, in pages; nil where
  /// there is none.
  ///
  /// Lines `high:` belong to the lists of each processor and do not count.
  package static func parse(_ text: Span<UInt8>) -> UInt64? {
    var sum: UInt64?
    var position = 0
    while var line = TextScanner.nextLine(text, &position) {
      TextScanner.skipBlanks(text, &line)
      guard TextScanner.skip("high ", text, &line) else { continue }
      TextScanner.skipBlanks(text, &line)
      guard let pages = TextScanner.number(text, &line), line.isEmpty else { continue }
      sum = (sum ?? 0) &+ pages
    }
    return sum
  }

  /// The free memory below which the kernel itself reclaims; nil where `zoneinfo` is absent.
  package static func highMarks(_ files: KernelFiles) throws(SystemError) -> ByteCount? {
    guard let pages = try files.read(.proc("zoneinfo"), parse) else { return nil }
    let (bytes, overflow) = pages.multipliedReportingOverflow(by: Page.size)
    return ByteCount(overflow ? .max : bytes)
  }
}
