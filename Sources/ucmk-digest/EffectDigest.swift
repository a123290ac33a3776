// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel

/// FNV-1a over everything that effects say, with 64 bits.
struct EffectDigest {
  /// The digest so far; begins with the offset basis.
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325
  /// Effects so far.
  private(set) var effects: UInt64 = 0

  /// Takes an effect; its ranges are resolved in the broker's buffers.
  mutating func add(_ effect: Effect, of broker: borrowing Broker, at now: MonotonicInstant) {
    effects += 1
    add(now.nanoseconds)
    switch effect {
    case .watch(let domain): add(1, domain)
    case .unwatch(let domain): add(2, domain)
    case .sample(let domain): add(3, domain)
    case .measure(let process): add(4, UInt64(UInt32(bitPattern: process.number)))
    case .ask(let order): add(order, broker.targets[order.targets])
    case .cancel(let client, let round, let attempt):
      add(6, client.ordinal, round.number, UInt64(attempt))
    case .limit(let client, let range): add(7, client.ordinal, broker.limits[range])
    case .relax(let client, let round, let level, let range):
      add(8, round.number, UInt64(level.rawValue))
      add(8, client.ordinal, broker.limits[range])
    case .leftOut(let client): add(9, client.ordinal)
    case .keepsMemory(let client): add(10, client.ordinal)
    case .levelChanged(let domain, let from, let to):
      add(11, domain)
      add(UInt64(from.rawValue), UInt64(to.rawValue))
    case .stateChanged(let domain, let from, let to):
      add(12, domain)
      add(UInt64(from.rawValue), UInt64(to.rawValue))
    case .roundOpened(let round): add(13, round.number)
    case .roundClosed(let round): add(14, round.number)
    case .accepted(let token, let round): add(15, token.number, round.number)
    case .declined(let token, .busy(let after)): add(16, token.number, after.nanoseconds)
    case .pauseChanged(let isPaused): add(17, isPaused ? 1 : 0)
    case .exhausted(let domain): add(18, domain)
    case .relieved(let domain): add(19, domain)
    }
  }

  private mutating func add(_ order: ShrinkOrder, _ targets: ArraySlice<ShrinkTarget>) {
    add(5, order.client.ordinal, order.round.number, UInt64(order.attempt))
    add(UInt64(order.level.rawValue), order.deadline.nanoseconds)
    add(order.trim ? 1 : 0, order.dryRun ? 1 : 0, UInt64(targets.count))
    switch order.scope {
    case .manual: add(0)
    case .domain(let domain): add(1, domain)
    }
    for target in targets {
      add(UInt64(target.cache.number), target.bytes.value, target.limit?.value ?? .max)
    }
  }

  private mutating func add(_ kind: UInt64, _ client: UInt64, _ limits: ArraySlice<CacheLimit>) {
    add(kind, client, UInt64(limits.count))
    for limit in limits { add(UInt64(limit.cache.number), limit.limit?.value ?? .max) }
  }

  private mutating func add(_ kind: UInt64, _ domain: DomainID) {
    add(kind)
    switch domain {
    case .host: add(0)
    case .cgroup(let path):
      add(UInt64(path.utf8.count))
      for byte in path.utf8 { add(byte: byte) }
    }
  }

  private mutating func add(_ values: UInt64...) {
    for value in values {
      for shift in 0..<8 as Range<UInt64> {
        add(byte: UInt8(truncatingIfNeeded: value >> (8 * shift)))
      }
    }
  }

  private mutating func add(byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
}
