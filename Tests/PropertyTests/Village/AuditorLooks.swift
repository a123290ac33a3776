// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// What the auditor compares with its own books.
extension Auditor {
  /// Every account is within its range, what is in flight is what was asked and is neither answered
  /// nor overdue, and a client that is there and the broker think the same of its limits.
  mutating func lookAtAccounts(of broker: Broker, at now: MonotonicInstant) {
    var whole: UInt64 = 0
    let accounts = broker.registry.accounts
    if accounts.count != present.count { complain("accounts are miscounted") }
    for account in accounts {
      let behaviour = account.behaviour
      if !(500...10_000).contains(behaviour.trust.parts.parts) {
        complain("trust of \(account.id.name)")
      }
      if behaviour.ledger.balance(at: now).magnitude > UInt64(Ledger.maximum) {
        complain("ledger of \(account.id.name)")
      }
      if present[account.id] != account.isAttached {
        complain("\(account.id.name) is taken for there or gone, which it is not")
      }
      let isHeard = account.isAttached && !isDeaf(account.id)
      for cache in account.caches {
        whole += cache.inFlight.value
        look(at: cache, of: account.id, isHeard: isHeard)
      }
    }
    guard whole > 0 else { return }
    if !broker.rounds.contains(where: { $0.isOpen }) { complain("nobody waits for \(whole)") }
    lookAtDomains(of: broker, whole)
  }

  private mutating func look(at cache: CacheAccount, of client: ClientID, isHeard: Bool) {
    if cache.bytes > .wireMaximum || cache.reclaimable > cache.bytes {
      complain("size of cache \(cache.id.number) of \(client.name)")
    }
    let inFlight = cache.inFlight.value
    var asked: UInt64 = 0
    for request in requests where request.client == client && !request.isDryRun {
      for entry in request.bytes where entry.cache == cache.id { asked += entry.bytes }
    }
    if inFlight > asked || inFlight == 0 && asked > 0 {
      complain("\(client.name) cache \(cache.id.number): in flight \(inFlight), asked \(asked)")
    }
    let told = told(client, cache.id)
    if isHeard, told != cache.limit?.bytes {
      complain(
        "\(client.name) cache \(cache.id.number) was told \(text(told)),"
          + " not \(text(cache.limit?.bytes))"
      )
    }
  }

  /// What is in flight counts once for each domain, whatever lies in what.
  private mutating func lookAtDomains(of broker: Broker, _ whole: UInt64) {
    for control in broker.domainTable.controls {
      let members = Membership(scope: .domain(control.domain), byPath: false)
      let counted = broker.inFlight(in: members).value
      var sum: UInt64 = 0
      for account in broker.registry.accounts where members.contains(account.facts) {
        sum += account.inFlight.value
      }
      if counted != sum || counted > whole {
        complain("\(control.domain.name) expects \(counted), not \(sum) of \(whole)")
      }
    }
  }

  private func text(_ limit: ByteCount?) -> String { limit.map { "\($0.value)" } ?? "none" }

  /// At most one round of a scope and eight in all, each waited for.
  mutating func lookAtRounds(of broker: Broker, at now: MonotonicInstant) {
    var scopes: [Scope] = []
    for slot in broker.rounds.indices where broker.rounds[slot].isOpen {
      let scope = broker.rounds[slot].order.scope
      if scopes.contains(scope) { complain("two rounds of one scope") }
      scopes.append(scope)
      guard let end = broker.rounds[slot].phase.end, let wake = broker.nextWake else {
        complain("nobody wakes an open round")
        continue
      }
      if wake > end { complain("a round is woken after its end") }
    }
  }

  /// Sums only rise.
  mutating func lookAtTotals(of broker: Broker) {
    let (before, after) = (totals, broker.sums)
    if after.rounds < before.rounds || after.timeouts < before.timeouts
      || after.asked < before.asked || after.claimed < before.claimed
      || after.measured < before.measured || after.byHand < before.byHand
      || after.byTrigger < before.byTrigger || after.byWatermark < before.byWatermark
    {
      complain("a counter falls")
    }
    if after.rounds != after.byHand + after.byTrigger + after.byWatermark {
      complain("rounds are miscounted")
    }
    totals = after
  }
}

/// The settlement of a round, worked out again in other arithmetic.
enum SettlementAudit {
  /// What is wrong with it, or nil; to be called right after the round was closed.
  static func broken(
    of round: RoundID,
    in broker: Broker,
    at now: MonotonicInstant
  ) -> String? {
    guard let slot = broker.rounds.firstIndex(where: { $0.id == round }) else {
      return "its place was taken"
    }
    let members = broker.rounds[slot].members
    var expected: [Int] = []
    for place in members.indices {
      let member = members[place]
      guard member.fair > .zero || member.asked > .zero, !member.isGone else { continue }
      let process = broker.rounds[slot].processes.first { $0.process == member.process }
      if member.claimed > .zero, process?.isMeasured != true { continue }
      guard broker.registry.index(of: member.client) != nil else { continue }
      expected.append(place)
    }
    let entries = broker.settlement.entries
    guard entries.map(\.index) == expected else {
      return "settled \(entries.map(\.index)), not \(expected)"
    }
    let fair = entries.reduce(Int128(0)) { $0 + Int128($1.fair) }
    let given = entries.reduce(Int128(0)) { $0 + Int128($1.given) }
    let sum = entries.reduce(Int128(0)) { $0 + Int128($1.surplus) }
    if sum != 0 { return "surpluses add up to \(sum)" }
    for entry in entries {
      let name = members[entry.index].client.name
      if fair == 0, entry.surplus != 0 { return "\(name) of nothing \(entry.surplus)" }
      let exact = Int128(entry.given) * fair - Int128(entry.fair) * given
      let error = (Int128(entry.surplus) * fair - exact).magnitude
      if fair > 0, error >= UInt128(fair) { return "\(name) is a byte off" }
      guard let account = broker.registry.index(of: members[entry.index].client) else { continue }
      var cap: UInt64 = 0
      for row in members[entry.index].caches {
        cap += broker.rounds[slot].caches[row].inputs.reclaimable.value
      }
      let balance = broker.registry.accounts[account].behaviour.ledger.balance(at: now)
      if balance.magnitude > 2 * cap { return "\(name) stands at \(balance), cap \(cap)" }
    }
    return nil
  }
}
