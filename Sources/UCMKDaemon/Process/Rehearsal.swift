// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// One round with invented clients, so that the code and the memory of a real one are there before
/// memory is short (`mlockall` with `MCL_ONFAULT` locks what was touched once).
enum Rehearsal {
  /// How many clients are invented: enough to grow every buffer past its first size.
  private static let clients: UInt64 = 64

  /// Runs it in a broker of its own.
  ///
  /// Returns the bytes asked, which must not be zero.
  static func run() -> ByteCount {
    var broker = Broker()
    var writer = JSONWriter(reserving: 4 << 10)
    var now = MonotonicInstant(nanoseconds: 1)
    _ = broker.handle(.configured(Configuration()), at: now)
    for ordinal in 1...clients {
      let facts = ClientFacts(
        name: "rehearsal",
        process: ProcessID(Int32(ordinal)),
        user: 0,
        cgroup: nil
      )
      _ = broker.handle(.joined(ClientID(ordinal), facts), at: now)
      var cache = CacheDeclaration(name: "cache")
      cache.usage = CacheUsage(bytes: .mebibytes(8), reclaimable: .mebibytes(8))
      _ = broker.handle(.registered(ClientID(ordinal), CacheID(1), cache), at: now)
    }
    let request = RoundRequest(
      bytes: .mebibytes(64),
      level: .medium,
      scope: .manual,
      dryRun: false
    )
    var asked = ByteCount.zero
    var waiting = broker.handle(.requested(RequestToken(1), request), at: now)
    for _ in 0..<64 where !waiting.isEmpty {
      var answers: [Event] = []
      for effect in waiting {
        switch effect {
        case .ask(let order):
          let targets = broker.targets[order.targets]
          writer.removeAll()
          writer.beginRequest(.shrink, id: .integer(1))
          ShrinkWriter.write(order, targets, to: &writer)
          writer.endMessage()
          asked = targets.reduce(asked) { $0 + $1.bytes }
          answers += self.answers(order, targets)
        case .measure(let process):
          answers.append(.measured(process, ProcessReading(resident: .mebibytes(16))))
        default: break
        }
      }
      now = now + .milliseconds(100)
      answers.append(.ticked)
      waiting = []
      for event in answers { waiting += broker.handle(event, at: now) }
    }
    return asked
  }

  private static func answers(
    _ order: ShrinkOrder,
    _ targets: ArraySlice<ShrinkTarget>
  ) -> [Event] {
    var events = targets.map { target in
      Event.freed(
        order.client,
        order.round,
        attempt: order.attempt,
        FreedReport(
          cache: target.cache,
          freed: target.bytes,
          bytes: .mebibytes(8) - target.bytes,
          reclaimable: .mebibytes(8) - target.bytes,
          more: false
        )
      )
    }
    events.append(.answered(order.client, order.round, attempt: order.attempt))
    return events
  }
}
