// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// The state file: what is remembered of programs, as lines of JSON.
///
/// The first line says which version it is, when it was written and how many lines follow, so that
/// a file that was cut off is known. A file in which anything is wrong is ignored as a whole: half
/// a memory would favour somebody.
package enum BehaviourText {
  /// Why a file is not used, for people.
  package struct Fault: Error, Sendable, Equatable {
    /// What is wrong with it.
    package var reason: String

    /// Makes a fault.
    package init(_ reason: String) { self.reason = reason }
  }

  /// The version of the form; another one is not read.
  ///
  /// A member that came later is no new version: it counts as nothing known where it is absent.
  package static let version: UInt64 = 1
  /// The largest file that is read: twice what a full table with the longest keys takes.
  package static let sizeMaximum = 8 << 20
  /// A file older than seven days is not used: programs were updated since.
  package static let ageMaximum: UInt64 = 7 * 86_400 * 1_000_000

  /// Writes all entries.
  package static func write(_ entries: [BehaviourTable.Entry], at microseconds: UInt64) -> [UInt8] {
    var writer = JSONWriter(reserving: 160 * (entries.count + 1))
    writer.beginObject()
    writer.member("ucmkd_behaviour", version)
    writer.member("time_us", microseconds)
    writer.member("entries", UInt64(entries.count))
    writer.endObject()
    writer.endLine()
    for entry in entries {
      writer.beginObject()
      writer.member("program", entry.key)
      writer.member("trust", UInt64(entry.memory.trust.parts))
      writer.member("fell_short", entry.memory.fellShort)
      writer.member("ledger", signed: entry.memory.ledger)
      writer.member("keeps_memory", entry.memory.keepsMemory)
      writer.member("measured_rounds", UInt64(entry.memory.measuredRounds))
      writer.endObject()
      writer.endLine()
    }
    return writer.bytes
  }

  /// Reads a file.
  ///
  /// - Throws: The first thing that is wrong with it.
  package static func read(
    _ bytes: [UInt8],
    at microseconds: UInt64
  ) throws(Fault) -> [BehaviourTable.Entry] {
    guard bytes.count <= sizeMaximum else { throw Fault("it is too large") }
    var start = 0
    guard let head = try line(bytes, &start) else { throw Fault("it is empty") }
    do throws(RecordingFault) {
      guard try head.number("ucmkd_behaviour") == version else {
        throw RecordingFault("version \(version)")
      }
      let time = try head.number("time_us")
      let age = microseconds > time ? microseconds - time : time - microseconds
      guard age <= ageMaximum else { throw RecordingFault("a file of the last seven days") }
      let count = try head.number("entries")
      guard count <= UInt64(BehaviourTable.limit) else {
        throw RecordingFault("at most \(BehaviourTable.limit) entries")
      }
      return try entries(bytes, from: start, count: Int(count))
    } catch {
      throw Fault("wanted: \(error.wanted)")
    }
  }

  private static func entries(
    _ bytes: [UInt8],
    from first: Int,
    count: Int
  ) throws(RecordingFault) -> [BehaviourTable.Entry] {
    var start = first
    var entries: [BehaviourTable.Entry] = []
    for _ in 0..<count {
      let fields: RecordedFields?
      do throws(Fault) {
        fields = try line(bytes, &start)
      } catch {
        throw RecordingFault(error.reason)
      }
      guard let fields else { throw RecordingFault("\(count) entries") }
      entries.append(
        BehaviourTable.Entry(
          key: try fields.text("program"),
          memory: RememberedBehaviour(
            trust: Permyriad(try fields.number32("trust")),
            fellShort: try fields.truth("fell_short"),
            ledger: try fields.signed("ledger"),
            keepsMemory: try fields.truth("keeps_memory"),
            measuredRounds: try fields.laterCount("measured_rounds")
          )
        )
      )
    }
    guard start == bytes.count else { throw RecordingFault("nothing behind the last entry") }
    return entries
  }

  /// The next line, nil at the end; moves `start` behind it.
  private static func line(_ bytes: [UInt8], _ start: inout Int) throws(Fault) -> RecordedFields? {
    guard start < bytes.count else { return nil }
    guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw Fault("the end of a line")
    }
    do throws(JSONSyntaxError) {
      let fields = RecordedFields(try JSONText.parse(bytes, in: start..<end))
      start = end + 1
      return fields
    } catch {
      throw Fault("JSON at offset \(start + error.offset)")
    }
  }
}
