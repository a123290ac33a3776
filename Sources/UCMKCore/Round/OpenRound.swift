// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// What an open round waits for.
///
///     asking ──► settling ──► measuring ──► closed
///      ▲  │
///      └──┘ others are asked for what is missing
enum RoundPhase: Sendable, Equatable {
  /// The slot is free.
  case closed
  /// Answers, until the deadline.
  case asking(until: MonotonicInstant)
  /// The kernel's counters to catch up.
  case settling(until: MonotonicInstant)
  /// The readings of the processes; those that do not come by then are not waited for.
  case measuring(until: MonotonicInstant)

  /// When it waits no longer.
  var end: MonotonicInstant? {
    switch self {
    case .closed: nil
    case .asking(let until), .settling(let until), .measuring(let until): until
    }
  }
}

/// What a round is to do.
struct RoundOrder: Sendable {
  /// Whom it is about, at which level, what started it.
  var scope: Scope
  var level: PressureLevel
  var reason: RoundReason
  /// How much is wanted.
  var target: ByteCount
  /// Whether clients only say what they would free.
  var isDryRun = false

  /// Whether the daemon started it by itself.
  var isAutomatic: Bool { reason != .manual }
  /// Which clients belong to it.
  var membership: Membership { Membership(scope: scope, byPath: !isAutomatic) }
}

/// A round while it runs.
///
/// The broker holds a few of these and uses them again and again, with the storage of their lists.
struct OpenRound: Sendable {
  /// Its number.
  private(set) var id = RoundID(0)
  /// What it is to do.
  private(set) var order = RoundOrder(
    scope: .manual,
    level: .low,
    reason: .manual,
    target: .zero
  )
  /// What it waits for.
  var phase = RoundPhase.closed
  /// When it was opened.
  private(set) var opened = MonotonicInstant(nanoseconds: 0)
  /// The level of the current attempt.
  var level = PressureLevel.low
  /// The current attempt, from 1; 0 before the first.
  var attempt: UInt8 = 0
  /// How far it climbed.
  var step = LadderStep.ask
  /// Members whose answer to the current attempt is missing.
  var waiting = 0
  /// Processes whose second reading is missing.
  var unmeasured = 0
  /// When the last answer of anybody came.
  var lastAnswered: MonotonicInstant?

  /// What could be had, and min of that and the target, when it was opened.
  private(set) var capacity = ByteCount.zero, part = ByteCount.zero
  /// The median cost and the rule of the first split.
  private(set) var medianCost: UInt32 = 0, rule = QuotaRule.levelDown
  /// The cgroups and processes of the first split, the root first.
  var nodes: [NodeQuota] = []
  /// Bytes in targets, bytes claimed, and those of them that count.
  var asked = ByteCount.zero, claimed = ByteCount.zero, credited = ByteCount.zero

  /// Everybody in the scope, by id, with their caches.
  var members: [RoundMember] = []
  var caches: [RoundCache] = []
  /// The processes of those that were asked, by number.
  var processes: [RoundProcess] = []

  /// Whether a round runs here.
  var isOpen: Bool { phase != .closed }
  /// What is missing to what was to be had.
  var missing: ByteCount { part - credited }

  /// Makes room for a round over everybody.
  mutating func reserve(clients: Int, caches cacheCount: Int, cgroups: Int) {
    nodes.makeRoom(for: clients + cgroups + 1)
    members.makeRoom(for: clients)
    caches.makeRoom(for: cacheCount)
    processes.makeRoom(for: clients)
  }

  /// Begins a round in this place.
  mutating func begin(
    _ id: RoundID,
    _ order: RoundOrder,
    split: (capacity: ByteCount, part: ByteCount, medianCost: UInt32, rule: QuotaRule),
    at now: MonotonicInstant
  ) {
    precondition(!isOpen, "a round begins in a free place")
    self.id = id
    self.order = order
    opened = now
    level = order.level
    attempt = 0
    step = .ask
    waiting = 0
    unmeasured = 0
    lastAnswered = nil
    (capacity, part, medianCost, rule) = split
    asked = .zero
    claimed = .zero
    credited = .zero
    members.clear()
    caches.clear()
    processes.clear()
    nodes.clear()
    phase = .asking(until: now)
  }

  /// Adds a client of the scope; they come by id.
  mutating func enroll(_ account: borrowing ClientAccount) {
    precondition(
      members.last.map { $0.client < account.id } ?? true,
      "members are enrolled in the order of their ids"
    )
    let first = caches.count
    for index in account.caches.indices {
      caches.append(RoundCache(account.caches[index], of: account))
    }
    members.append(
      RoundMember(
        client: account.id,
        name: account.facts.name,
        process: account.facts.process,
        cgroup: account.facts.cgroup,
        caches: first..<caches.count
      )
    )
  }

  /// Where a client is, or nil.
  func memberIndex(of client: ClientID) -> Int? {
    var low = 0
    var high = members.count
    while low < high {
      let middle = low + (high - low) / 2
      if members[middle].client < client { low = middle + 1 } else { high = middle }
    }
    return low < members.count && members[low].client == client ? low : nil
  }

  /// Where a cache of a member is, or nil.
  func cacheIndex(of cache: CacheID, in member: Int) -> Int? {
    for index in members[member].caches where caches[index].id == cache { return index }
    return nil
  }

  /// Where a process is, or nil.
  func processIndex(of process: ProcessID) -> Int? {
    let place = processPlace(of: process)
    return place < processes.count && processes[place].process == process ? place : nil
  }

  /// Adds a process; returns whether it was not there yet.
  mutating func addProcess(_ process: ProcessID) -> Bool {
    let place = processPlace(of: process)
    if place < processes.count, processes[place].process == process { return false }
    processes.insert(RoundProcess(process: process), at: place)
    return true
  }

  private func processPlace(of process: ProcessID) -> Int {
    if let last = processes.last, last.process < process { return processes.count }
    var low = 0
    var high = processes.count
    while low < high {
      let middle = low + (high - low) / 2
      if processes[middle].process < process { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension RoundCache {
  /// Makes the row of a cache that was not asked yet.
  init(_ cache: borrowing CacheAccount, of account: borrowing ClientAccount) {
    id = cache.id
    name = cache.name
    inputs = QuotaInputs(
      bytes: cache.bytes,
      reclaimable: cache.reclaimable,
      measured: nil,
      share: cache.figures.share(granted: account.facts.grantedShare),
      costMicrosecondsPerMiB: cache.figures.declaredCost,
      costBand: .one,
      trust: .one,
      ledger: 0,
      floor: .zero,
      cap: .zero,
      weight: 0
    )
  }
}
