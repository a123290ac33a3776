// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// Events in their order, as lines or as they are, until somebody wants them as lines.
package struct EventBuffer: Sendable {
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
  /// How many there are.
  private(set) var events: UInt64 = 0

  /// Makes room for `size` bytes of either kind; pages that are not written stay untouched.
  mutating func reserve(_ size: Int) {
    text.reserveCapacity(size)
    entries.reserveCapacity(size / RoundEvent.size + 1)
  }

  /// Forgets everything and keeps the room.
  mutating func clear() {
    text.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
    size = 0
    events = 0
  }

  /// Adds a line, which ends in LF.
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

  /// Adds an event of a round as it is.
  mutating func append(_ event: RoundEvent) {
    entries.append(.round(event))
    size += RoundEvent.size
    events += 1
  }

  /// Hands out everything as lines, piece by piece, until somebody wants no more.
  ///
  /// - Parameter output: Takes whole lines, 64 KiB or a little more but for the last ones; false
  ///   ends it.
  /// - Returns: Whether everything was taken.
  @discardableResult
  func dump(_ output: ([UInt8]) -> Bool) -> Bool {
    var writer = JSONWriter(reserving: 256)
    var lines: [UInt8] = []
    lines.reserveCapacity(EventBuffer.piece + (16 << 10))
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
      guard lines.count >= EventBuffer.piece else { continue }
      guard output(lines) else { return false }
      lines.removeAll(keepingCapacity: true)
    }
    return lines.isEmpty || output(lines)
  }

  private static let piece = 64 << 10

  /// What waits for a file at most, of either kind: 4 MiB, the answers of 20,000 clients.
  package static let waitingMaximum = 4 << 20
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
