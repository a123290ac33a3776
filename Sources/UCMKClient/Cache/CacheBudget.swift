// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many bytes and entries a cache holds and may hold, apart from the shards' locks.
///
/// Room is taken before an entry goes in and given back after it went out, so that the sum over
/// all shards is never above the limit, whatever the threads do.
struct CacheBudget: ~Copyable {
  private let cost = Atomic<Int>(0)
  private let count = Atomic<Int>(0)
  private let costCeiling: Atomic<Int>
  private let countCeiling: Atomic<Int>
  /// The daemon's limit; `Int.max` where there is none.
  private let softCeiling = Atomic<Int>(Int.max)

  init(totalCostLimit: Int, countLimit: Int) {
    costCeiling = Atomic(totalCostLimit)
    countCeiling = Atomic(countLimit)
  }

  var totalCost: Int { cost.load(ordering: .relaxed) }
  var totalCount: Int { count.load(ordering: .relaxed) }

  /// Bytes at most; 0 means no limit, as `NSCache` has it.
  var totalCostLimit: Int {
    get { costCeiling.load(ordering: .relaxed) }
    nonmutating set { costCeiling.store(newValue, ordering: .relaxed) }
  }

  /// Entries at most; 0 means no limit.
  var countLimit: Int {
    get { countCeiling.load(ordering: .relaxed) }
    nonmutating set { countCeiling.store(newValue, ordering: .relaxed) }
  }

  /// The daemon's limit.
  var softLimit: Int {
    get { softCeiling.load(ordering: .relaxed) }
    nonmutating set { softCeiling.store(newValue, ordering: .relaxed) }
  }

  /// Takes room for one entry, or nothing where there is none.
  ///
  /// - Parameters:
  ///   - bytes: The cost of the entry.
  ///   - before: The whole cost before the insertion began. Above the soft limit a cache may
  ///     replace but not grow: the sum may come back to this, not rise over it.
  /// - Returns: Whether there was room.
  func take(_ bytes: Int, before: Int) -> Bool {
    let hard = totalCostLimit == 0 ? Int.max : totalCostLimit
    let ceiling = min(hard, max(softLimit, before))
    guard add(bytes, to: cost, ceiling: ceiling) else { return false }
    guard add(1, to: count, ceiling: countLimit == 0 ? Int.max : countLimit) else {
      cost.subtract(bytes, ordering: .relaxed)
      return false
    }
    return true
  }

  /// Gives back the room of one entry.
  func giveBack(_ bytes: Int) {
    cost.subtract(bytes, ordering: .relaxed)
    count.subtract(1, ordering: .relaxed)
  }

  /// Whether the hard limits are broken, as after one was lowered.
  var isAboveHardLimit: Bool {
    (totalCostLimit > 0 && totalCost > totalCostLimit)
      || (countLimit > 0 && totalCount > countLimit)
  }

  /// Whether an entry of this cost can ever fit.
  func couldHold(_ bytes: Int) -> Bool { totalCostLimit == 0 || bytes <= totalCostLimit }

  private func add(_ amount: Int, to counter: borrowing Atomic<Int>, ceiling: Int) -> Bool {
    var seen = counter.load(ordering: .relaxed)
    while true {
      let (sum, overflow) = seen.addingReportingOverflow(amount)
      guard !overflow, sum <= ceiling else { return false }
      let (exchanged, original) = counter.compareExchange(
        expected: seen,
        desired: sum,
        ordering: .relaxed
      )
      if exchanged { return true }
      seen = original
    }
  }
}
