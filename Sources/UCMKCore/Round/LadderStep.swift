// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What can be done about a shortage, mildest first; there is no step that kills.
///
/// A round climbs them until enough came. Steps that this daemon does not have are skipped, so that
/// whoever adds one says so in `isAvailable` and in the place where a round climbs.
package enum LadderStep: UInt8, Sendable, CaseIterable {
  /// Ask for the target.
  case ask
  /// Ask those that have room for what others did not give.
  case askOthers
  /// Ask for it one level up, where floors give way.
  case askHigher
  /// Signal the processes that chose a signal for it.
  case signal
  /// Tell everybody who listens, member or not.
  case broadcast
  /// Have the kernel reclaim from the cgroup that owes most.
  case reclaim
  /// Have the kernel take ranges that a client marked as purgeable.
  case purge
  /// Say that nothing is left, and leave the rest to systemd-oomd and the kernel.
  case exhausted

  /// Whether this daemon can take it.
  package var isAvailable: Bool {
    switch self {
    case .ask, .askOthers, .askHigher, .exhausted: true
    case .signal, .broadcast, .reclaim, .purge: false
    }
  }

  /// The next one up that is available; the last one is followed by itself.
  package var next: LadderStep {
    for step in LadderStep.allCases where step.rawValue > rawValue && step.isAvailable {
      return step
    }
    return .exhausted
  }
}
