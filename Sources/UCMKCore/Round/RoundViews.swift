// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How a round shows itself, open or closed.
extension OpenRound {
  /// The round without its clients.
  func header(measured: ByteCount, isOpen: Bool, at now: MonotonicInstant) -> RoundView {
    RoundView(
      round: id,
      scope: order.scope,
      level: order.level,
      reason: order.reason,
      isOpen: isOpen,
      isDryRun: order.isDryRun,
      target: order.target,
      capacity: capacity,
      part: part,
      asked: asked,
      claimed: claimed,
      measured: measured,
      opened: opened,
      took: now.since(opened),
      rule: rule,
      medianCost: medianCost,
      clients: [],
      remembersClients: true
    )
  }

  /// A member without its caches.
  func clientQuota(_ index: Int) -> ClientQuota {
    let member = members[index]
    return ClientQuota(
      client: member.client,
      name: member.name,
      process: member.process,
      cgroup: member.cgroup,
      part: member.part,
      size: member.size,
      cap: member.cap,
      weight: member.weight,
      cold: member.cold,
      cost: member.cost,
      cacheLevel: member.level,
      deferred: member.deferred,
      asked: member.asked,
      claimed: member.claimed,
      measured: member.measured,
      took: member.took,
      outcome: member.outcome,
      caches: []
    )
  }

  /// A cache of a member, with the member's reading split over its caches.
  func cacheQuota(_ index: Int, of member: Int) -> CacheQuota {
    let cache = caches[index]
    var inputs = cache.inputs
    if let process = processIndex(of: members[member].process) {
      inputs.measured = processes[process].measuredSize(of: inputs.bytes)
    }
    return CacheQuota(
      id: cache.id,
      name: cache.name,
      part: cache.part,
      asked: cache.asked,
      claimed: cache.claimed,
      inputs: inputs
    )
  }

  /// The whole round as it stands.
  func view(at now: MonotonicInstant) -> RoundView {
    var view = header(measured: .zero, isOpen: true, at: now)
    for index in members.indices where members[index].asked > .zero {
      var quota = clientQuota(index)
      quota.path = nodes.path(to: members[index].node)
      for cache in members[index].caches where caches[cache].asked > .zero {
        quota.caches.append(cacheQuota(cache, of: index))
      }
      view.clients.append(quota)
    }
    return view
  }
}
