// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
package import UCMKModel
import UCMKProtocol

/// Writes each event down before it is handled: always into the flight recorder, and to a file
/// where `--record` names one.
package struct Recorder {
  private var flight: FlightRecorder
  private var writer = JSONWriter(reserving: 16 << 10)
  private var head: [UInt8]? = []
  /// Takes the lines of `--record`; nil without one.
  ///
  /// False says that the file failed: it is closed and the daemon goes on, as recording must never
  /// be in the way of a round.
  private var sink: (([UInt8]) -> Bool)?
  /// Lines for the sink, written at the end of the turn.
  private var waiting: [UInt8] = []
  /// Whether the sink failed since the last time somebody asked.
  private var hasFailed = false

  /// How much waits at most until it is written within a turn: 256 KiB.
  private static let waitingMaximum = 256 << 10

  /// Makes a recorder.
  package init(
    capacity: Int = FlightRecorder.defaultCapacity,
    sink: (([UInt8]) -> Bool)? = nil
  ) {
    flight = FlightRecorder(capacity: capacity)
    self.sink = sink
    if sink != nil { waiting.reserveCapacity(Recorder.waitingMaximum + (16 << 10)) }
  }

  /// Takes one event.
  package mutating func record(_ event: Event, at now: MonotonicInstant) {
    var isKept = false
    if head == nil, let event = RoundEvent(event, at: now) {
      flight.append(event)
      isKept = true
      if sink == nil { return }
    }
    writer.removeAll()
    EventWriter.write(event, at: now, to: &writer)
    if head != nil {
      head?.append(contentsOf: writer.bytes)
    } else if !isKept {
      flight.append(writer.bytes)
    }
    guard sink != nil else { return }
    waiting.append(contentsOf: writer.bytes)
    if waiting.count >= Recorder.waitingMaximum { flush() }
  }

  /// Everything so far is the head, which is never given up.
  package mutating func markHead() {
    if let lines = head { flight.keepHead(lines) }
    head = nil
  }

  /// Writes what waits.
  package mutating func flush() {
    guard let sink, !waiting.isEmpty else { return }
    if !sink(waiting) {
      self.sink = nil
      hasFailed = true
    }
    waiting.removeAll(keepingCapacity: true)
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
