// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// When a usage is worth a report (`docs/PROTOCOL.md` §5).
package enum ReportRule {
  /// A change of this many bytes is told.
  package static let step = ByteCount.mebibytes(1)
  /// A smaller change of at least one part in so many is told as well: 5 %.
  package static let fraction: UInt64 = 20
  /// Any change is told after this long.
  package static let longest = TimeSpan.seconds(30)
  /// Reports are at least this far apart: ten a second.
  package static let shortest = TimeSpan.milliseconds(100)

  /// Whether a change of usage is to be told at once.
  package static func isSignificant(from old: CacheUsage, to new: CacheUsage) -> Bool {
    // Of the refill cost only that it is known at last: it moves a little with every refill.
    isSignificant(old.bytes, new.bytes) || isSignificant(old.reclaimable, new.reclaimable)
      || (old.refillMicrosecondsPerMiB == nil && new.refillMicrosecondsPerMiB != nil)
  }

  private static func isSignificant(_ old: ByteCount, _ new: ByteCount) -> Bool {
    let change = (old - new) + (new - old)
    guard change > .zero else { return false }
    return change >= step || change.value >= old.value / fraction
  }
}
