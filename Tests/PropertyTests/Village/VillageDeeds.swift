// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// What clients do about requests, and how they die and come back.
extension Village {
  /// Takes in a request that was just sent.
  mutating func respond(to order: ShrinkOrder, _ targets: [ShrinkTarget], as index: Int) {
    let soon = 1 + random.number(below: 400)
    let answer = VillageDeed.Kind.answer(order: order, targets: targets, step: 0)
    switch sessions[index].temper {
    case .honest, .lossy, .boaster, .hider, .costly, .keeper, .haggler:
      plan(answer, by: index, after: soon)
    case .slow: plan(answer, by: index, after: 2_500 + 10 * soon)
    case .hanging: return
    case .refusing: plan(.refuse(order), by: index, after: soon)
    case .mortal: respondAndDie(order, answer, as: index)
    }
  }

  private mutating func respondAndDie(
    _ order: ShrinkOrder,
    _ answer: VillageDeed.Kind,
    as index: Int
  ) {
    switch sessions[index].deathPhase {
    case .beforeRequest: undeliver(order, of: index, dies: true)
    case .afterRequest: plan(.die, by: index, after: 1 + random.number(below: 300))
    case .midAnswer, .afterMore, .betweenAttempts, .measuring: plan(answer, by: index, after: 100)
    case .settling:
      plan(answer, by: index, after: 100)
      plan(.die, by: index, after: 150)
    }
  }

  mutating func perform(_ deed: VillageDeed) {
    let index = deed.session
    switch deed.kind {
    case .answer(let order, let targets, let step):
      guard sessions[index].isAttached, sessions[index].id == order.client else { return }
      answer(order, targets, step, as: index)
    case .refuse(let order):
      guard sessions[index].isAttached, sessions[index].id == order.client else { return }
      let span = TimeSpan.milliseconds(500 + random.number(below: 8_000))
      send(
        .refused(order.client, order.round, attempt: order.attempt, retryAfter: span)
      )
    case .die: die(index)
    case .comeBack: comeBack(index)
    case .expire:
      guard !sessions[index].isAttached, !sessions[index].isGone else { return }
      sessions[index].isGone = true
      send(.left(sessions[index].id))
    }
  }

  /// Reports one target after the other, then the end of the answer.
  private mutating func answer(
    _ order: ShrinkOrder,
    _ targets: [ShrinkTarget],
    _ step: Int,
    as index: Int
  ) {
    let dies = sessions[index].temper == .mortal ? sessions[index].deathPhase : nil
    for (place, target) in targets.enumerated() where place >= step {
      guard let cache = sessions[index].caches.first(where: { $0.id == target.cache }) else {
        continue
      }
      let (freed, claimed) = give(target, from: cache, order, as: index)
      let usage = usage(cache, of: index)
      let isMore =
        sessions[index].temper == .haggler || dies == .afterMore
        || freed < target.bytes.value && random.chance(50)
      let report = FreedReport(
        cache: target.cache,
        freed: ByteCount(claimed),
        bytes: usage.bytes,
        reclaimable: usage.reclaimable,
        more: isMore
      )
      send(.freed(order.client, order.round, attempt: order.attempt, report))
      if dies == .midAnswer { return die(index) }
    }
    if dies == .afterMore || dies == .betweenAttempts { plan(.die, by: index, after: 1) }
    send(.answered(order.client, order.round, attempt: order.attempt))
  }

  /// What really goes and what is claimed.
  private mutating func give(
    _ target: ShrinkTarget,
    from cache: VillageCache,
    _ order: ShrinkOrder,
    as index: Int
  ) -> (freed: UInt64, claimed: UInt64) {
    let held = programs[sessions[index].program].pools[cache.pool]
    let wanted = min(target.bytes.value, held)
    guard !order.dryRun else { return (0, wanted) }
    switch sessions[index].temper {
    case .lossy, .haggler:
      let given = free(wanted * 3 / 10, of: cache.pool, by: index)
      return (given, given)
    case .boaster:
      let given = free(wanted / 2, of: cache.pool, by: index)
      return (given, 2 * given)
    case .keeper: return (0, wanted)
    case .mortal:
      let given = free(wanted / 2, of: cache.pool, by: index)
      return (given, given)
    default:
      let given = free(wanted, of: cache.pool, by: index)
      return (given, given)
    }
  }

  // MARK: - Death and what follows

  /// The connection of a session ends.
  mutating func die(_ index: Int) {
    guard sessions[index].isAttached else { return }
    sessions[index].isAttached = false
    plan(.expire, by: index, after: 10_000)
    let soon = random.number(below: 4_000)
    switch sessions[index].afterlife {
    case .never: programs[sessions[index].program].isAlive = false
    case .sameProcess, .otherProcess, .stranger: plan(.comeBack, by: index, after: soon)
    }
    send(.detached(sessions[index].id))
  }

  private mutating func comeBack(_ index: Int) {
    guard !sessions[index].isAttached, !sessions[index].isGone else { return }
    switch sessions[index].afterlife {
    case .never: return
    case .sameProcess:
      programs[sessions[index].program].isAlive = true
      resume(index)
    case .otherProcess:
      programs[sessions[index].program].isAlive = false
      let count = programs[sessions[index].program].pools.count
      sessions[index].program = build([UInt64](repeating: 1, count: count))
      resume(index)
      report(index)
    case .stranger:
      let program = sessions[index].program
      programs[program].isAlive = true
      let session = rebirth(index)
      sessions.append(session)
      send(.joined(session.id, facts(sessions.count - 1)))
      for pool in programs[program].pools.indices { register(sessions.count - 1, pool) }
    }
  }

  private mutating func resume(_ index: Int) {
    sessions[index].isAttached = true
    if sessions[index].temper == .mortal { sessions[index].temper = .honest }
    send(.reattached(sessions[index].id, facts(index)))
  }

  /// A session says how large its caches are.
  mutating func report(_ index: Int) {
    for cache in sessions[index].caches {
      send(.reported(sessions[index].id, cache.id, usage(cache, of: index)))
    }
  }
}
