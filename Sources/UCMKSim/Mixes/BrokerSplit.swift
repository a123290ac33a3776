// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel

/// The daemon's own split of a target over the caches of a mix: a broker is asked for its plan.
struct BrokerSplit: Sendable {
  /// From where the broker knows what a byte of a cache is worth.
  enum Costs: Sendable {
    /// It does not, and nobody tells what is cold either.
    case equal
    /// The administrator or a measurement says so: shares from an eighth to eight times the usual.
    case vouched
    /// The clients say so, and the broker believes them within its band.
    case declared
  }

  private var broker = Broker()
  private static let page: UInt64 = 1
  /// What nothing used for so long is told as cold: a minute, as the protocol has it.
  private static let coldAfter = 60.0

  /// A broker to which a client with each cache of `mix` has registered.
  ///
  /// - Parameters:
  ///   - mix: The caches.
  ///   - costs: From where their worth is known.
  ///   - liar: A client that says of itself what is not so, and what.
  init(_ mix: CacheMix, costs: Costs, liar: (index: Int, lie: Lie)? = nil) {
    var events: [Event] = [
      .configured(Configuration()),
      .hostKnown(
        HostFacts(
          memoryTotal: .gibibytes(64),
          pageSize: BrokerSplit.page,
          kernelHighMarks: .zero
        )
      ),
    ]
    let relative = MixPolicy.relativeCosts(mix)
    let middle = median(mix.caches.map(\.density))
    for (index, cache) in mix.caches.enumerated() {
      let lie = liar?.index == index ? liar?.lie : nil
      var share = 1.0
      var price = 1.0
      var cold = 0.0
      switch costs {
      case .equal: break
      case .vouched: share = lie == .topCost ? 8 : relative[index]
      case .declared: price = lie == .topCost ? 1_000 : cache.density / middle
      }
      if costs != .equal { cold = cache.size - cache.touched(within: BrokerSplit.coldAfter) }
      let facts = ClientFacts(
        name: "cache-\(index + 1)",
        process: ProcessID(Int32(1_000 + index)),
        user: 1_000,
        cgroup: nil,
        grantedShare: UInt32(max(1, 100 * share))
      )
      let size = UInt64(cache.size)
      let usage = CacheUsage(
        bytes: ByteCount(size),
        reclaimable: ByteCount(lie == .hidesHalf ? size / 2 : size),
        cold: ByteCount(UInt64(max(0, cold)))
      )
      let declaration = CacheDeclaration(
        name: "cache",
        costMicrosecondsPerMiB: UInt32(min(1e9, max(1, 10_000 * price))),
        usage: usage
      )
      let client = ClientID(UInt64(index + 1))
      events += [.joined(client, facts), .registered(client, CacheID(1), declaration)]
    }
    for event in events {
      // Readings of the host are asked for and not needed: a plan is made of what clients say.
      let effects = broker.handle(event, at: MonotonicInstant(nanoseconds: 0))
      precondition(!effects.contains { if case .ask = $0 { true } else { false } }, "no round")
    }
  }

  /// What each cache gives of `target`.
  func parts(of target: Double) -> [Double] {
    let request = RoundRequest(
      bytes: ByteCount(UInt64(target)),
      level: .critical,
      scope: .manual,
      dryRun: true
    )
    let plan = broker.plan(request)
    var parts = [Double](repeating: 0, count: broker.totals.clients)
    for client in plan.clients {
      parts[Int(client.client.ordinal) - 1] = Double(client.part.value)
    }
    return parts
  }
}

/// What a client can say of itself that is not so.
package enum Lie: String, Sendable, CaseIterable {
  /// Its bytes are worth more than those of anybody else.
  case topCost = "top cost"
  /// Half of what it could free it could not.
  case hidesHalf = "hides half"
}
