// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The last events, as lines in two buffers that take turns.
///
/// Always on: a line costs a copy of some 100 bytes, for it stands on the path of a round. Dumped
/// on SIGUSR1, so that what led to a strange state can be replayed. When the newer buffer is full,
/// the older one is given up as a whole and takes its place: at least half of the room holds the
/// very last lines, and no line is ever searched for. Room that was never needed is not touched.
package struct FlightRecorder: Sendable {
  private var older: [UInt8] = []
  private var newer: [UInt8] = []
  private var olderLines: UInt64 = 0, newerLines: UInt64 = 0
  private let half: Int
  /// The first lines of the run (settings and host), without which nothing can be replayed.
  private var head: [UInt8] = []
  /// Lines given up.
  package private(set) var forgotten: UInt64 = 0

  /// 1 MiB in both: some 4,000 events at least, minutes of a busy host.
  package static let defaultCapacity = 1 << 20

  /// Makes an empty recorder with all its room, two halves of `capacity` bytes.
  package init(capacity: Int = FlightRecorder.defaultCapacity) {
    half = capacity / 2
    older.reserveCapacity(half)
    newer.reserveCapacity(half)
  }

  /// Keeps lines that must never be given up; replaces those kept before.
  package mutating func keepHead(_ lines: [UInt8]) { head = lines }

  /// Keeps one line, which ends in LF.
  ///
  /// One that is larger than half of the room is not kept.
  package mutating func append(_ line: [UInt8]) {
    guard line.count <= half else {
      forgotten += 1
      return
    }
    if newer.count + line.count > half {
      swap(&older, &newer)
      forgotten += olderLines
      olderLines = newerLines
      newer.removeAll(keepingCapacity: true)
      newerLines = 0
    }
    newer.append(contentsOf: line)
    newerLines += 1
  }

  /// Everything that is kept, oldest first.
  package func dump() -> [UInt8] { head + older + newer }
}
