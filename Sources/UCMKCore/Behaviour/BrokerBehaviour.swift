// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// What rounds teach of clients, and what is kept of it.
extension Broker {
  /// Takes what is known of a client from an earlier run; it is no newcomer.
  mutating func remember(_ client: ClientID, _ memory: RememberedBehaviour) {
    guard let index = registry.index(of: client) else { return }
    registry.accounts[index].behaviour = ClientBehaviour(
      trust: Trust(parts: memory.trust, fellShort: memory.fellShort),
      ledger: Ledger(memory.ledger, at: now),
      memoryKept: MemoryKept(isKept: memory.keepsMemory),
      voucher: CostVoucher(rounds: memory.measuredRounds)
    )
  }

  /// What is worth keeping of a client over a restart of the daemon; nil of one that is not known.
  package func behaviour(of client: ClientID) -> RememberedBehaviour? {
    guard let index = registry.index(of: client) else { return nil }
    let behaviour = registry.accounts[index].behaviour
    return RememberedBehaviour(
      trust: behaviour.trust.parts,
      fellShort: behaviour.trust.fellShort,
      ledger: behaviour.ledger.balance(at: now),
      keepsMemory: behaviour.memoryKept.isKept,
      measuredRounds: behaviour.voucher.rounds
    )
  }

  /// Takes note that a client did not answer in time.
  ///
  /// Nobody is left out for being silent in a dry run.
  mutating func noteTimeout(of client: ClientID, in slot: Int) {
    sums.timeouts += 1
    guard !rounds[slot].order.isDryRun, let index = registry.index(of: client) else { return }
    if registry.accounts[index].behaviour.breaker.timedOut(at: now) {
      effects.append(.leftOut(client))
    }
  }

  /// Takes note that a client answered in time.
  mutating func noteAnswer(of client: ClientID, gave: Bool, in slot: Int) {
    guard !rounds[slot].order.isDryRun, let index = registry.index(of: client) else { return }
    registry.accounts[index].behaviour.breaker.answered(gave: gave)
  }

  /// Settles the accounts of everybody in a round that was measured.
  ///
  /// Of somebody who is gone, or whose process could not be read twice, nothing is known: it counts
  /// neither for nor against anybody.
  mutating func settleBehaviour(_ slot: Int) {
    settlement.begin()
    for place in rounds[slot].members.indices {
      let member = rounds[slot].members[place]
      guard member.fair > .zero || member.asked > .zero, rounds[slot].isObserved(place),
        let index = registry.index(of: member.client)
      else { continue }
      settlement.add(
        LedgerSettlement.Entry(index: place, fair: member.fair, given: member.measured)
      )
      // A refusal says when to ask again, not how much comes of it; so does not to know the method.
      guard member.asked > .zero, !member.refused || member.claimed > .zero,
        registry.accounts[index].facts.takesRequests
      else { continue }
      registry.accounts[index].behaviour.trust.observe(
        measured: member.measured,
        of: member.asked
      )
      registry.accounts[index].behaviour.voucher.observe(
        asked: member.asked,
        claimed: member.claimed,
        hasAnswered: !member.answeredIn.isEmpty
      )
      let isTold = registry.accounts[index].behaviour.memoryKept.observe(
        claimed: member.claimed,
        measured: member.measured
      )
      if isTold { effects.append(.keepsMemory(member.client)) }
    }
    settlement.divide()
    for entry in settlement.entries {
      let client = rounds[slot].members[entry.index].client
      guard let index = registry.index(of: client) else { continue }
      registry.accounts[index].behaviour.ledger.settle(
        entry.surplus,
        cap: rounds[slot].reclaimable(of: entry.index),
        at: now
      )
    }
  }
}

extension OpenRound {
  /// Whether it is known what a member gave: it is there, and claims nothing or was read before and
  /// after.
  fileprivate func isObserved(_ member: Int) -> Bool {
    guard !members[member].isGone else { return false }
    guard members[member].claimed > .zero else { return true }
    guard let process = processIndex(of: members[member].process) else { return false }
    return processes[process].isMeasured
  }

  /// What the caches of a member held that could go, when the round was opened.
  fileprivate func reclaimable(of member: Int) -> ByteCount {
    var sum = ByteCount.zero
    for row in members[member].caches { sum += caches[row].inputs.reclaimable }
    return sum
  }
}
