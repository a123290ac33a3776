// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// The last events, in two buffers that take turns.
///
/// Always on. What comes twice for every client of a round is kept as it is and becomes a line when
/// somebody wants to see it: writing the line takes longer than the core takes to handle it.
/// Everything else is kept as a line. Dumped on SIGUSR1, so that what led to a strange state can be
/// replayed. When the newer buffer is full, the older one is given up as a whole and takes its
/// place: at least half of the room holds the very last events, and none is ever searched for. Room
/// that was never needed is not touched.
package struct FlightRecorder: Sendable {
  private var older = EventBuffer()
  private var newer = EventBuffer()
  private let half: Int
  /// The first lines of the run (settings and host), without which nothing can be replayed.
  private var head: [UInt8] = []
  /// Events given up.
  package private(set) var forgotten: UInt64 = 0

  /// 1 MiB in both: some 10,000 events, minutes of a busy host.
  package static let defaultCapacity = 1 << 20

  /// Makes an empty recorder with all its room, two halves of `capacity` bytes.
  package init(capacity: Int = FlightRecorder.defaultCapacity) {
    half = capacity / 2
    older.reserve(half)
    newer.reserve(half)
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
    makeRoom(for: line.count)
    newer.append(line)
  }

  /// Keeps an event of a round.
  mutating func append(_ event: RoundEvent) {
    makeRoom(for: RoundEvent.size)
    newer.append(event)
  }

  private mutating func makeRoom(for size: Int) {
    guard newer.size + size > half else { return }
    swap(&older, &newer)
    forgotten += newer.events
    newer.clear()
  }

  /// Everything that is kept as lines, oldest first.
  package func dump() -> [UInt8] {
    var lines = head
    for buffer in [older, newer] {
      buffer.dump { piece in
        lines.append(contentsOf: piece)
        return true
      }
    }
    return lines
  }
}
