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
    let request = RoundRequest(
      bytes: .gibibytes(24),
      level: .medium,
      scope: .manual,
      dryRun: true
    )
    let plans = (0..<turns * 5).map { _ in
      let start = MonotonicClock.now()
      precondition(broker.split(request).part > .zero, "there is something to divide")
      return MonotonicClock.now().since(start).nanoseconds
    }
    let openings = (1...turns).map { turn in
      now = now + .seconds(30)
      let start = MonotonicClock.now()
      let count = broker.handle(.requested(RequestToken(UInt64(turn)), request), at: now).count
      let span = MonotonicClock.now().since(start).nanoseconds
      precondition(count > 500, "most are asked")
      finish(&broker, &now)
      return span
    }
    return [
      BenchResult(
        name: "planning for 1,000 clients",
        thousandths: Int64(median(plans)),
        unit: "us",
        target: "<= 200 us",
        isMet: median(plans) <= 200_000
      ),
      BenchResult(
        name: "opening a round for 1,000 clients in the core, orders included",
        thousandths: Int64(median(openings)),
        unit: "us",
        target: "reported",
        isMet: true
      ),
      splitRow(parties: 1_000, turns: turns * 5, limit: 120),
      splitRow(parties: 100_000, turns: turns, limit: 10_000),
    ]
  }

  /// The split alone, the best of its runs: what other work of the machine adds is not its own.
  private static func splitRow(parties count: UInt64, turns: Int, limit: UInt64) -> BenchResult {
    var crowd = BareSplit(room: Int(count))
    var sum: UInt64 = 0
    for number in 1...count {
      // Sizes and weights without order, of which few are equal.
      let size = (4 << 20) + (number &* 0x9E37_79B9_7F4A_7C15) >> 30
      crowd.add(size: size, cap: size, weight: 500_000 + number * 7_919 % 1_500_000)
      sum += size
    }
    var best = UInt64.max
    for _ in 0..<turns {
      let start = MonotonicClock.now()
      precondition(crowd.run(sum / 3) == sum / 3, "the parts add up")
      best = min(best, MonotonicClock.now().since(start).nanoseconds)
    }
    return BenchResult(
      name: "split over \(grouped(count)) parties, best of \(turns)",
      thousandths: Int64(best),
      unit: "us",
      target: "<= \(grouped(limit)) us",
      isMet: best <= limit * 1_000
    )
  }

  /// A number with its thousands apart.
  private static func grouped(_ number: UInt64) -> String {
    guard number >= 1_000 else { return "\(number)" }
    let rest = String(number % 1_000)
    return "\(number / 1_000),\(String(repeating: "0", count: 3 - rest.count))\(rest)"
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
