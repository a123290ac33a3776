// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One request of a recorded trace.
package struct TraceRequest: Sendable, Equatable {
  /// Which object, as the trace numbers it.
  package var object: UInt64
  /// Its size in bytes; at least 1.
  package var size: UInt64
}

/// What is wrong in a trace, and where.
package struct TraceError: Error, Equatable, CustomStringConvertible {
  /// Counted from 1; the column in bytes.
  package let line: Int, column: Int
  /// What was expected there.
  package let wanted: String

  /// For people.
  package var description: String { "line \(line), column \(column): wanted \(wanted)" }
}

/// Reads traces of three columns and more, divided by commas: time, object, size.
package enum TraceReader {
  /// Reads a whole trace; lines that are empty or begin with `#` are skipped.
  ///
  /// - Parameters:
  ///   - bytes: The text.
  ///   - limit: At most so many requests are read.
  /// - Returns: The requests in their order.
  /// - Throws: `TraceError` at the first line that is none.
  package static func read(
    _ bytes: [UInt8],
    limit: Int = .max
  ) throws(TraceError) -> [TraceRequest] {
    var requests: [TraceRequest] = []
    var (start, line) = (0, 1)
    while start < bytes.count, requests.count < limit {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      if let request = try request(bytes[start..<end], line) { requests.append(request) }
      start = end + 1
      line += 1
    }
    return requests
  }

  private static func request(
    _ text: ArraySlice<UInt8>,
    _ line: Int
  ) throws(TraceError) -> TraceRequest? {
    var position = text.startIndex
    skipSpace(text, &position)
    guard position < text.endIndex, text[position] != UInt8(ascii: "#") else { return nil }
    var columns = [UInt64](repeating: 0, count: 3)
    for (place, name) in ["time", "object", "size"].enumerated() {
      if place > 0 {
        guard position < text.endIndex, text[position] == UInt8(ascii: ",") else {
          throw error(text, position, line, "a comma before the \(name)")
        }
        position += 1
      }
      columns[place] = try number(text, &position, line, name)
    }
    if position < text.endIndex, text[position] != UInt8(ascii: ",") {
      throw error(text, position, line, "a comma or the end of the line")
    }
    return TraceRequest(object: columns[1], size: max(1, columns[2]))
  }

  /// A number with spaces around it.
  private static func number(
    _ text: ArraySlice<UInt8>,
    _ position: inout Int,
    _ line: Int,
    _ name: String
  ) throws(TraceError) -> UInt64 {
    skipSpace(text, &position)
    let start = position
    var value: UInt64 = 0
    while position < text.endIndex, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position])
    {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(UInt64(text[position] & 15))
      guard !overflow, !carry else { throw error(text, start, line, "the \(name) below 2^64") }
      value = sum
      position += 1
    }
    guard position > start else { throw error(text, start, line, "the \(name), a whole number") }
    skipSpace(text, &position)
    return value
  }

  private static func skipSpace(_ text: ArraySlice<UInt8>, _ position: inout Int) {
    while position < text.endIndex, [0x20, 0x09, 0x0D].contains(text[position]) { position += 1 }
  }

  private static func error(
    _ text: ArraySlice<UInt8>,
    _ position: Int,
    _ line: Int,
    _ wanted: String
  ) -> TraceError {
    TraceError(line: line, column: position - text.startIndex + 1, wanted: wanted)
  }
}
