// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How long caches of a domain keep their limits after a round before they may grow.
///
/// Growing that led into the next shortage was too early: the wait doubles. Every quiet minute
/// halves it again. So a host whose demand comes and goes stops filling its caches in each pause,
/// and one that was short once does not pay for it for an hour.
struct BackOff: Sendable, Equatable {
  /// The wait: `Defaults.hold`…`Defaults.holdMaximum`.
  private(set) var span = Defaults.hold
  /// When caches were last allowed to grow, unless a shortage followed.
  private var grewAt: MonotonicInstant?
  /// From here on quiet time counts.
  private var quietSince: MonotonicInstant?

  /// Takes note that caches were allowed to grow.
  mutating func noteGrowth(at now: MonotonicInstant) { grewAt = now }

  /// Takes note that memory is short.
  mutating func noteShortage(at now: MonotonicInstant) {
    forget(at: now)
    quietSince = now
    guard let grewAt else { return }
    self.grewAt = nil
    guard now.since(grewAt) <= Defaults.growthBlame else { return }
    span = min(Defaults.holdMaximum, TimeSpan(nanoseconds: 2 * span.nanoseconds))
  }

  /// Halves the wait for every quiet minute.
  private mutating func forget(at now: MonotonicInstant) {
    guard let quietSince else { return }
    var quiet = now.since(quietSince).nanoseconds / Defaults.holdHalfLife.nanoseconds
    while quiet > 0, span > Defaults.hold {
      span = max(Defaults.hold, TimeSpan(nanoseconds: span.nanoseconds / 2))
      quiet -= 1
    }
  }
}
