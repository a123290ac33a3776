// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// All that the broker can ask the shell for.
///
/// Effects are performed in order, after the event is handled to its end, never inside. Lists of
/// targets and limits lie in `Broker.targets` and `Broker.limits`, buffers that are used again for
/// every event; an effect holds the range. They are valid until the next call of `handle`.
package enum Effect: Sendable, Equatable {
  // MARK: Sensing

  /// Open the sources of a domain (triggers or averages) and keep them.
  case watch(DomainID)
  /// Close them: nobody is in the domain any more.
  case unwatch(DomainID)
  /// Read the domain now; answered by `Event.sampled` or `Event.domainLost`.
  case sample(DomainID)
  /// Read the process now, before anything that follows; answered by `Event.measured`.
  case measure(ProcessID)

  // MARK: Clients

  /// Send a shrink request.
  case ask(ShrinkOrder)
  /// The answer to this request is no longer waited for.
  case cancel(ClientID, RoundID, attempt: UInt8)
  /// Tell a client new soft ceilings: `Broker.limits[range]`.
  case limit(ClientID, Range<Int>)
  /// Tell a client that pressure fell; its caches may grow to `Broker.limits[range]`.
  case relax(ClientID, RoundID, PressureLevel, Range<Int>)

  // MARK: People

  /// A client did not answer again and again: it is left out of rounds for a while.
  case leftOut(ClientID)
  /// What a client claims does not come back to the host, round after round: people are told once.
  case keepsMemory(ClientID)

  /// A domain is critical and nothing that could be asked for is left, or it did not help in time:
  /// the last step of the ladder.
  case exhausted(DomainID)
  /// A domain of which that was said is critical no longer.
  case relieved(DomainID)
  /// The level of a domain changed.
  case levelChanged(DomainID, from: PressureLevel, to: PressureLevel)
  /// The state of a domain changed.
  case stateChanged(DomainID, from: DomainState, to: DomainState)
  /// A round began: the shell notes the wall clock.
  case roundOpened(RoundID)
  /// A round ended; `Broker.round(_:)` holds its outcome.
  case roundClosed(RoundID)
  /// The requested round runs (or is already closed, where there was nothing to ask).
  case accepted(RequestToken, RoundID)
  /// The requested round cannot run now.
  case declined(RequestToken, Refusal)
  /// Automatic rounds stopped or go on: every session with a cache is told.
  case pauseChanged(Bool)
}

/// One shrink request as the broker wants it sent.
package struct ShrinkOrder: Sendable, Equatable {
  /// Whom to ask.
  package var client: ClientID
  /// The round that asks.
  package var round: RoundID
  /// 1…5, rising within the round.
  package var attempt: UInt8
  /// Why.
  package var level: PressureLevel
  /// Why.
  package var scope: Scope
  /// From receipt: 50 ms…60 s.
  package var deadline: TimeSpan
  /// Also hand free heap pages back.
  package var trim: Bool
  /// Say what would be freed, free nothing.
  package var dryRun: Bool
  /// The targets, in `Broker.targets`: at least one, at most 62.
  package var targets: Range<Int>

  /// Makes an order.
  package init(
    client: ClientID,
    round: RoundID,
    attempt: UInt8,
    level: PressureLevel,
    scope: Scope,
    deadline: TimeSpan,
    trim: Bool,
    dryRun: Bool,
    targets: Range<Int>
  ) {
    self.client = client
    self.round = round
    self.attempt = attempt
    self.level = level
    self.scope = scope
    self.deadline = deadline
    self.trim = trim
    self.dryRun = dryRun
    self.targets = targets
  }
}

/// Free this much of one cache.
package struct ShrinkTarget: Sendable, Equatable {
  /// The cache.
  package var cache: CacheID
  /// How much, positive, whole pages.
  package var bytes: ByteCount
  /// Stay under this until relaxed.
  package var limit: ByteCount?

  /// Makes a target.
  package init(cache: CacheID, bytes: ByteCount, limit: ByteCount?) {
    self.cache = cache
    self.bytes = bytes
    self.limit = limit
  }
}

/// A soft ceiling of one cache; nil lifts it.
package struct CacheLimit: Sendable, Equatable {
  /// The cache.
  package var cache: CacheID
  /// The ceiling.
  package var limit: ByteCount?

  /// Makes a limit.
  package init(cache: CacheID, limit: ByteCount?) {
    self.cache = cache
    self.limit = limit
  }
}

/// Why a requested round cannot run.
package enum Refusal: Sendable, Equatable {
  /// A round of that scope runs; worth another try after the span.
  case busy(retryAfter: TimeSpan)
}

/// Where a domain stands.
package enum DomainState: UInt8, Sendable, Equatable, CaseIterable {
  /// Nothing to do.
  case idle
  /// Close to the low watermark or at a level above none: read again and again.
  case watching
  /// A round runs.
  case round
  /// A round ended: caches keep the limits that it set.
  case hold
  /// Caches may grow again.
  case grow

  /// The word on the wire.
  package var name: String {
    switch self {
    case .idle: "idle"
    case .watching: "watching"
    case .round: "round"
    case .hold: "hold"
    case .grow: "grow"
    }
  }
}
