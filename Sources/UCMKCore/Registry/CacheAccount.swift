// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// What is known of one cache.
struct CacheAccount: Sendable, Equatable {
  /// Its id on the session.
  let id: CacheID
  /// The numbers of it that a split looks at.
  var figures: CacheFigures
  /// The soft ceiling in force.
  var limit: CacheCeiling?
  /// What the client calls it.
  private(set) var name: String
  private var labels: [CacheDeclaration.Label]
  private var ceiling: ByteCount?

  /// Makes the account of a cache that was just registered.
  init(id: CacheID, declaration: CacheDeclaration) {
    self.id = id
    name = declaration.name
    labels = declaration.labels
    ceiling = declaration.ceiling
    figures = CacheFigures(declaration)
  }

  /// What the client declares, with the usage last reported.
  var declaration: CacheDeclaration {
    get {
      CacheDeclaration(
        name: name,
        share: figures.declaredShare,
        floor: figures.declaredFloor,
        ceiling: ceiling,
        costMicrosecondsPerMiB: figures.declaredCost,
        minimumLevel: figures.declaredLevel,
        release: figures.release,
        usage: figures.usage,
        labels: labels
      )
    }
    set {
      name = newValue.name
      labels = newValue.labels
      ceiling = newValue.ceiling
      figures.declare(newValue)
    }
  }

  /// As last reported.
  @inline(__always) var usage: CacheUsage {
    get { figures.usage }
    set { figures.usage = newValue }
  }

  /// What an administrator set instead, while it lasts.
  @inline(__always) var override: CacheOverride {
    get { figures.override }
    set { figures.override = newValue }
  }

  /// Asked for and not yet answered.
  @inline(__always) var inFlight: ByteCount {
    get { figures.inFlight }
    set { figures.inFlight = newValue }
  }

  /// All bytes, and those that could go, as last reported.
  @inline(__always) var bytes: ByteCount { figures.bytes }
  @inline(__always) var reclaimable: ByteCount { figures.reclaimable }

  /// Ends an override whose time is over.
  mutating func endOverride(at now: MonotonicInstant) {
    if let until = override.until, until <= now { override = CacheOverride() }
  }
}

/// A soft ceiling, and who lifts it.
struct CacheCeiling: Sendable, Equatable {
  /// Stay under this.
  var bytes: ByteCount
  /// What the cache held before the shortage: until it may hold that much again it is limited.
  var wanted: ByteCount
  /// The round that set it.
  var round: RoundID
  /// The domain whose recovery lifts it; nil for a manual round.
  var domain: DomainID?
}
