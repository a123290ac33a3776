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
  private var older = Half()
  private var newer = Half()
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
    older.dump(into: &lines)
    newer.dump(into: &lines)
    return lines
  }
}

/// One of the two buffers.
private struct Half: Sendable {
  /// What was kept, in order.
  private enum Entry: Sendable {
    /// So many bytes of `text`.
    case text(Int)
    case round(RoundEvent)
  }

  private var text: [UInt8] = []
  private var entries: [Entry] = []
  /// Bytes in use.
  private(set) var size = 0
  private(set) var events: UInt64 = 0

  mutating func reserve(_ size: Int) {
    text.reserveCapacity(size)
    entries.reserveCapacity(size / RoundEvent.size + 1)
  }

  mutating func clear() {
    text.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
    size = 0
    events = 0
  }

  mutating func append(_ line: [UInt8]) {
    text.append(contentsOf: line)
    if case .text(let count) = entries.last {
      entries[entries.count - 1] = .text(count + line.count)
    } else {
      entries.append(.text(line.count))
    }
    size += line.count
    events += 1
  }

  mutating func append(_ event: RoundEvent) {
    entries.append(.round(event))
    size += RoundEvent.size
    events += 1
  }

  func dump(into lines: inout [UInt8]) {
    var writer = JSONWriter(reserving: 256)
    var position = 0
    for entry in entries {
      switch entry {
      case .text(let count):
        lines.append(contentsOf: text[position..<position + count])
        position += count
      case .round(let round):
        writer.removeAll()
        EventWriter.write(round.event, at: round.at, to: &writer)
        lines.append(contentsOf: writer.bytes)
      }
    }
  }
}

/// An event that comes once or twice for every client of a round, without references.
struct RoundEvent: Sendable {
  /// When it came.
  let at: MonotonicInstant
  private let client: ClientID
  private let round: RoundID
  private let attempt: UInt8
  /// Nil where the answer is complete.
  private let report: FreedReport?

  /// What one takes in the recorder, in bytes.
  static let size = MemoryLayout<RoundEvent>.stride

  /// Nil for an event of another kind.
  init?(_ event: Event, at now: MonotonicInstant) {
    switch event {
    case .freed(let client, let round, let attempt, let report):
      (self.client, self.round, self.attempt, self.report) = (client, round, attempt, report)
    case .answered(let client, let round, let attempt):
      (self.client, self.round, self.attempt, self.report) = (client, round, attempt, nil)
    default: return nil
    }
    at = now
  }

  /// The event as it came.
  var event: Event {
    guard let report else { return .answered(client, round, attempt: attempt) }
    return .freed(client, round, attempt: attempt, report)
  }
}
