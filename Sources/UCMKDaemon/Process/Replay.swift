// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKCore
import UCMKModel
import UCMKProtocol

/// A recording through the core: the same lines in, the same bytes out, on every machine.
package struct Replay {
  private var broker = Broker()
  private var writer = JSONWriter(reserving: 64 << 10)
  private var last = MonotonicInstant(nanoseconds: 0)

  /// Makes a replay that has seen nothing.
  package init() {}

  /// Where a recording is broken.
  package struct Fault: Error, Sendable, Equatable {
    /// Bytes from the beginning of the recording.
    package var offset: Int
    /// What was wanted there.
    package var wanted: String
  }

  /// Takes the whole recording and hands out what the core decides, piece by piece.
  ///
  /// - Throws: The first place that is no event; what came before it was handed out.
  package mutating func run(
    _ recording: [UInt8],
    _ output: ([UInt8]) -> Void
  ) throws(Fault) {
    var start = 0
    while start < recording.count {
      guard let end = recording[start...].firstIndex(of: UInt8(ascii: "\n")) else {
        throw Fault(offset: recording.count, wanted: "the end of the line")
      }
      if end > start { try take(recording, start..<end) }
      output(writer.bytes)
      writer.removeAll()
      start = end + 1
    }
  }

  private mutating func take(_ bytes: [UInt8], _ range: Range<Int>) throws(Fault) {
    let (event, now) = try Replay.event(bytes, range)
    guard now >= last else {
      throw Fault(offset: range.lowerBound, wanted: "an instant not before the last one")
    }
    last = now
    for effect in broker.handle(event, at: now) {
      EffectWriter.write(effect, of: broker, at: now, to: &writer)
    }
  }

  private static func event(
    _ bytes: [UInt8],
    _ range: Range<Int>
  ) throws(Fault) -> (Event, MonotonicInstant) {
    let value: JSONValue
    do throws(JSONSyntaxError) {
      value = try JSONText.parse(bytes, in: range)
    } catch {
      throw Fault(offset: range.lowerBound + error.offset, wanted: "JSON")
    }
    do throws(RecordingFault) {
      return try EventReader.read(value)
    } catch {
      throw Fault(offset: range.lowerBound, wanted: error.wanted)
    }
  }
}
