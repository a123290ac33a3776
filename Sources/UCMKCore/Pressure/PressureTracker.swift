// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Turns raw readings of one domain into a level that does not flap.
///
/// A rise counts at once: a late answer may cost a process its life. A fall goes one step at a
/// time, each after the domain has read lower for a whole `dwell` without a break, since PSI lags
/// the kernel by about two seconds and the first calm reading after a round proves little.
///
///     reading  N N C N N N C N N N N N N
///     level    N N C C C C C C C C C M M      (dwell = 4 ticks)
struct PressureTracker: Sendable, Equatable {
  /// The level in force.
  private(set) var level = PressureLevel.none

  private let dwell: TimeSpan
  /// Since when every reading was lower than the level; nil outside such a run.
  private var calmSince: MonotonicInstant?

  /// Makes a tracker at level none.
  init(dwell: TimeSpan = Defaults.dwell) { self.dwell = dwell }

  /// Takes one reading.
  ///
  /// - Parameters:
  ///   - reading: What the latest sample amounts to, before any smoothing.
  ///   - now: When it was taken. Must not go backwards between calls.
  /// - Returns: The level before and the level now; nil where it stands.
  mutating func observe(
    _ reading: PressureLevel,
    at now: MonotonicInstant
  ) -> (from: PressureLevel, to: PressureLevel)? {
    guard reading < level else {
      calmSince = nil
      return reading == level ? nil : move(to: reading)
    }
    guard let calmSince else {
      self.calmSince = now
      return nil
    }
    guard now.since(calmSince) >= dwell else { return nil }
    let change = move(to: level.oneStepDown)
    // The next step down has to earn a dwell of its own.
    self.calmSince = reading < level ? now : nil
    return change
  }

  private mutating func move(
    to next: PressureLevel
  ) -> (from: PressureLevel, to: PressureLevel) {
    let previous = level
    level = next
    return (previous, next)
  }
}
