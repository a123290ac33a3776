// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// A value copy of one domain, for people and monitors.
package struct DomainView: Sendable, Equatable {
  /// The domain.
  package var domain: DomainID
  /// Where it stands.
  package var state: DomainState
  /// The level in force.
  package var level: PressureLevel
  /// The last reading, where there is one.
  package var reading: DomainReading?
  /// The watermarks in bytes, resolved against the last capacity.
  package var low: ByteCount, high: ByteCount, grow: ByteCount
  /// Whether it is critical and nothing that could be asked for is left.
  package var isExhausted = false
}

/// A value copy of one client.
package struct ClientView: Sendable, Equatable {
  /// The client.
  package var client: ClientID
  /// What the kernel and the settings say of it.
  package var facts: ClientFacts
  /// Measured over asked, smoothed.
  package var trust: Permyriad
  /// What it gave beyond its fair part, in bytes; negative where it owes.
  package var ledger: Int64
  /// Whether it is left out because it does not answer, and whether its allocator keeps memory.
  package var isLeftOut: Bool, keepsMemory: Bool
  /// The last round in which it was asked.
  package var lastRound: RoundID?
  /// Its caches, by id.
  package var caches: [CacheView]
}

/// A value copy of one cache.
package struct CacheView: Sendable, Equatable {
  /// Its id on the session.
  package var id: CacheID
  /// What was declared, with the usage last reported.
  package var declaration: CacheDeclaration
  /// The share in force: granted × claimed, or the administrator's.
  package var share: UInt32
  /// The floor in force before the level is looked at.
  package var floor: ByteCount
  /// The level in force from which it is asked.
  package var minimumLevel: PressureLevel
  /// The soft ceiling told last, nil for none.
  package var limit: ByteCount?
}

/// What one client gave in one round, as its history shows it.
package struct HistoryEntry: Sendable, Equatable {
  /// The round.
  package var round: RoundID
  /// Bytes in targets over all attempts, what the client says, what was seen.
  package var asked: ByteCount, claimed: ByteCount, measured: ByteCount
  /// From the first request to the last answer.
  package var took: TimeSpan
  /// How it ended.
  package var outcome: RoundOutcome
}

/// How a client's part in a round ended.
package enum RoundOutcome: UInt8, Sendable, Equatable, CaseIterable {
  /// It says it freed what was asked.
  case done
  /// It freed less.
  case partial
  /// It refused.
  case refused
  /// It answered after the deadline, while the round was open.
  case late
  /// It disconnected.
  case gone
  /// It never answered.
  case silent

  /// The word on the wire.
  package var name: String {
    switch self {
    case .done: "done"
    case .partial: "partial"
    case .refused: "refused"
    case .late: "late"
    case .gone: "gone"
    case .silent: "silent"
    }
  }
}

/// What started a round.
package enum RoundReason: UInt8, Sendable, Equatable, CaseIterable {
  /// A source said that tasks stall.
  case trigger
  /// Available memory fell below the low watermark.
  case watermark
  /// An administrator.
  case manual

  /// The word on the wire.
  package var name: String {
    switch self {
    case .trigger: "trigger"
    case .watermark: "watermark"
    case .manual: "manual"
    }
  }
}

/// Everything that a cache's quota was computed from.
package struct QuotaInputs: Sendable, Equatable {
  /// As reported.
  package var bytes: ByteCount, reclaimable: ByteCount
  /// The cache's part of what was measured of its process, nil where the process could not be
  /// read.
  package var measured: ByteCount?
  /// The share in force, the cost declared, the cost after the band (parts of the median).
  package var share: UInt32
  package var costMicrosecondsPerMiB: UInt32
  package var costBand: Permyriad
  /// The client's trust and ledger when the round was planned.
  package var trust: Permyriad
  package var ledger: Int64
  /// The floor honoured at this level, the most that could be expected, the weight of the split.
  package var floor: ByteCount
  package var cap: ByteCount
  package var weight: UInt64
  /// The most that could be asked; the cap is the trust's part of it.
  package var askable = ByteCount.zero
  /// What of the cap is cold, as far as the client told.
  package var cold = ByteCount.zero
  /// What the client measured that a refill costs, in µs per MiB: counts instead of the declared
  /// cost where it is known.
  package var refillMicrosecondsPerMiB: UInt32?
  /// Whether that counts in the wide band.
  package var isVouched = false
}

/// One cache in a plan or in a round.
package struct CacheQuota: Sendable, Equatable {
  /// The cache.
  package var id: CacheID
  /// Its name.
  package var name: String
  /// What the split gives it.
  package var part: ByteCount
  /// Bytes in targets over all attempts.
  package var asked: ByteCount
  /// What the client says it freed.
  package var claimed: ByteCount
  /// From what it was computed.
  package var inputs: QuotaInputs
}

/// One client in a plan or in a round.
package struct ClientQuota: Sendable, Equatable {
  /// The client.
  package var client: ClientID
  /// Its label, process and cgroup when the round was planned.
  package var name: String
  package var process: ProcessID
  package var cgroup: String?
  /// What the split gives it; the parts of its caches add up to it.
  package var part: ByteCount
  /// The cgroups from the root to the one it is in, then its process where that has several
  /// sessions: it shared the part of the last one, at the level of that.
  package var path: [NodeQuota] = []
  /// The size that counted in that split (its bytes, moved by the ledger), its cap and its weight.
  package var size: ByteCount, cap: ByteCount, weight: UInt64
  /// What of the cap is cold, and the mean of its caches' costs.
  package var cold = ByteCount.zero, cost: UInt64 = 0
  /// The level at which its part was split over its caches.
  package var cacheLevel: LevelFraction?
  /// What the first split gave it although it was not asked: its quota was small, or the herd
  /// large enough.
  package var deferred = ByteCount.zero
  /// Bytes in targets over all attempts, what the client says, what was seen.
  package var asked: ByteCount, claimed: ByteCount, measured: ByteCount
  /// From the first request to the last answer.
  package var took: TimeSpan
  /// How it ended.
  package var outcome: RoundOutcome
  /// Its caches, by id.
  package var caches: [CacheQuota]
}

/// Who would be asked for what; nothing is sent.
package struct PlanView: Sendable, Equatable {
  /// What was wanted.
  package var target: ByteCount
  /// What all clients of the scope could give at this level, less what the kernel keeps for their
  /// cgroups.
  package var capacity: ByteCount
  /// How it was split.
  package var rule = QuotaRule.levelDown
  /// min(target, capacity), exactly the sum of the clients' parts.
  package var part: ByteCount
  /// The level and the scope it was computed for.
  package var level: PressureLevel, scope: Scope
  /// The median cost of the caches that take part, in µs per MiB.
  package var medianCost: UInt32
  /// Everybody in the scope that has something to give, by id.
  package var clients: [ClientQuota]
  /// Everybody else in the scope with a cache, by id.
  package var excluded: [ExcludedClient]
}

/// One client of the scope that is asked for nothing, and why.
package struct ExcludedClient: Sendable, Equatable {
  /// The client, its label and its process.
  package var client: ClientID
  package var name: String
  package var process: ProcessID
  /// Why it is left out.
  package var reason: Exclusion
}

/// Why a client is asked for nothing; of several reasons the one that stands first here.
package enum Exclusion: UInt8, Sendable, Equatable, CaseIterable {
  /// It takes no requests to shrink: it said so, or does not know the method.
  case takesNoRequests
  /// It refused, and its time is not over.
  case refuses
  /// It did not answer again and again, and its time is not over.
  case breaker
  /// It was silent, late, or refused earlier in the round.
  case out
  /// None of its caches is asked at this level.
  case level
  /// Its caches hold nothing above their floors that is not on its way already.
  case nothingLeft
  /// It said earlier in the round that no more can come.
  case exhausted
  /// It is new and others can give enough, or it came after the round was opened.
  case newcomer

  /// The word on the wire.
  package var name: String {
    switch self {
    case .takesNoRequests: "no-requests"
    case .refuses: "refuses"
    case .breaker: "breaker"
    case .out: "out"
    case .level: "level"
    case .nothingLeft: "nothing-left"
    case .exhausted: "exhausted"
    case .newcomer: "newcomer"
    }
  }
}

/// One round, open or closed.
package struct RoundView: Sendable, Equatable {
  /// The round.
  package var round: RoundID
  /// Whom it is about, at which level it began, what started it.
  package var scope: Scope, level: PressureLevel, reason: RoundReason
  /// Whether it is still open, and whether it frees anything.
  package var isOpen: Bool, isDryRun: Bool
  /// What was wanted, what could be had, min of both.
  package var target: ByteCount, capacity: ByteCount, part: ByteCount
  /// Bytes in targets over all attempts, what clients say, what was seen.
  package var asked: ByteCount, claimed: ByteCount, measured: ByteCount
  /// When it was opened, and how long it took (so far).
  package var opened: MonotonicInstant, took: TimeSpan
  /// How it was split, and the median cost of the caches that take part, in µs per MiB.
  package var rule = QuotaRule.levelDown
  package var medianCost: UInt32
  /// The clients asked, by id; empty where they were asked for without, or no longer remembered.
  package var clients: [ClientQuota]
  /// Whether the clients are still remembered.
  package var remembersClients: Bool
  /// What each attempt was computed from: `Broker.attempts(of:)`, where somebody asked for it.
  package var attempts: [AttemptView] = []

  /// max(0, target − measured); in a dry run max(0, target − claimed).
  package var unmet: ByteCount { target - (isDryRun ? claimed : measured) }
}

/// Sums since the daemon started, and over the clients of now.
package struct Totals: Sendable, Equatable {
  /// Clients and caches of now.
  package var clients = 0, caches = 0
  /// Closed and open rounds, and requests that timed out.
  package var rounds: UInt64 = 0, timeouts: UInt64 = 0
  /// Over the caches of now.
  package var registered = ByteCount.zero, reclaimable = ByteCount.zero
  /// Over all rounds that were no dry run.
  package var asked = ByteCount.zero, claimed = ByteCount.zero, measured = ByteCount.zero
  /// Rounds begun by a source, by a watermark, by hand.
  package var byTrigger: UInt64 = 0, byWatermark: UInt64 = 0, byHand: UInt64 = 0

  /// Nothing yet.
  package init() {}
}
