// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// The state of everything, and the one entry by which it changes.
///
/// Reads no clock, no file and no random source. The shell makes an `Event` of whatever happens,
/// calls `handle`, and performs the effects in order. What an event does stands in the extension
/// of its concern: `Registry/`, `Pressure/`, `Round/`; what people are shown in `Status/`.
package struct Broker: Sendable {
  /// Rounds of different scopes that may be open together.
  static let openRoundsMaximum = 8

  /// Targets of the orders among the last effects.
  package internal(set) var targets: [ShrinkTarget] = []
  /// Limits of the limit and relax effects among the last effects.
  package internal(set) var limits: [CacheLimit] = []
  /// When the shell must send `Event.ticked` at the latest; nil while nothing is due.
  package private(set) var nextWake: MonotonicInstant?

  /// The effects of the last event; kept so that its storage is used again.
  var effects: [Effect] = []
  /// The instant of the last event.
  private(set) var now = MonotonicInstant(nanoseconds: 0)

  var configuration = Configuration()
  var hostFacts: HostFacts?
  var registry = ClientRegistry()
  var domainTable = DomainTable()
  var planner = QuotaPlanner()
  var rounds = [OpenRound](repeating: OpenRound(), count: Broker.openRoundsMaximum)
  var archive = RoundArchive()
  var attemptArchive = AttemptArchive()
  var sums = Totals()
  /// Where what a round brought is divided by the fair parts.
  var settlement = LedgerSettlement()
  /// Where growth is split: over clients, over the caches of one, and whose claims they are.
  var growthSplit = LevelDown()
  var growthClaims: [Claim] = [], cacheGrowth: [Claim] = []
  var growthAccounts: [Int] = []
  var pause = Pause.off
  /// The last round begun; its number is the highest ever given.
  package internal(set) var lastRound: RoundID?
  /// When limits of manual rounds are to be lifted, and the next override ends.
  var manualRelaxAt: MonotonicInstant?, overrideEndsAt: MonotonicInstant?
  /// The earliest poll of any domain, looked for again only after something moved it.
  var nextPoll: MonotonicInstant?
  var isPollStale = true

  /// Makes a broker that waits for `Event.configured`.
  package init() {}

  /// Takes one event to its end and returns what is to be done about it.
  ///
  /// - Parameters:
  ///   - event: What happened.
  ///   - now: When. Must not go backwards between calls.
  /// - Returns: The effects, in the order in which they must be performed.
  package mutating func handle(_ event: Event, at now: MonotonicInstant) -> [Effect] {
    precondition(now >= self.now, "time does not go backwards")
    self.now = now
    effects.clear()
    targets.clear()
    limits.clear()
    dispatch(event)
    nextWake = earliestTimer()
    return effects
  }

  private mutating func dispatch(_ event: Event) {
    switch event {
    case .configured(let configuration): configure(configuration)
    case .hostKnown(let facts): know(facts)
    case .sampled(let domain, let reading): sample(domain, reading, alarm: nil)
    case .alarmed(let domain, let level, let source, let reading):
      sample(domain, reading, alarm: (level, source))
    case .domainLost(let domain): lose(domain)
    case .domainFound(let domain): find(domain)
    case .protected(let path, let protection): registry.protect(path, protection)
    case .measured(let process, let reading): measure(process, reading)
    case .joined(let client, let facts): join(client, facts)
    case .remembered(let client, let memory): remember(client, memory)
    case .registered(let client, let cache, let declaration):
      register(client, cache, declaration)
    case .updated(let client, let cache, let declaration): update(client, cache, declaration)
    case .unregistered(let client, let cache): unregister(client, cache)
    case .reported(let client, let cache, let usage): report(client, cache, usage)
    case .relocated(let client, let facts): relocate(client, facts)
    case .detached(let client): detach(client)
    case .reattached(let client, let facts): reattach(client, facts)
    case .left(let client): leave(client)
    case .freed(let client, let round, let attempt, let report):
      take(report, from: client, in: round, attempt)
    case .answered(let client, let round, let attempt):
      resolve(.answered, by: client, in: round, attempt)
    case .refused(let client, let round, let attempt, let retryAfter):
      resolve(.refused(retryAfter), by: client, in: round, attempt)
    case .undelivered(let client, let round, let attempt):
      resolve(.undelivered, by: client, in: round, attempt)
    case .requested(let token, let request): start(request, for: token)
    case .paused(let until): setPause(.on(until: until))
    case .resumed: setPause(.off)
    case .overridden(let client, let cache, let override): apply(override, to: client, cache)
    case .ticked: tick()
    }
  }

  /// The earliest of everything that waits for time to pass.
  private mutating func earliestTimer() -> MonotonicInstant? {
    if isPollStale {
      nextPoll = domainTable.nextPoll
      isPollStale = false
    }
    var earliest = sooner(nextPoll, sooner(manualRelaxAt, overrideEndsAt))
    if case .on(let until) = pause { earliest = sooner(earliest, until) }
    for round in rounds { earliest = sooner(earliest, round.phase.end) }
    return earliest
  }

  private mutating func tick() {
    if case .on(let until?) = pause, until <= now { setPause(.off) }
    endOverrides()
    pollDomains()
    for slot in rounds.indices { advance(slot) }
    relaxManualLimits()
  }
}

/// Whether automatic rounds are allowed.
enum Pause: Sendable, Equatable {
  /// They are.
  case off
  /// They are not, until the instant or until somebody says so.
  case on(until: MonotonicInstant?)
}
