// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How a round goes on when its answers are in or its time is over, and how it ends.
extension Broker {
  /// How long readings of processes are waited for: the shell reads at once, so that this is only
  /// for a reading that got lost.
  static let measuringTime = TimeSpan.milliseconds(100)

  /// Lets time pass in a round.
  mutating func advance(_ slot: Int) {
    guard let end = rounds[slot].phase.end, end <= now else { return }
    switch rounds[slot].phase {
    case .closed: return
    case .asking: endAttempt(slot)
    case .settling: measureAfter(slot)
    case .measuring: close(slot)
    }
  }

  /// Takes a reading of a process for every round that waits for one.
  mutating func measure(_ process: ProcessID, _ reading: ProcessReading?) {
    registry.note(reading, of: process)
    for slot in rounds.indices where rounds[slot].isOpen {
      guard let index = rounds[slot].processIndex(of: process) else { continue }
      if case .measuring = rounds[slot].phase {
        guard rounds[slot].processes[index].after == nil else { continue }
        rounds[slot].processes[index].after = .some(reading)
        guard rounds[slot].processes[index].claimed > 0 else { continue }
        rounds[slot].unmeasured -= 1
        if rounds[slot].unmeasured == 0 { close(slot) }
      } else if rounds[slot].processes[index].before == nil {
        let fallen = uncounted(of: process, at: reading)
        rounds[slot].processes[index].begin(reading, at: now, fallenBefore: fallen)
      }
    }
  }

  /// Ends an attempt: whoever was silent is out, others are asked for what is missing.
  ///
  /// What a silent one was asked for is not expected any more: while it counted as under way beside
  /// what others are asked for in its place, a domain around this one would ask for too little.
  mutating func endAttempt(_ slot: Int) {
    let attempt = rounds[slot].attempt
    for member in rounds[slot].members.indices
    where rounds[slot].members[member].unanswered.contains(attempt) {
      let client = rounds[slot].members[member].client
      rounds[slot].members[member].isOut = true
      for row in rounds[slot].members[member].caches { land(row, of: client, in: slot) }
      noteTimeout(of: client, in: slot)
    }
    rounds[slot].waiting = 0
    if !askForTheRest(slot) { settle(slot) }
  }

  /// Asks for what is missing, of those that have room; returns whether anybody is asked.
  ///
  /// An automatic round ends with an attempt one level up, where floors and levels give more.
  private mutating func askForTheRest(_ slot: Int) -> Bool {
    // No copy of the round is held here: changing it would then copy its lists.
    let order = rounds[slot].order
    guard !order.isDryRun, rounds[slot].attempt < Defaults.attemptsMaximum,
      rounds[slot].missing >= leastMissing(of: order)
    else { return false }
    while climb(slot) {
      if planRest(of: slot) > .zero {
        noteAttempt(slot, on: restTerms(of: slot))
        ask(slot)
        return true
      }
      guard order.isAutomatic else { return false }
    }
    return false
  }

  /// Takes a round one step up the ladder; returns whether clients are asked there.
  ///
  /// What an administrator wants stays at the level that was said.
  private mutating func climb(_ slot: Int) -> Bool {
    let isAutomatic = rounds[slot].order.isAutomatic
    let step = rounds[slot].step
    rounds[slot].step = isAutomatic || step == .ask ? step.next : step
    switch rounds[slot].step {
    case .ask, .askOthers: return true
    case .askHigher:
      rounds[slot].level = rounds[slot].level.oneStepUp
      return true
    case .exhausted: return false
    case .signal, .broadcast, .reclaim, .purge:
      preconditionFailure("a step that is not available is skipped")
    }
  }

  /// The smallest rest that others are asked for.
  private func leastMissing(of order: RoundOrder) -> ByteCount {
    let page = ByteCount(pageSize)
    guard let domain = order.limitDomain, let reading = domainTable[domain]?.reading else {
      return page
    }
    return max(page, DeficitTarget.deadBand(of: reading.capacity))
  }

  /// On what terms what is missing is divided.
  private func restTerms(of slot: Int) -> QuotaTerms {
    QuotaTerms(
      target: rounds[slot].missing,
      level: rounds[slot].level,
      members: rounds[slot].order.membership,
      now: now,
      rule: rounds[slot].rule,
      isBounded: rounds[slot].order.isAutomatic,
      isSettled: false
    )
  }

  /// Splits what is missing over the members that are still in, and returns what they give.
  private mutating func planRest(of slot: Int) -> ByteCount {
    let terms = restTerms(of: slot)
    let round = rounds[slot]
    let accounts = registry.accounts
    return planner.plan(terms, over: registry) { account, cache in
      guard accounts[account].facts.takesRequests,
        let member = round.memberIndex(of: accounts[account].id),
        !round.members[member].isOut,
        let row = round.cacheIndex(of: accounts[account].caches[cache].id, in: member)
      else { return false }
      return !round.caches[row].isExhausted
    }.part
  }

  /// Waits for the kernel's counters, where there is anything to measure.
  private mutating func settle(_ slot: Int) {
    guard let last = rounds[slot].lastAnswered, rounds[slot].claimed > .zero,
      !rounds[slot].order.isDryRun
    else { return close(slot) }
    let end = last + Defaults.settle
    rounds[slot].phase = .settling(until: end)
    if end <= now { measureAfter(slot) }
  }

  /// Has the processes read again whose sessions claim anything.
  private mutating func measureAfter(_ slot: Int) {
    rounds[slot].phase = .measuring(until: now + Broker.measuringTime)
    rounds[slot].sumClaims()
    rounds[slot].unmeasured = 0
    for process in rounds[slot].processes where process.claimed > 0 {
      rounds[slot].unmeasured += 1
      effects.append(.measure(process.process))
    }
  }

  // MARK: - The end

  /// Ends a round: settles its sums, remembers it, lets its domain go on.
  mutating func close(_ slot: Int) {
    rounds[slot].sumClaims()
    shareFalls(of: slot)
    let measured = rounds[slot].settleMeasured()
    let id = rounds[slot].id
    for member in rounds[slot].members.indices {
      let client = rounds[slot].members[member].client
      for row in rounds[slot].members[member].caches { land(row, of: client, in: slot) }
      guard !rounds[slot].members[member].unanswered.isEmpty else { continue }
      for attempt in 1...rounds[slot].attempt
      where rounds[slot].members[member].unanswered.contains(attempt) {
        effects.append(.cancel(client, id, attempt: attempt))
      }
    }
    let order = rounds[slot].order
    if !order.isDryRun {
      sums.asked += rounds[slot].asked
      sums.claimed += rounds[slot].claimed
      sums.measured += measured
      settleBehaviour(slot)
    }
    archive.keep(rounds[slot], measured: measured, at: now)
    let credited = rounds[slot].credited
    rounds[slot].phase = .closed
    effects.append(.roundClosed(id))
    if order.isAutomatic {
      release(order, credited: credited, measured: measured)
    } else if !order.isDryRun, rounds[slot].asked > .zero {
      manualRelaxAt = sooner(manualRelaxAt, now + Defaults.hold)
    }
  }

  /// What a process gave so far that may still count in a round.
  private func uncounted(of process: ProcessID, at reading: ProcessReading?) -> ByteCount {
    var most = ByteCount.zero
    for round in rounds where round.isOpen && !round.order.isDryRun {
      guard let index = round.processIndex(of: process) else { continue }
      most = max(most, round.processes[index].uncounted(at: reading))
    }
    return most
  }

  /// Sees to it that what a process gave counts once, where other rounds ask of it too.
  ///
  /// The round that ends first counts what it claims; the others, what is left.
  private mutating func shareFalls(of slot: Int) {
    guard !rounds[slot].order.isDryRun else { return }
    for other in rounds.indices
    where other != slot && rounds[other].isOpen && !rounds[other].order.isDryRun {
      for index in rounds[slot].processes.indices {
        let process = rounds[slot].processes[index].process
        guard let place = rounds[other].processIndex(of: process) else { continue }
        rounds[slot].processes[index].isShared = true
        rounds[other].processes[place].leave(to: rounds[slot].processes[index])
      }
    }
  }

  /// Lets the domain of an automatic round hold what it set.
  private mutating func release(
    _ order: RoundOrder,
    credited: ByteCount,
    measured: ByteCount
  ) {
    guard let domain = order.limitDomain else { return }
    guard let index = domainTable.index(of: domain) else {
      // The domain was lost meanwhile: what this round limited after that, nobody else would lift.
      return relaxLimits(of: domain)
    }
    setState(index, to: .hold)
    domainTable.controls[index].endRound(measured: measured)
    if credited < leastMissing(of: order) {
      domainTable.controls[index].restsUntil = now + Defaults.pollNear
      domainTable.controls[index].exhaustion.noteNothingLeft(at: now)
    } else {
      domainTable.controls[index].restsUntil = nil
      domainTable.controls[index].exhaustion.noteGiven()
    }
  }
}

extension OpenRound {
  /// Adds up what the sessions of each process claim.
  mutating func sumClaims() {
    for index in processes.indices { processes[index].claimed = 0 }
    for member in members where member.claimed > .zero {
      guard let process = processIndex(of: member.process) else { continue }
      processes[process].claimed += UInt128(member.claimed.value)
    }
  }

  /// Gives each member what was measured of its process, once the claims are added up, and returns
  /// the sum.
  ///
  /// Without a second reading nothing was measured; so it is in a dry run.
  mutating func settleMeasured() -> ByteCount {
    var sum = ByteCount.zero
    for index in members.indices where members[index].claimed > .zero {
      guard let process = processIndex(of: members[index].process) else { continue }
      let share = processes[process].takeMeasured(of: members[index].claimed)
      // What one that is gone gave back is nobody's.
      guard !members[index].isGone else { continue }
      members[index].measured = share
      sum += members[index].measured
    }
    return sum
  }
}
