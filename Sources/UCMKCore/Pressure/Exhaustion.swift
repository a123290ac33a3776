// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Whether the ladder ended without a cure: its last step.
///
///     critical ──nothing left to ask, 5 s──► exhausted ──below critical──► over
///        └──────────15 s, whatever──────────────▲
///
/// systemd-oomd acts after 20 to 30 s; by then somebody has been told that caches cannot help.
struct Exhaustion: Sendable, Equatable {
  /// How it changed, where people are to be told.
  enum Change: Sendable, Equatable {
    /// Nothing that could be asked for is left, or it did not help in time.
    case began
    /// Pressure fell below critical again.
    case ended
  }

  /// Whether it stands.
  private(set) var isReached = false
  /// Since when the domain is critical, and since when nothing more comes of asking.
  private var criticalSince: MonotonicInstant?, fruitlessSince: MonotonicInstant?
  /// When people were told last, and whether they know of the one that stands.
  private var toldAt: MonotonicInstant?
  private var isTold = false

  /// Takes note that nobody can give anything, or that a round brought nothing worth having.
  mutating func noteNothingLeft(at now: MonotonicInstant) {
    fruitlessSince = fruitlessSince ?? now
  }

  /// Takes note that a round brought something.
  mutating func noteGiven() { fruitlessSince = nil }

  /// Takes a reading.
  ///
  /// - Parameters:
  ///   - isCritical: Whether the level in force is critical.
  ///   - goesOn: Whether tasks still stall that much: the level lags.
  ///   - isAsking: Whether automatic rounds are allowed: a pause is nobody's failure.
  ///   - now: The time of the reading.
  /// - Returns: What people are to be told.
  mutating func observe(
    isCritical: Bool,
    goesOn: Bool,
    isAsking: Bool,
    at now: MonotonicInstant
  ) -> Change? {
    guard isCritical, isAsking || isReached else {
      return end() ? .ended : nil
    }
    let since = criticalSince ?? now
    criticalSince = since
    if goesOn, isOver(since, at: now) { isReached = true }
    guard isReached, !isTold, mayTell(at: now) else { return nil }
    isTold = true
    toldAt = now
    return .began
  }

  /// Begins anew, whatever was; returns whether people are to be told that it is over.
  mutating func end() -> Bool {
    let (wasTold, toldAt) = (isTold, toldAt)
    self = Exhaustion()
    self.toldAt = toldAt
    return wasTold
  }

  private func isOver(_ criticalSince: MonotonicInstant, at now: MonotonicInstant) -> Bool {
    if now.since(criticalSince) >= Defaults.ladderMaximum { return true }
    guard let fruitlessSince else { return false }
    return now.since(max(criticalSince, fruitlessSince)) >= Defaults.exhaustedAfter
  }

  private func mayTell(at now: MonotonicInstant) -> Bool {
    guard let toldAt else { return true }
    return now.since(toldAt) >= Defaults.exhaustedSpacing
  }
}
