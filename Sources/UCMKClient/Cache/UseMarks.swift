// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// What a shard's clock showed at some moments of the last minute.
///
/// Entries know the tick of their last use. With these marks that is enough to tell which were not
/// used for a minute, and no lookup has to read the time. At most nine marks, since no two are
/// nearer than ten seconds.
struct UseMarks: Sendable {
  /// Unused for longer than this is cold (`docs/PROTOCOL.md`, "Additions").
  static let idle = TimeSpan.seconds(60)
  /// Two marks are at least this far apart: what is unused for 60 s may be found so after 70.
  static let spacing = TimeSpan.seconds(10)

  private struct Mark: Sendable {
    var tick: UInt64
    var time: MonotonicInstant
  }

  private var marks: [Mark] = []

  /// Makes the marks of a shard that is empty at `now`.
  init(at now: MonotonicInstant) {
    marks.reserveCapacity(10)
    marks.append(Mark(tick: 0, time: now))
  }

  /// Marks where the clock stands, and returns the tick up to which a last use is a minute ago or
  /// longer; nil in the first minute.
  mutating func note(_ tick: UInt64, at now: MonotonicInstant) -> UInt64? {
    if let last = marks.last, now.since(last.time) >= UseMarks.spacing {
      marks.append(Mark(tick: tick, time: now))
    }
    // Of those that are old enough the newest is all that is needed.
    while marks.count > 1, now.since(marks[1].time) >= UseMarks.idle { marks.removeFirst() }
    guard let oldest = marks.first, now.since(oldest.time) >= UseMarks.idle else { return nil }
    return oldest.tick
  }
}
