// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import UCMKModel

extension CacheStore: ShrinkableCache {
  func usage() -> CacheUsage { currentUsage }

  func shrink(_ request: ShrinkRequest) -> ShrinkResult {
    let freed = evict(request.bytes, until: { request.isOver }) { freedSoFar in
      request.noteProgress(freed: freedSoFar)
    }
    return ShrinkResult(freed: freed, remaining: currentUsage, more: budget.totalCost > 0)
  }

  func limitDidChange(_ limit: MemoryLimit) {
    budget.softLimit = limit.bytes.map { Int(clamping: $0.value) } ?? Int.max
  }
}

// MARK: - Making a value once

extension CacheStore {
  /// The value of `key`, without counting a hit or a miss.
  func peek(_ key: Key) -> Value? {
    shard(of: key).state.withLock { $0.peek(key) }
  }

  /// Becomes the one who makes the value of `key` (true), or waits until that one is done (false).
  func joinFlight(of key: Key) async -> Bool {
    let shard = shard(of: key)
    let leads = shard.state.withLock { $0.startFlight(of: key) }
    if leads { return true }
    await withCheckedContinuation { continuation in
      let waits = shard.state.withLock { $0.board(key, continuation) }
      if !waits { continuation.resume() }
    }
    return false
  }

  /// Ends the making of `key` and wakes who waits.
  func land(_ key: Key) {
    for waiter in shard(of: key).state.withLock({ $0.endFlight(of: key) }) { waiter.resume() }
  }
}
