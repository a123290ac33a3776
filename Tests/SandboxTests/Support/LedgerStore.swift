// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import UCMKClient
import UCMKModel

/// A cache that is a number, and writes down everything it was asked and gave.
final class LedgerStore: Sendable {
  private struct State {
    var bytes: UInt64
    var asked: [UInt64] = []
    var freed: [UInt64] = []
    var isHeld = false
    var inside = 0
    var most = 0
  }

  private let state: Mutex<State>
  /// What it frees beyond what it is asked: whole entries, as caches do.
  static let surplus: UInt64 = 12_345

  init(mebibytes: UInt64) { state = Mutex(State(bytes: mebibytes << 20)) }

  /// What each call was asked for, in order.
  var asked: [UInt64] { state.withLock { $0.asked } }
  /// What each call that has ended gave, in order.
  var freed: [UInt64] { state.withLock { $0.freed } }
  /// How large it is.
  var bytes: UInt64 { state.withLock { $0.bytes } }
  /// How many calls ran at once at most.
  var mostAtOnce: Int { state.withLock { $0.most } }

  /// Calls to `shrink` do not return from now on.
  func hold() { state.withLock { $0.isHeld = true } }
  /// They do again.
  func letGo() { state.withLock { $0.isHeld = false } }

  /// Registers it as two closures.
  func register(_ name: CacheName, with client: UCMKClient) -> CacheRegistration {
    client.register(
      name,
      usage: { self.usage },
      shrink: { request in self.shrink(request) }
    )
  }

  private var usage: CacheUsage {
    let bytes = ByteCount(bytes)
    return CacheUsage(bytes: bytes, reclaimable: bytes)
  }

  private func shrink(_ request: UCMKClient.Request) -> ShrinkResult {
    state.withLock { state in
      state.asked.append(request.bytes.value)
      state.inside += 1
      state.most = max(state.most, state.inside)
    }
    while state.withLock({ $0.isHeld }), !request.isOver { poll(nil, 0, 5) }
    let freed = state.withLock { state in
      let freed = min(state.bytes, request.bytes.value + LedgerStore.surplus)
      state.bytes -= freed
      state.freed.append(freed)
      state.inside -= 1
      return freed
    }
    return ShrinkResult(freed: ByteCount(freed), remaining: usage)
  }
}
