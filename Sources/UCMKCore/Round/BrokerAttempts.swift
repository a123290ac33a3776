// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// What is written down of each attempt, so that people can compute it again.
extension Broker {
  /// The attempts of a round, first to last, as far as they are remembered.
  package func attempts(of round: RoundID) -> [AttemptView] { attemptArchive.attempts(of: round) }

  /// Writes down the plan just made as the next attempt of a round, before anything is asked for.
  mutating func noteAttempt(_ slot: Int, on terms: QuotaTerms) {
    // Without the round's lists in the closure: a copy of those would outlive this call.
    let accounts = registry.accounts
    let round = rounds[slot]
    attemptArchive.keep(
      planner,
      as: (round.id, round.attempt + 1, pageSize),
      on: terms,
      of: registry
    ) { account in
      guard accounts[account].isAttached, !accounts[account].caches.isEmpty,
        terms.members.contains(accounts[account].facts)
      else { return nil }
      return round.exclusion(of: accounts[account], from: terms)
    }
  }
}

extension OpenRound {
  /// Why somebody of the scope is not asked in the next attempt.
  fileprivate func exclusion(
    of account: borrowing ClientAccount,
    from terms: QuotaTerms
  ) -> Exclusion {
    let reason = account.exclusion(from: terms)
    switch reason {
    case .takesNoRequests?, .refuses?, .breaker?: return reason ?? .nothingLeft
    case .out?, .level?, .nothingLeft?, .exhausted?, .newcomer?, nil: break
    }
    if attempt > 0 {
      guard let member = memberIndex(of: account.id) else { return reason ?? .newcomer }
      if members[member].isOut { return .out }
    }
    if let reason { return reason }
    let isSpared = terms.sparesNewcomers && account.behaviour.isNew(at: terms.now)
    return attempt == 0 || isSpared ? .newcomer : .exhausted
  }
}

extension ExcludedClient {
  /// Makes a row about an account.
  init(_ account: borrowing ClientAccount, _ reason: Exclusion) {
    client = account.id
    name = account.facts.name
    process = account.facts.process
    self.reason = reason
  }
}
