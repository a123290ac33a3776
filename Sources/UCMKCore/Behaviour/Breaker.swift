// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Keeps a client that does not answer out of plans for a while.
///
///     closed ──3 timeouts in a row──► open, 30 s ──time over──► a small probe
///       ▲                               ▲                          │    │
///       │                               └─────── silent: twice ────┘    │
///       └─────────────────────────────── it gives something ◄───────────┘
///
/// Each round that waits for somebody silent waits out its whole deadline while memory is short.
struct Breaker: Sendable, Equatable {
  /// Timeouts in a row.
  private(set) var timeouts: UInt8 = 0
  /// How long it was open last; nil while it is closed.
  private(set) var span: TimeSpan?
  /// Until when the client is left out.
  private(set) var openUntil: MonotonicInstant?

  /// Whether the client is left out of plans.
  @inline(__always)
  func isOpen(at now: MonotonicInstant) -> Bool {
    guard let openUntil else { return false }
    return openUntil > now
  }

  /// Whether only a little may be asked: nobody knows yet whether it answers again.
  @inline(__always) var isProbing: Bool { span != nil }

  /// Takes note that a request was not answered in time; returns whether the client is left out
  /// from now on.
  mutating func timedOut(at now: MonotonicInstant) -> Bool {
    timeouts = min(timeouts + 1, Defaults.breakerTimeouts)
    // What was asked before it opened may time out after: that is one and the same silence.
    guard timeouts == Defaults.breakerTimeouts, !isOpen(at: now) else { return false }
    let next = span.map { $0 + $0 } ?? Defaults.breakerSpan
    let limited = min(next, Defaults.breakerSpanMaximum)
    span = limited
    openUntil = now + limited
    return true
  }

  /// Takes note of an answer in time.
  ///
  /// - Parameter gave: Whether it says that it freed anything; only that closes an open breaker.
  mutating func answered(gave: Bool) {
    guard gave || span == nil else { return }
    self = Breaker()
  }
}
