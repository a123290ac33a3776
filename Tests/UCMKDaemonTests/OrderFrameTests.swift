// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKProtocol

@testable import UCMKDaemon

@Suite("order frame")
struct OrderFrameTests {
  private func order(
    round: UInt64 = 412,
    attempt: UInt8 = 1,
    level: PressureLevel = .medium,
    scope: Scope = .manual,
    deadline: TimeSpan = .seconds(2),
    isDryRun: Bool = false
  ) -> ShrinkOrder {
    ShrinkOrder(
      client: ClientID(7),
      round: RoundID(round),
      attempt: attempt,
      level: level,
      scope: scope,
      deadline: deadline,
      trim: !isDryRun,
      dryRun: isDryRun,
      targets: 0..<0
    )
  }

  /// The line as the writer of every message writes it.
  private func plain(_ order: ShrinkOrder, _ id: UInt64, _ targets: [ShrinkTarget]) -> String {
    var writer = JSONWriter()
    writer.beginRequest(.shrink, id: .integer(id))
    ShrinkWriter.write(order, targets[...], to: &writer)
    writer.endMessage()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private let targets = [
    ShrinkTarget(cache: CacheID(3), bytes: .mebibytes(100), limit: .mebibytes(412)),
    ShrinkTarget(cache: CacheID(12), bytes: ByteCount(4_096), limit: nil),
  ]

  @Test("writes what the writer of every message writes, whatever came before")
  func same() {
    let awkward = Scope.domain(.cgroup("/srv/\"id\":0,\"targets\":[x"))
    let orders = [
      order(), order(), order(attempt: 2), order(attempt: 2, level: .critical),
      order(round: 413, scope: .domain(.host)), order(round: 413, scope: .domain(.cgroup("/a"))),
      order(round: 413, scope: awkward), order(round: 413, deadline: .milliseconds(500)),
      order(round: 413, isDryRun: true), order(),
    ]
    var frame = OrderFrame()
    var writer = JSONWriter()
    for (index, order) in orders.enumerated() {
      for count in 0...targets.count {
        let id = UInt64(index) * 1_000_000_007
        let some = Array(targets.prefix(count))
        frame.write(order, id: id, some[...], to: &writer)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == plain(order, id, some))
      }
    }
  }
}
