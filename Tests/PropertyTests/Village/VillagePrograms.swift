// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// How a simulated client treats what it is asked.
enum Temper: String, CaseIterable {
  /// Gives what it is asked for, soon.
  case honest
  /// Gives it, but after the deadline.
  case slow
  /// Gives three tenths, and says so.
  case lossy
  /// Gives half and claims twice that.
  case boaster
  /// Says that half of what it holds could go.
  case hider
  /// Declares the highest cost.
  case costly
  /// Claims everything and frees nothing.
  case keeper
  /// Never answers.
  case hanging
  /// Wants to be left alone.
  case refusing
  /// Answers with more to come, and gives it at the next request.
  case haggler
  /// Dies in the phase that the village picks.
  case mortal
}

/// When a mortal client dies.
enum DeathPhase: String, CaseIterable {
  /// The request cannot be written.
  case beforeRequest
  /// Right after it was written, before any answer.
  case afterRequest
  /// Between the reports of two targets, or of one and the end of the answer.
  case midAnswer
  /// After an answer that promises more.
  case afterMore
  /// When others are asked for the rest.
  case betweenAttempts
  /// After its answer, while the kernel's counters settle.
  case settling
  /// When its process is to be read again.
  case measuring
}

/// What becomes of a client that died.
enum Afterlife: String, CaseIterable {
  /// It stays away.
  case never
  /// The same process comes back with its token.
  case sameProcess
  /// Another process comes back with the token, its caches empty.
  case otherProcess
  /// Its token is lost: it joins anew, while the old one waits out its time.
  case stranger
}

/// One process and the memory it holds.
struct VillageProgram {
  var process: Int32
  /// Pools of memory behind its caches; sessions that collude share one.
  var pools: [UInt64]
  /// What it holds besides, and whether it can still be read.
  var rest: UInt64 = 20 << 20
  var isAlive = true
  /// All that it ever gave back.
  var fallen: UInt64 = 0

  var resident: UInt64 { pools.reduce(rest, +) }

  /// Gives back what it can of `bytes`, and returns how much that was.
  mutating func free(_ bytes: UInt64, of pool: Int) -> UInt64 {
    let given = min(bytes, pools[pool])
    pools[pool] -= given
    fallen += given
    return given
  }
}

/// One cache of a session.
struct VillageCache {
  let id: CacheID
  /// The pool of the program behind it.
  let pool: Int
}

/// One client.
struct VillageSession {
  var id: ClientID
  var program: Int
  var temper: Temper
  var groups: [String]
  var caches: [VillageCache] = []
  var nextCache: UInt32 = 1
  var isAttached = true
  /// Its account is gone for good.
  var isGone = false
  var deathPhase = DeathPhase.afterRequest
  var afterlife = Afterlife.never
  /// How often this client was asked.
  var timesAsked = 0

  var facts: ClientFacts {
    ClientFacts(
      name: temper.rawValue,
      process: ProcessID(0),
      user: 1_000,
      cgroup: groups.last,
      domains: groups.map { .cgroup($0) }
    )
  }
}

/// Something that a client will do.
struct VillageDeed {
  enum Kind {
    /// Answer a request; `step` counts the targets reported so far.
    case answer(order: ShrinkOrder, targets: [ShrinkTarget], step: Int)
    case refuse(ShrinkOrder)
    /// The connection ends.
    case die
    /// What became of it.
    case comeBack
    /// Nobody came with its token.
    case expire
  }

  var at: UInt64
  var session: Int
  var kind: Kind
}
