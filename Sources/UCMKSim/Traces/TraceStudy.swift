// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel

/// Who gives what when the caches of a trace shrink in its middle.
package enum TracePolicy: String, Sendable, CaseIterable {
  /// The daemon's own rule.
  case levelDown = "level-down"
  /// The same fraction of everybody.
  case proportional = "proportional"
  /// What was not used for longest, whosever it is: as the kernel would.
  case recency = "lru"
}

/// A trace over several caches that give memory back in its middle.
///
/// A sample of an hour or less says how the pieces work together, and nothing of which rule is
/// better: its own authors say that it is too small for that.
package struct TraceStudy: Sendable {
  /// How many caches share the objects of the trace, and how much each may hold at first.
  package var caches: Int, bytes: UInt64
  /// What part of all that is held is asked for, in percent.
  package var percent: UInt64

  /// What became of a trace by one policy.
  package struct Outcome: Sendable, Equatable {
    /// Who gave what.
    package let policy: TracePolicy
    /// Hits per request in the second quarter and in the second half, in parts of 10,000.
    package let before: UInt64, after: UInt64
    /// What all caches together held before they were asked, and what they gave.
    package let held: UInt64, given: UInt64
  }

  /// Makes a study of at least one cache.
  package init(caches: Int, bytes: UInt64, percent: UInt64) {
    precondition(caches > 0 && percent <= 100, "there is something to take, and not more")
    self.caches = caches
    self.bytes = bytes
    self.percent = percent
  }

  /// Runs the trace once for each policy.
  package func run(_ requests: [TraceRequest]) -> [Outcome] {
    TracePolicy.allCases.map { run(requests, by: $0) }
  }

  /// A table for people.
  package static func lines(_ outcomes: [Outcome]) -> [String] {
    let head = "policy        hits before  hits after      held     given"
    return [head]
      + outcomes.map { outcome in
        pad(outcome.policy.rawValue, 12, left: true)
          + pad("\(fixed(Double(outcome.before) / 100, 2)) %", 13)
          + pad("\(fixed(Double(outcome.after) / 100, 2)) %", 12)
          + pad("\(outcome.held >> 10)K", 10) + pad("\(outcome.given >> 10)K", 10)
      }
  }

  private static func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return left ? text + space : space + text
  }

  private func run(_ requests: [TraceRequest], by policy: TracePolicy) -> Outcome {
    var tenants = [RecencyCache](repeating: RecencyCache(capacity: bytes), count: caches)
    var hits = [UInt64](repeating: 0, count: 4)
    var (held, given): (UInt64, UInt64) = (0, 0)
    for (moment, request) in requests.enumerated() {
      if moment == requests.count / 2 {
        held = tenants.reduce(0) { $0 + $1.bytes }
        shrink(&tenants, by: held * percent / 100, policy)
        given = held - tenants.reduce(0) { $0 + $1.bytes }
      }
      // The high bits of a product by the golden ratio, so that neighbours part.
      let tenant = Int((request.object &* 0x9E37_79B9_7F4A_7C15) >> 32) % caches
      if tenants[tenant].use(request, at: moment) { hits[4 * moment / requests.count] += 1 }
    }
    let count = UInt64(max(1, requests.count))
    return Outcome(
      policy: policy,
      before: hits[1] * 40_000 / count,
      after: (hits[2] + hits[3]) * 20_000 / count,
      held: held,
      given: given
    )
  }

  /// Takes `target` bytes, and lets no cache grow above what is left to it.
  private func shrink(_ tenants: inout [RecencyCache], by target: UInt64, _ policy: TracePolicy) {
    switch policy {
    case .levelDown: shrink(&tenants, by: target, rule: .levelDown)
    case .proportional: shrink(&tenants, by: target, rule: .proportional)
    case .recency:
      var left = target
      while left > 0 {
        let oldest = tenants.indices.min { one, other in
          (tenants[one].oldestUse ?? .max) < (tenants[other].oldestUse ?? .max)
        }
        guard let oldest, tenants[oldest].oldestUse != nil else { break }
        left -= min(left, tenants[oldest].dropOldest())
      }
      for index in tenants.indices { tenants[index].capacity = tenants[index].bytes }
    }
  }

  private func shrink(_ tenants: inout [RecencyCache], by target: UInt64, rule: QuotaRule) {
    var broker = Broker()
    var configuration = Configuration()
    configuration.quota = rule
    var events: [Event] = [.configured(configuration)]
    for (index, tenant) in tenants.enumerated() {
      let client = ClientID(UInt64(index) + 1)
      let facts = ClientFacts(
        name: "cache-\(index + 1)",
        process: ProcessID(Int32(index) + 1),
        user: 1_000,
        cgroup: nil
      )
      let size = ByteCount(tenant.bytes)
      let usage = CacheUsage(bytes: size, reclaimable: size)
      events.append(.joined(client, facts))
      events.append(.registered(client, CacheID(1), CacheDeclaration(name: "cache", usage: usage)))
    }
    for event in events {
      let effects = broker.handle(event, at: MonotonicInstant(nanoseconds: 0))
      precondition(!effects.contains { if case .ask = $0 { true } else { false } }, "no round")
    }
    let plan = broker.plan(
      RoundRequest(bytes: ByteCount(target), level: .medium, scope: .manual, dryRun: false)
    )
    for client in plan.clients {
      let index = Int(client.client.ordinal) - 1
      tenants[index].capacity = tenants[index].bytes - client.part.value
    }
    for index in tenants.indices {
      tenants[index].capacity = min(tenants[index].capacity, tenants[index].bytes)
      tenants[index].trim()
    }
  }
}
