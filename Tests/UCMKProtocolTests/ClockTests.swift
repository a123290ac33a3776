// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKProtocol

/// `monotonic_ns` passes 2^53 after 104 days without a restart, as no other number on the wire does
/// (`docs/PROTOCOL.md`, Additions).
@Suite("clocks on the wire")
struct ClockTests {
  private static let clocks: [UInt64] = [
    0, 1, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, UInt64(Int64.max),
  ]

  @Test("a pong is written and read to the nanosecond, however long the machine runs")
  func pong() throws {
    for clock in ClockTests.clocks {
      var writer = JSONWriter()
      PingResult(monotonicNanoseconds: clock).write(to: &writer)
      #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"monotonic_ns":\#(clock)}"#)
      let value = try JSONText.parse(#"{"monotonic_ns":\#(clock)}"#)
      #expect(try PingResult(result: value).monotonicNanoseconds == clock)
    }
  }

  @Test("what no clock shows is refused", arguments: ["-1", "1.5", "1e3", "9223372036854775808"])
  func wrong(clock: String) throws {
    let value = try JSONText.parse(#"{"monotonic_ns":\#(clock)}"#)
    #expect(throws: RPCError.self) { try PingResult(result: value) }
  }
}
