// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How a request ended for the client that was asked.
enum Resolution: Sendable, Equatable {
  /// The answer is complete.
  case answered
  /// It wants to be left alone for so long.
  case refused(TimeSpan)
  /// It could not be told, or answered with an error.
  case undelivered
}

/// What clients answer, and what follows from it.
extension Broker {
  /// Takes what a client says of one target.
  ///
  /// The usage counts in any case; the claim only while the round is open, once for each target.
  mutating func take(
    _ report: FreedReport,
    from client: ClientID,
    in round: RoundID,
    _ attempt: UInt8
  ) {
    changeCache(client, report.cache) { cache in
      cache.usage.bytes = report.bytes
      cache.usage.reclaimable = min(report.bytes, report.reclaimable)
      let reclaimable = cache.usage.reclaimable
      cache.usage.cold = cache.usage.cold.map { min($0, reclaimable) }
    }
    guard let slot = slot(of: round), let member = rounds[slot].memberIndex(of: client),
      !rounds[slot].members[member].isGone,
      let row = rounds[slot].cacheIndex(of: report.cache, in: member)
    else { return }
    let cache = rounds[slot].caches[row]
    guard cache.askedIn.contains(attempt), !cache.reportedIn.contains(attempt) else { return }
    rounds[slot].caches[row].reportedIn.insert(attempt)
    rounds[slot].caches[row].claimed += report.freed
    rounds[slot].caches[row].isExhausted = !report.more && report.freed < cache.lastTarget
    let credit = rounds[slot].caches[row].credited - cache.credited
    rounds[slot].members[member].claimed += report.freed
    rounds[slot].claimed += report.freed
    rounds[slot].credited += credit
    land(row, of: client, in: slot)
    if !rounds[slot].order.isDryRun { self.credit(credit, to: client) }
  }

  /// Takes note that a request needs no more waiting for.
  mutating func resolve(
    _ resolution: Resolution,
    by client: ClientID,
    in round: RoundID,
    _ attempt: UInt8
  ) {
    if case .refused(let span) = resolution, let last = lastRound, round <= last,
      let index = registry.index(of: client)
    {
      registry.accounts[index].refusedUntil = now + span
    }
    guard let slot = slot(of: round), let member = rounds[slot].memberIndex(of: client),
      rounds[slot].members[member].unanswered.contains(attempt)
    else { return }
    rounds[slot].members[member].unanswered.remove(attempt)
    switch resolution {
    case .answered:
      rounds[slot].members[member].answeredIn.insert(attempt)
      rounds[slot].members[member].lastAnswered = now
      rounds[slot].lastAnswered = now
      if isLate(member, attempt, in: slot) {
        rounds[slot].members[member].isLate = true
        rounds[slot].members[member].isOut = true
      } else {
        noteAnswer(of: client, gave: rounds[slot].members[member].claimed > .zero, in: slot)
      }
    case .refused:
      rounds[slot].members[member].refused = true
      rounds[slot].members[member].isOut = true
      rounds[slot].members[member].lastAnswered = now
      noteAnswer(of: client, gave: false, in: slot)
    case .undelivered:
      if !rounds[slot].members[member].isOut { noteTimeout(of: client, in: slot) }
      rounds[slot].members[member].isOut = true
    }
    for row in rounds[slot].members[member].caches { land(row, of: client, in: slot) }
    settleAnswer(to: attempt, in: slot)
  }

  /// Takes a client that disconnected out of all rounds.
  mutating func withdraw(_ client: ClientID) {
    for slot in rounds.indices where rounds[slot].isOpen {
      guard let member = rounds[slot].memberIndex(of: client),
        !rounds[slot].members[member].isGone,
        !rounds[slot].members[member].askedIn.isEmpty
      else {
        if let member = rounds[slot].memberIndex(of: client) {
          rounds[slot].members[member].isOut = true
        }
        continue
      }
      let attempt = rounds[slot].attempt
      let wasWaitedFor = rounds[slot].members[member].unanswered.contains(attempt)
      let wasOut = rounds[slot].members[member].isOut
      rounds[slot].members[member].isGone = true
      rounds[slot].members[member].isOut = true
      rounds[slot].members[member].unanswered.removeAll()
      for row in rounds[slot].members[member].caches { land(row, of: client, in: slot) }
      if wasWaitedFor, !wasOut { settleAnswer(to: attempt, in: slot) }
    }
  }

  /// Whether the answer comes after the deadline of its attempt.
  private func isLate(_ member: Int, _ attempt: UInt8, in slot: Int) -> Bool {
    if rounds[slot].members[member].isOut || attempt < rounds[slot].attempt { return true }
    guard case .asking(let deadline) = rounds[slot].phase else { return true }
    return now > deadline
  }

  /// One member less to wait for; ends the attempt with the last one.
  private mutating func settleAnswer(to attempt: UInt8, in slot: Int) {
    guard case .asking = rounds[slot].phase, attempt == rounds[slot].attempt else { return }
    precondition(rounds[slot].waiting > 0, "an answer was waited for")
    rounds[slot].waiting -= 1
    if rounds[slot].waiting == 0 { endAttempt(slot) }
  }

  /// Ends the flight of what was asked of a cache.
  mutating func land(_ row: Int, of client: ClientID, in slot: Int) {
    let pending = rounds[slot].caches[row].pending
    guard pending > .zero else { return }
    rounds[slot].caches[row].pending = .zero
    guard let index = registry.index(of: client),
      let place = registry.accounts[index].index(of: rounds[slot].caches[row].id)
    else { return }
    registry.accounts[index].change(place) { $0.inFlight -= pending }
  }

  /// Tells the domains of a client that it gave this much.
  private mutating func credit(_ bytes: ByteCount, to client: ClientID) {
    guard let index = registry.index(of: client) else { return }
    if let host = domainTable.index(of: .host) { domainTable.controls[host].credit(bytes) }
    for domain in registry.accounts[index].facts.domains where domain != .host {
      if let place = domainTable.index(of: domain) { domainTable.controls[place].credit(bytes) }
    }
  }
}
