// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// From a reading to a level, a state and, where memory is short, a round.
extension Broker {
  /// Takes a reading of a domain, and the alarm because of which it was made.
  mutating func sample(
    _ domain: DomainID,
    _ reading: DomainReading,
    alarm: (level: PressureLevel, source: AlarmSource)?
  ) {
    guard let index = domainTable.index(of: domain) else { return }
    isPollStale = true
    let (isConfirmed, change) = domainTable.controls[index].take(reading, alarm: alarm, at: now)
    if let change {
      effects.append(.levelChanged(domain, from: change.from, to: change.to))
    }
    considerRound(index, isAlarmed: isConfirmed)
    settleState(index)
    lookAtLadder(index)
  }

  /// Asks for a reading of each domain whose poll is due.
  mutating func pollDomains() {
    guard let nextPoll, nextPoll <= now else { return }
    isPollStale = true
    for index in domainTable.controls.indices {
      guard let due = domainTable.controls[index].nextPoll, due <= now else { continue }
      domainTable.controls[index].readAt = now
      effects.append(.sample(domainTable.controls[index].domain))
    }
  }

  /// Moves a domain to a state, and says so.
  mutating func setState(_ index: Int, to next: DomainState) {
    let previous = domainTable.controls[index].state
    guard previous != next else { return }
    domainTable.controls[index].state = next
    domainTable.controls[index].heldSince = next == .hold ? now : nil
    if next != .grow { domainTable.controls[index].growth = nil }
    isPollStale = true
    effects.append(.stateChanged(domainTable.controls[index].domain, from: previous, to: next))
  }

  /// What is asked for and still to come, over all clients of a domain.
  func inFlight(in membership: Membership) -> ByteCount {
    guard rounds.contains(where: { $0.isOpen && !$0.order.isDryRun }) else { return .zero }
    var sum = ByteCount.zero
    for account in registry.accounts where membership.contains(account.facts) {
      sum += account.inFlight
    }
    return sum
  }

  /// What clients of a scope could give at critical.
  private func reclaimable(in scope: Scope) -> ByteCount {
    let members = Membership(scope: scope, byPath: false)
    var sum = ByteCount.zero
    for index in registry.accounts.indices
    where registry.accounts[index].isAttached && members.contains(registry.accounts[index].facts) {
      let trust = registry.accounts[index].behaviour.expected
      for place in registry.accounts[index].caches.indices {
        sum += trust.of(registry.accounts[index].caches[place].reclaimable)
      }
    }
    return sum
  }

  /// How much a domain lacks, from its last reading; nil while it was never read.
  func aim(_ index: Int) -> DeficitTarget? {
    let control = domainTable.controls[index]
    guard let reading = control.reading else { return nil }
    return DeficitTarget(
      capacity: reading.capacity,
      available: reading.available,
      marks: control.marks,
      growth: control.fill.growth(within: Defaults.lead),
      inFlight: inFlight(in: Membership(scope: .domain(control.domain), byPath: false)),
      yield: control.yield.fraction
    )
  }

  /// Starts a round where a domain is short and a round is worth it.
  private mutating func considerRound(_ index: Int, isAlarmed: Bool) {
    let control = domainTable.controls[index]
    guard !isPaused, control.state != .round, var aim = aim(index) else { return }
    guard isAlarmed || aim.isShort else { return }
    if let rest = control.restsUntil, rest > now { return }
    if isAlarmed, control.integral.fraction > .zero {
      aim.boost = control.integral.bytes(of: reclaimable(in: .domain(control.domain)))
    }
    let target = aim.bytes
    guard target > .zero else { return }
    let order = RoundOrder(
      scope: .domain(control.domain),
      level: max(.low, control.level),
      reason: isAlarmed ? .trigger : .watermark,
      target: target
    )
    guard let round = open(order, for: nil) else {
      if busyTime(of: order.scope) == nil {
        domainTable.controls[index].exhaustion.noteNothingLeft(at: now)
      }
      return
    }
    guard let index = domainTable.index(of: control.domain) else { return }
    domainTable.controls[index].lastRound = round
    domainTable.controls[index].beginRound(at: now)
    if runs(round) { setState(index, to: .round) }
  }

  /// Says whether the ladder of a domain is at its end.
  private mutating func lookAtLadder(_ index: Int) {
    let control = domainTable.controls[index]
    let change = domainTable.controls[index].exhaustion.observe(
      isCritical: control.level == .critical,
      goesOn: control.isStallCritical,
      isAsking: !isPaused,
      at: now
    )
    switch change {
    case .began?: effects.append(.exhausted(control.domain))
    case .ended?: effects.append(.relieved(control.domain))
    case nil: return
    }
  }

  /// Leaves the states that a reading can end.
  private mutating func settleState(_ index: Int) {
    let control = domainTable.controls[index]
    switch control.state {
    case .round:
      return
    case .idle, .watching:
      setState(index, to: control.restingState)
    case .grow:
      guard control.isAboveHigh else { return setState(index, to: .hold) }
      grow(index)
      if !hasLimits(of: control.domain) { setState(index, to: control.restingState) }
    case .hold:
      guard let since = control.heldSince, since + control.backOff.span <= now else { return }
      if control.mayGrow {
        beginGrowth(index)
      } else if !hasLimits(of: control.domain) {
        // Whoever was limited is gone: there is nothing left to hold.
        setState(index, to: control.restingState)
      }
    }
  }
}
