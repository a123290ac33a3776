// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// All that can happen to the broker.
///
/// Every case is a value without references, so that a list of instants and events is a test, and
/// a recording of a production run is one too. Events about many caches come one cache at a time:
/// an event never carries an array that grows with the number of clients.
package enum Event: Sendable, Equatable {
  // MARK: Settings

  /// The settings in force from now on; the first event of every run, and one for each reload.
  case configured(Configuration)
  /// What the host is, once at start.
  case hostKnown(HostFacts)

  // MARK: Sensing

  /// A domain was read, because the broker asked (`Effect.sample`) or a poll was due.
  case sampled(DomainID, DomainReading)
  /// A source says that tasks stall, with a reading taken right after it fired.
  case alarmed(DomainID, PressureLevel, AlarmSource, DomainReading)
  /// A domain cannot be read: its cgroup was removed, or its files may not be opened.
  case domainLost(DomainID)
  /// The cgroup of a domain that was lost is there (again); matters where the settings name it.
  case domainFound(DomainID)
  /// What the kernel keeps for a cgroup that a client is in or below was read and differs from what
  /// was known; nothing is kept for one that was never named.
  case protected(String, CgroupProtection)
  /// A process was read, because the broker asked (`Effect.measure`); nil where it is gone.
  case measured(ProcessID, ProcessReading?)

  // MARK: Clients

  /// A client said hello as a member.
  case joined(ClientID, ClientFacts)
  /// What is known of it from an earlier run of the daemon; sent right after it joined.
  case remembered(ClientID, RememberedBehaviour)
  /// It registered one cache. `CacheID` is the shell's choice: rising from 1 on each session.
  case registered(ClientID, CacheID, CacheDeclaration)
  /// It changed what it declares of a cache (the whole declaration after the change, name and
  /// usage as before).
  case updated(ClientID, CacheID, CacheDeclaration)
  /// It took a cache back.
  case unregistered(ClientID, CacheID)
  /// It reported a cache's usage.
  case reported(ClientID, CacheID, CacheUsage)
  /// Its cgroup, or the limits above it, were found to have changed.
  case relocated(ClientID, ClientFacts)
  /// Its connection ended; it may come back with its token for a while.
  case detached(ClientID)
  /// It came back with its token, possibly as another process.
  case reattached(ClientID, ClientFacts)
  /// It is gone for good.
  case left(ClientID)

  // MARK: Rounds

  /// A client answers for one target of a request; sent before the `answered` of that request.
  case freed(ClientID, RoundID, attempt: UInt8, FreedReport)
  /// A client's answer to a request is complete.
  case answered(ClientID, RoundID, attempt: UInt8)
  /// A client refuses a request (-32009) until `retryAfter` has passed.
  case refused(ClientID, RoundID, attempt: UInt8, retryAfter: TimeSpan)
  /// A request could not be delivered or was answered by an error: it counts as timed out.
  case undelivered(ClientID, RoundID, attempt: UInt8)
  /// An administrator wants a round; answered by `Effect.accepted` or `Effect.declined`.
  case requested(RequestToken, RoundRequest)

  // MARK: Administration

  /// No automatic rounds until the instant, or until `resumed` where it is nil.
  case paused(until: MonotonicInstant?)
  /// Automatic rounds again.
  case resumed
  /// An administrator overrides what a client declares of a cache.
  case overridden(ClientID, CacheID, CacheOverride)

  // MARK: Time

  /// The instant in `Broker.nextWake` has come (or any other moment: never harmful).
  case ticked
}

/// Where an alarm comes from; decides what the event guard asks of the second reading.
package enum AlarmSource: UInt8, Sendable, Equatable {
  /// A PSI trigger of the kernel fired (`psi.rst`).
  case trigger
  /// A polled average or a polled growth of `total` crossed the line.
  case average
  /// The service manager's or a test's `$MEMORY_PRESSURE_WATCH`: the notice itself is the proof
  /// that tasks stall, as it carries no counter that could be compared.
  case watch
}

/// What the host is.
package struct HostFacts: Sendable, Equatable {
  /// `MemTotal`.
  package var memoryTotal: ByteCount
  /// The size of a page in bytes.
  package var pageSize: UInt64
  /// Twice the sum of the kernel's own high watermarks (`/proc/zoneinfo`), below which the low
  /// watermark of the host must not lie: kswapd would act first.
  package var kernelHighMarks: ByteCount

  /// Makes the facts.
  package init(memoryTotal: ByteCount, pageSize: UInt64, kernelHighMarks: ByteCount) {
    self.memoryTotal = memoryTotal
    self.pageSize = pageSize
    self.kernelHighMarks = kernelHighMarks
  }
}

/// What the kernel and the settings say of a client, as opposed to what it says itself.
package struct ClientFacts: Sendable, Equatable {
  /// Its label for people, 1…64 bytes.
  package var name: String
  /// The process at the other end.
  package var process: ProcessID
  /// Its user.
  package var user: UInt32
  /// Its v2 cgroup, nil where no v2 hierarchy is mounted.
  package var cgroup: String?
  /// The domains that it belongs to besides the host: each ancestor cgroup that has a limit or is
  /// named by a setting, outermost first.
  package var domains: [DomainID]
  /// What the administrator grants, by the first matching rule: 1…10,000.
  package var grantedShare: UInt32
  /// The administrator's floor for the whole client, honoured whole below critical.
  package var grantedFloor: ByteCount
  /// Whether it takes requests to shrink: false where it said so itself, or does not know the
  /// method.
  ///
  /// Such a client is shown to people and never planned for.
  package var takesRequests = true

  /// Makes the facts of a client that takes requests.
  package init(
    name: String,
    process: ProcessID,
    user: UInt32,
    cgroup: String?,
    domains: [DomainID] = [],
    grantedShare: UInt32 = 100,
    grantedFloor: ByteCount = .zero
  ) {
    self.name = name
    self.process = process
    self.user = user
    self.cgroup = cgroup
    self.domains = domains
    self.grantedShare = grantedShare
    self.grantedFloor = grantedFloor
  }
}

/// What a client says of one target of a shrink request.
package struct FreedReport: Sendable, Equatable {
  /// The cache.
  package var cache: CacheID
  /// What it claims to have freed; may exceed what was asked.
  package var freed: ByteCount
  /// The cache's usage after it.
  package var bytes: ByteCount, reclaimable: ByteCount
  /// Whether it could free more if asked again.
  package var more: Bool

  /// Makes a report.
  package init(
    cache: CacheID,
    freed: ByteCount,
    bytes: ByteCount,
    reclaimable: ByteCount,
    more: Bool
  ) {
    self.cache = cache
    self.freed = freed
    self.bytes = bytes
    self.reclaimable = reclaimable
    self.more = more
  }
}

/// What an administrator wants of a round.
package struct RoundRequest: Sendable, Equatable {
  /// How much; nil takes the deficit of the scope to its high watermark.
  package var bytes: ByteCount?
  /// The level the clients are told; never `none`.
  package var level: PressureLevel
  /// Whom it is about.
  package var scope: Scope
  /// Clients say what they would free, and free nothing.
  package var dryRun: Bool

  /// Makes a request.
  package init(bytes: ByteCount?, level: PressureLevel, scope: Scope, dryRun: Bool) {
    self.bytes = bytes
    self.level = level
    self.scope = scope
    self.dryRun = dryRun
  }
}

/// The shell's own number for a request that waits for an answer.
package struct RequestToken: Sendable, Hashable {
  /// The number.
  package let number: UInt64

  /// Makes a token.
  package init(_ number: UInt64) { self.number = number }
}

/// What an administrator sets for one cache; nil leaves a value as it is.
package struct CacheOverride: Sendable, Equatable {
  /// Replaces granted and claimed share: 1…10,000.
  package var share: UInt32?
  /// Replaces the floor and is honoured whole below critical.
  package var floor: ByteCount?
  /// Replaces the level from which the cache is asked.
  package var minimumLevel: PressureLevel?
  /// When it ends; nil lasts as long as the session.
  package var until: MonotonicInstant?

  /// Makes an override.
  package init(
    share: UInt32? = nil,
    floor: ByteCount? = nil,
    minimumLevel: PressureLevel? = nil,
    until: MonotonicInstant? = nil
  ) {
    self.share = share
    self.floor = floor
    self.minimumLevel = minimumLevel
    self.until = until
  }
}
