// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What a line to a client is; decides what happens to it when the client does not read.
package enum LineKind: UInt8, Sendable, Equatable {
  /// An answer: never dropped; while answers fill the queue the daemon stops reading.
  case response
  /// The oldest is dropped when the queue is full.
  case notification
  /// Refused when the queue is full: a shrink request that is not sent counts as timed out.
  case request
}

/// Lines that the socket did not take yet: bounded, and the place where each kind's fate is decided
/// (`docs/PROTOCOL.md` §2, "output queued for one client").
///
/// Empty for every client that reads; only a slow one costs memory, at most `limit` bytes and one
/// answer.
package struct Outbox: Sendable {
  /// Whose event a line is, and how many dropped ones before it the line tells of.
  package struct EventMark: Sendable, Equatable {
    /// The number of the subscription.
    package let subscription: UInt64
    /// What is lost with the line, besides the event itself.
    package let told: UInt64
  }

  private struct Line: Sendable {
    let kind: LineKind
    let mark: EventMark?
    let bytes: [UInt8]
    /// A line of which the socket took a part must be sent to its end.
    var sent: Int
  }

  /// The most that is queued, in bytes.
  package let limit: Int
  private var lines: [Line] = []
  private var first = 0
  /// Bytes queued.
  package private(set) var count = 0
  /// Bytes queued that are answers.
  package private(set) var responseCount = 0
  /// Notifications dropped since the session began.
  package private(set) var dropped: UInt64 = 0
  /// The marks of the events that were dropped since somebody took them.
  private var droppedMarks: [EventMark] = []

  /// Makes an empty queue.
  package init(limit: Int) { self.limit = limit }

  /// Whether nothing waits.
  package var isEmpty: Bool { first == lines.count }

  /// Whether answers fill the queue: reading from the client waits.
  package var isFullOfResponses: Bool { responseCount >= limit }

  /// Queues the rest of a line of which the socket took `sent` bytes, or a whole line.
  ///
  /// Room is made by dropping the oldest notifications, for an answer too.
  ///
  /// - Returns: Whether it was queued; false only for a request, or for a notification that is
  ///   larger than everything that can be dropped for it (which is counted).
  package mutating func append(
    _ bytes: ArraySlice<UInt8>,
    kind: LineKind,
    sent: Int,
    mark: EventMark? = nil
  ) -> Bool {
    let size = bytes.count - sent
    makeRoom(for: size)
    if sent == 0, kind != .response, count + size > limit {
      if kind == .notification { drop(mark) }
      return false
    }
    lines.append(Line(kind: kind, mark: mark, bytes: Array(bytes), sent: sent))
    count += size
    if kind == .response { responseCount += size }
    return true
  }

  /// Drops the oldest notifications until `size` more bytes fit, or none is left to drop.
  private mutating func makeRoom(for size: Int) {
    guard count + size > limit else { return }
    var kept: [Line] = []
    kept.reserveCapacity(lines.count - first)
    for line in lines[first...] {
      if count + size > limit, line.kind == .notification, line.sent == 0 {
        count -= line.bytes.count
        drop(line.mark)
      } else {
        kept.append(line)
      }
    }
    lines = kept
    first = 0
  }

  private mutating func drop(_ mark: EventMark?) {
    dropped += 1
    if let mark { droppedMarks.append(mark) }
  }

  /// The marks of the events that were dropped since the last call.
  package mutating func takeDroppedMarks() -> [EventMark] {
    defer { droppedMarks = [] }
    return droppedMarks
  }

  /// Offers what waits to `send` until it takes no more.
  ///
  /// - Parameter send: Takes bytes from an offset on; returns how many it took, 0 for "not now",
  ///   nil for a broken connection.
  /// - Returns: False when the connection is broken.
  package mutating func drain(_ send: ([UInt8], Int) -> Int?) -> Bool {
    while first < lines.count {
      guard let taken = send(lines[first].bytes, lines[first].sent) else { return false }
      guard taken > 0 else { return true }
      count -= taken
      if lines[first].kind == .response { responseCount -= taken }
      lines[first].sent += taken
      if lines[first].sent == lines[first].bytes.count { first += 1 }
    }
    lines.removeAll(keepingCapacity: false)
    first = 0
    return true
  }
}
