// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// What the engine knows of one cache on the present session.
package struct CacheRecord {
  /// How far the cache is with the daemon.
  package enum Standing: Sendable, Hashable {
    /// The daemon does not know it.
    case unknown
    /// It was told and has not answered.
    case announced(request: UInt64)
    /// It knows it by this id.
    case registered(CacheID)
    /// It refused it; not tried again on this session.
    case refused
  }

  /// The cache.
  package let cell: CacheCell
  /// How far it is with the daemon.
  package var standing = Standing.unknown
  /// The shrink that runs in the cell.
  package var running: UInt64?
  /// Whether the running shrink's request was answered without it.
  package var isLate = false
  /// What the daemon was last told, and when.
  package var reported: CacheUsage, reportedAt: MonotonicInstant
  /// To be told at the next chance, whatever changed.
  package var mustReport = false

  /// Makes the record of a cache that the daemon does not know.
  package init(cell: CacheCell, now: MonotonicInstant) {
    self.cell = cell
    reported = .zero
    reportedAt = now
  }

  /// The daemon's id, once it gave one.
  package var id: CacheID? {
    if case .registered(let id) = standing { return id }
    return nil
  }

  /// Whether the daemon is to be told `usage` now.
  package func isReportDue(_ usage: CacheUsage, now: MonotonicInstant) -> Bool {
    if mustReport { return true }
    guard usage != reported else { return false }
    return ReportRule.isSignificant(from: reported, to: usage)
      || now.since(reportedAt) >= ReportRule.longest
  }
}
