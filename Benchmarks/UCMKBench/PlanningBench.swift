// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKBench
import UCMKCore
import UCMKLinux
import UCMKModel

/// One round planned for many clients: from the request to the orders, in the core alone.
enum PlanningBench {
  static func run(isShort: Bool) -> [BenchResult] {
    let turns = isShort ? 20 : 200
    var broker = Broker()
    var now = MonotonicInstant(nanoseconds: 1)
    join(1_000, &broker, now)
    var spans: [UInt64] = []
    for turn in 0..<turns {
      now = now + .seconds(30)
      let request = RoundRequest(
        bytes: .gibibytes(24),
        level: .medium,
        scope: .manual,
        dryRun: true
      )
      let start = MonotonicClock.now()
      let effects = broker.handle(.requested(RequestToken(UInt64(turn + 1)), request), at: now)
      spans.append(MonotonicClock.now().since(start).nanoseconds)
      precondition(effects.count > 500, "most are asked")
      finish(&broker, &now)
    }
    let each = median(spans)
    return [
      BenchResult(
        name: "planning a round for 1,000 clients, orders included",
        thousandths: Int64(each),
        unit: "us",
        target: "<= 200 us",
        isMet: each <= 200_000
      )
    ]
  }

  private static func join(_ count: UInt64, _ broker: inout Broker, _ now: MonotonicInstant) {
    _ = broker.handle(.configured(Configuration()), at: now)
    for ordinal in 1...count {
      let facts = ClientFacts(
        name: "bench",
        process: ProcessID(Int32(ordinal)),
        user: 0,
        cgroup: nil
      )
      _ = broker.handle(.joined(ClientID(ordinal), facts), at: now)
      var cache = CacheDeclaration(name: "cache")
      // Sizes and costs that all differ, so that the split has something to sort.
      cache.costMicrosecondsPerMiB = UInt32(1_000 + ordinal * 7_919 % 50_000)
      let bytes = ByteCount.mebibytes(4 + ordinal * 104_729 % 61)
      cache.usage = CacheUsage(bytes: bytes, reclaimable: bytes)
      _ = broker.handle(.registered(ClientID(ordinal), CacheID(1), cache), at: now)
    }
  }

  /// Lets the deadlines pass, so that the round closes.
  private static func finish(_ broker: inout Broker, _ now: inout MonotonicInstant) {
    for _ in 0..<64 {
      now = now + .seconds(3)
      for effect in broker.handle(.ticked, at: now) {
        if case .roundClosed = effect { return }
      }
    }
    preconditionFailure("a round without answers closes")
  }
}
