// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// One cache in one attempt, and every number from which its part and its ask follow.
package struct AttemptCache: Sendable, Equatable {
  /// Its id on the session.
  package var id: CacheID
  /// The share in force, and the cost declared.
  package var share: UInt32, costMicrosecondsPerMiB: UInt32
  /// The cost over the median, within the band, and whether that is the wide one.
  package var costBand: Permyriad, isVouched: Bool
  /// As last reported.
  package var bytes: ByteCount, reclaimable: ByteCount, coldReported: ByteCount
  /// What other requests ask for, and what must remain at this level.
  package var inFlight: ByteCount, floor: ByteCount
  /// The most that could be asked, the trust's part of it, and what of that is cold.
  package var askable: ByteCount, cap: ByteCount, cold: ByteCount
  /// Share times band; under the rule `band` the share alone.
  package var weight: UInt64
  /// What the split gives it, and what is asked for that, before reclaimable bytes and whole pages.
  package var part: ByteCount, ask: ByteCount

  /// What is sent.
  ///
  /// - Parameter pageSize: Of the host, in bytes.
  /// - Returns: Whole pages; zero where the part is.
  package func asked(pageSize: UInt64) -> ByteCount {
    guard part > .zero else { return .zero }
    return min(ask, reclaimable).roundedUp(toPage: pageSize)
  }
}

/// One client that could be asked in one attempt.
package struct AttemptClient: Sendable, Equatable {
  /// The client, and its label at that time.
  package var client: ClientID, name: String
  /// Where it stands in `AttemptView.nodes`.
  package var node: Int
  /// What it enters the split with.
  package var size: ByteCount, cap: ByteCount, weight: UInt64, cold: ByteCount, cost: UInt64
  /// The trust and the ledger that count.
  package var trust: Permyriad, ledger: Int64
  /// The most that its caches may be asked for together while nobody knows whether it answers.
  package var probe: ByteCount?
  /// What is fair to ask of it before anybody is left out, whether it is, and what it is given.
  package var fair: ByteCount, isLeftOut: Bool, part: ByteCount
  /// The level at which its part was split over its caches.
  package var level: LevelFraction?
  /// Its caches, in `AttemptView.caches`.
  package var caches: Range<Int>
}

/// One attempt of a round: everybody who could be asked, and on what terms.
package struct AttemptView: Sendable, Equatable {
  /// From 1.
  package var attempt: UInt8
  /// The level that decides who takes part, and which floors count.
  package var level: PressureLevel
  /// What was wanted, what could be had, min of both.
  package var target: ByteCount, capacity: ByteCount, part: ByteCount
  /// How it was split, and the median cost of the caches that take part, in µs per MiB.
  package var rule: QuotaRule, medianCost: UInt32
  /// Whether small quotas, and a herd at low, are left out.
  package var isBounded: Bool
  /// Whether the ledger is settled by its fair parts: those of a split without declared costs.
  package var isSettled: Bool
  /// The size of a page, in bytes.
  package var pageSize: UInt64
  /// The cgroups and processes, the root first, each after the one it lies in.
  package var nodes: [NodeQuota] = []
  /// Everybody who could be asked, by id, with their caches.
  package var clients: [AttemptClient] = []
  package var caches: [AttemptCache] = []
  /// Everybody else of the scope with a cache, by id.
  package var excluded: [ExcludedClient] = []
  /// Whether these lists are still remembered.
  package var isRemembered = true
}
