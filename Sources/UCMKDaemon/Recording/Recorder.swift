// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
package import UCMKModel
import UCMKProtocol

/// Writes each event down before it is handled: always into the flight recorder, and to a file
/// where `--record` names one.
///
/// Events of a round are kept as they are and become lines when they are written, which a
/// `RecordingThread` does beside the loop. Recording is never in the way of a round: a file that
/// fails is given up, and events that wait beyond `EventBuffer.waitingMaximum` are lost, which the
/// recording says where it happened.
package struct Recorder {
  /// Who writes what waits.
  private enum Output {
    case none
    /// Within the turn; false says that the file failed.
    case sink(([UInt8]) -> Bool)
    case thread(RecordingThread)
  }

  private var flight: FlightRecorder
  private var writer = JSONWriter(reserving: 16 << 10)
  private var head: [UInt8]? = []
  private var output = Output.none
  /// What is handed over at the end of the turn.
  private var waiting = EventBuffer()
  /// Events that were lost since the last one that waits.
  private var lost: UInt64 = 0
  private let waitingMaximum: Int
  /// Whether the output failed since the last time somebody asked.
  private var hasFailed = false

  /// How much waits within a turn before it is handed over: 256 KiB.
  private static let turnMaximum = 256 << 10

  /// Makes a recorder.
  ///
  /// - Parameters:
  ///   - capacity: Of the flight recorder, in bytes.
  ///   - sink: Takes the lines of each turn at its end; nil without a file.
  package init(
    capacity: Int = FlightRecorder.defaultCapacity,
    sink: (([UInt8]) -> Bool)? = nil
  ) {
    waitingMaximum = EventBuffer.waitingMaximum
    flight = FlightRecorder(capacity: capacity)
    guard let sink else { return }
    output = .sink(sink)
    waiting.reserve(Recorder.turnMaximum)
  }

  /// Makes a recorder whose file is written beside the loop.
  ///
  /// - Parameters:
  ///   - thread: Who writes it.
  ///   - waitingMaximum: Bytes beyond which events are lost while it does not take any.
  package init(
    thread: RecordingThread,
    waitingMaximum: Int = EventBuffer.waitingMaximum
  ) {
    self.waitingMaximum = waitingMaximum
    flight = FlightRecorder(capacity: FlightRecorder.defaultCapacity)
    output = .thread(thread)
    waiting.reserve(waitingMaximum)
  }

  /// Takes one event.
  package mutating func record(_ event: Event, at now: MonotonicInstant) {
    if head == nil, let round = RoundEvent(event, at: now) {
      flight.append(round)
      if makeRoom(for: RoundEvent.size, at: now) { waiting.append(round) }
      return
    }
    writer.removeAll()
    EventWriter.write(event, at: now, to: &writer)
    if head != nil {
      head?.append(contentsOf: writer.bytes)
    } else {
      flight.append(writer.bytes)
    }
    if makeRoom(for: writer.bytes.count, at: now) { waiting.append(writer.bytes) }
  }

  /// Everything so far is the head, which is never given up.
  package mutating func markHead() {
    if let lines = head { flight.keepHead(lines) }
    head = nil
  }

  // MARK: - The file

  /// Whether an event of `size` bytes may wait; one that may not is counted.
  ///
  /// Behind lost events the first that may wait follows a line that counts them.
  private mutating func makeRoom(for size: Int, at now: MonotonicInstant) -> Bool {
    if case .none = output { return false }
    if waiting.size >= Recorder.turnMaximum { flush() }
    // One long gap rather than many short ones.
    let limit = lost > 0 ? waitingMaximum / 2 : waitingMaximum
    if waiting.size + size + Recorder.gapSize > limit {
      lost += 1
      return false
    }
    if lost > 0 { tellGap(at: now) }
    return true
  }

  /// The longest line about a gap is shorter.
  private static let gapSize = 128

  private mutating func tellGap(at now: MonotonicInstant) {
    var line = JSONWriter(reserving: Recorder.gapSize)
    EventWriter.writeGap(lost, at: now, to: &line)
    waiting.append(line.bytes)
    lost = 0
  }

  /// Hands over what waits, as far as somebody takes it.
  package mutating func flush() {
    switch output {
    case .none: return
    case .sink(let sink):
      guard waiting.events > 0 else { return }
      if !waiting.dump(sink) { fail() }
      waiting.clear()
    case .thread(let thread):
      if thread.hasFailed { return fail() }
      guard waiting.events > 0 else { return }
      _ = thread.hand(&waiting)
    }
  }

  /// Writes all that waits, however long it takes; nothing is recorded after it.
  package mutating func finish(at now: MonotonicInstant) {
    if lost > 0 { tellGap(at: now) }
    flush()
    guard case .thread(let thread) = output else { return }
    output = .none
    thread.finish(with: waiting)
  }

  private mutating func fail() {
    if case .thread(let thread) = output { thread.finish(with: EventBuffer()) }
    output = .none
    waiting = EventBuffer()
    hasFailed = true
  }

  /// Whether writing failed and was not told yet.
  package mutating func takeFailure() -> Bool {
    defer { hasFailed = false }
    return hasFailed
  }

  /// What the flight recorder holds, and how many lines it gave up.
  package var flightDump: (lines: [UInt8], forgotten: UInt64) {
    (flight.dump(), flight.forgotten)
  }
}
