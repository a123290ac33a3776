// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// The state of everything, and the one entry by which it changes.
///
/// Reads no clock, no file and no random source. The shell makes an `Event` of whatever happens,
/// calls `handle`, and performs the effects in order.
package struct Broker: Sendable {
  /// The effects of the last event; kept so that its storage is used again.
  private var effects: [Effect] = []
  /// Targets of the orders among the last effects.
  package private(set) var targets: [ShrinkTarget] = []
  /// Limits of the limit and relax effects among the last effects.
  package private(set) var limits: [CacheLimit] = []
  /// When the shell must send `Event.ticked` at the latest; nil while nothing is due.
  package private(set) var nextWake: MonotonicInstant?

  /// Makes a broker that waits for `Event.configured`.
  package init() {}

  /// Takes one event to its end and returns what is to be done about it.
  ///
  /// - Parameters:
  ///   - event: What happened.
  ///   - now: When. Must not go backwards between calls.
  /// - Returns: The effects, in the order in which they must be performed.
  package mutating func handle(_ event: Event, at now: MonotonicInstant) -> [Effect] {
    effects.removeAll(keepingCapacity: true)
    targets.removeAll(keepingCapacity: true)
    limits.removeAll(keepingCapacity: true)
    _ = event
    nextWake = nil
    return effects
  }

  // MARK: - Answers for people; none of these changes anything.

  /// The state shown for the whole daemon: the most active state of any domain.
  package var state: DomainState { .idle }
  /// Whether automatic rounds are paused.
  package var isPaused: Bool { false }
  /// The highest level in force of any domain.
  package var level: PressureLevel { .none }
  /// Sums.
  package var totals: Totals { Totals() }
  /// The domains, host first, then by path.
  package var domains: [DomainView] { [] }
  /// The last round begun.
  package var lastRound: RoundID? { nil }

  /// Clients with an id above `cursor`, by id, at most `count`; nil filters match everybody.
  package func clients(
    after cursor: ClientID?,
    count: Int,
    where matches: (ClientFacts) -> Bool
  ) -> [ClientView] { [] }

  /// One client.
  package func client(_ id: ClientID) -> ClientView? { nil }

  /// The last rounds of one client, oldest first, at most `Defaults.historyKept`.
  package func history(of id: ClientID) -> [HistoryEntry] { [] }

  /// The last rounds, newest first, without their clients.
  package func rounds(count: Int) -> [RoundView] { [] }

  /// One round with its clients, as far as it is remembered.
  package func round(_ id: RoundID) -> RoundView? { nil }

  /// Who would be asked for what at this moment.
  package func plan(_ request: RoundRequest) -> PlanView {
    PlanView(
      target: request.bytes ?? .zero,
      capacity: .zero,
      part: .zero,
      level: request.level,
      scope: request.scope,
      medianCost: 0,
      clients: []
    )
  }

  /// The limits in force of a client's caches, by id.
  package func limits(of id: ClientID) -> [CacheLimit] { [] }
}
