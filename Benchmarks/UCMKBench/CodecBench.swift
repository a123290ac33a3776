// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKBench
import Foundation
import UCMKLinux
import UCMKModel
import UCMKProtocol

/// A shrink request decoded and encoded, beside Foundation's JSON coders.
enum CodecBench {
  /// A request of about 200 bytes with the id of the protocol's example.
  private static let line = Array(
    """
    {"jsonrpc":"2.0","id":1,"method":"shrink","params":{"round":412,"attempt":1,"level":"medium",\
    "scope":{"kind":"host"},"deadline_ms":2000,"targets":[{"id":3,"bytes":104857600}],\
    "trim":true,"dry_run":false}}
    """.utf8
  )

  /// The same message as Foundation sees it.
  private struct Message: Codable {
    struct Params: Codable {
      struct Scope: Codable { var kind: String }
      struct Target: Codable { var id: UInt32, bytes: UInt64 }
      var round: UInt64, attempt: Int, level: String, scope: Scope, deadline_ms: UInt64
      var targets: [Target], trim: Bool, dry_run: Bool
    }
    var jsonrpc: String, id: UInt64, method: String, params: Params
  }

  static func run(isShort: Bool) -> [BenchResult] {
    let turns = isShort ? 20_000 : 200_000
    let own = measureOwn(turns)
    let foundation = measureFoundation(turns / 10) * 10
    let each = own.nanoseconds * 1_000 / UInt64(turns)
    let ratio = own.nanoseconds * 1_000 / max(1, foundation)
    return [
      BenchResult(
        name: "codec: decode and encode \(line.count) bytes",
        thousandths: Int64(each),
        unit: "ns",
        baseline: "Foundation's JSONDecoder and JSONEncoder",
        ratio: Int64(ratio),
        target: "ratio <= 0.2",
        isMet: ratio <= 200
      ),
      BenchResult(
        name: "codec: allocations in \(turns) messages",
        thousandths: Int64(own.allocations) * 1_000,
        unit: "allocations",
        target: "0",
        isMet: own.allocations == 0
      ),
    ]
  }

  private static func measureOwn(_ turns: Int) -> (nanoseconds: UInt64, allocations: UInt64) {
    var request = ShrinkRequest()
    var writer = JSONWriter(reserving: 4 << 10)
    func turn() {
      do {
        guard case .request(let id, _, let params) = try IncomingMessage(line, in: 0..<line.count)
        else { preconditionFailure("the line is a request") }
        try request.read(params: params)
        writer.removeAll()
        request.writeRequest(id: id, to: &writer)
      } catch { preconditionFailure("the line is a request") }
    }
    for _ in 0..<1_000 { turn() }
    let allocations = bench_allocations()
    let start = MonotonicClock.now()
    for _ in 0..<turns { turn() }
    let span = MonotonicClock.now().since(start)
    return (span.nanoseconds, bench_allocations() - allocations)
  }

  private static func measureFoundation(_ turns: Int) -> UInt64 {
    let decoder = JSONDecoder()
    let encoder = JSONEncoder()
    let data = Data(line)
    var bytes = 0
    func turn() {
      do {
        bytes += try encoder.encode(decoder.decode(Message.self, from: data)).count
      } catch { preconditionFailure("the line is a request") }
    }
    for _ in 0..<100 { turn() }
    let start = MonotonicClock.now()
    for _ in 0..<turns { turn() }
    precondition(bytes > turns, "something was encoded")
    return MonotonicClock.now().since(start).nanoseconds
  }
}
