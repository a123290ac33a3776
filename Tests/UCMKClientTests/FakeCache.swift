// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import UCMKClient

/// A cache that is a number of bytes and notes how it was asked.
final class FakeCache: ShrinkableCache {
  struct State {
    var bytes: UInt64
    var requests: [ShrinkRequest] = []
    var limits: [MemoryLimit] = []
    var usageCalls = 0
    var inside = 0
    var mostInside = 0
  }

  let state: Mutex<State>

  init(bytes: ByteCount) { state = Mutex(State(bytes: bytes.value)) }

  var bytes: ByteCount { ByteCount(state.withLock { $0.bytes }) }
  var requests: [ShrinkRequest] { state.withLock { $0.requests } }
  var limits: [MemoryLimit] { state.withLock { $0.limits } }
  var mostInside: Int { state.withLock { $0.mostInside } }

  func set(_ bytes: ByteCount) -> CacheUsage {
    state.withLock { $0.bytes = bytes.value }
    return usage()
  }

  func usage() -> CacheUsage {
    state.withLock { state in
      state.usageCalls += 1
      return CacheUsage(bytes: ByteCount(state.bytes), reclaimable: ByteCount(state.bytes))
    }
  }

  func shrink(_ request: ShrinkRequest) -> ShrinkResult {
    state.withLock { state in
      state.inside += 1
      state.mostInside = max(state.mostInside, state.inside)
      state.requests.append(request)
      let freed = min(request.bytes.value, state.bytes)
      state.bytes -= freed
      state.inside -= 1
      return ShrinkResult(freed: ByteCount(freed), more: state.bytes > 0)
    }
  }

  func limitDidChange(_ limit: MemoryLimit) {
    state.withLock { $0.limits.append(limit) }
  }
}

/// A gate that tests open and shrinkers wait at.
final class Gate: Sendable {
  private let state = Mutex<(isOpen: Bool, waiters: [CheckedContinuation<Void, Never>])>(
    (false, [])
  )

  func open() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      state.isOpen = true
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func pass() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiters.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }
}

/// A number that several threads change.
final class Counter: Sendable {
  let value = Atomic<Int>(0)
}
