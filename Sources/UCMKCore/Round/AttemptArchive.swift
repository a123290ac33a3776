// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// From what each attempt was computed, as long as that is remembered.
///
/// Rows lie in rings of their own and are written when the attempt is made, open rounds beside each
/// other: nothing is copied at the end of a round and memory grows with neither rounds nor
/// attempts. An attempt whose rows were written over keeps its terms and sums.
struct AttemptArchive: Sendable {
  /// Attempts that are kept: all of every round that is.
  static let attemptsKept = Defaults.roundsKept * Int(Defaults.attemptsMaximum)
  /// Rows that are kept: clients that could be asked, their caches, cgroups, and clients that could
  /// not.
  ///
  /// Touched to the last page they take 5 MB, which takes a steady thousand of clients.
  static let clientsKept = Defaults.roundRowsKept, cachesKept = 2 * Defaults.roundRowsKept
  static let nodesKept = Defaults.roundRowsKept, excludedKept = Defaults.roundRowsKept / 2

  /// The terms of an attempt, and where its rows are.
  private struct Header: Sendable {
    let round: RoundID
    /// Without its lists.
    let view: AttemptView
    let nodes: Range<Int>, clients: Range<Int>, caches: Range<Int>
    var excluded: Range<Int>
  }

  private var headers = Ring<Header>(capacity: AttemptArchive.attemptsKept)
  private var nodes = Ring<NodeQuota>(capacity: AttemptArchive.nodesKept)
  private var clients = Ring<AttemptClient>(capacity: AttemptArchive.clientsKept)
  private var caches = Ring<AttemptCache>(capacity: AttemptArchive.cachesKept)
  private var excluded = Ring<ExcludedClient>(capacity: AttemptArchive.excludedKept)

  /// Makes room for all that will ever be kept.
  mutating func reserve() {
    headers.reserve()
    nodes.reserve()
    clients.reserve()
    caches.reserve()
    excluded.reserve()
  }

  /// Keeps the plan just made, before anything is asked for.
  ///
  /// - Parameters:
  ///   - planner: The plan.
  ///   - attempt: The round, which of its attempts it is, and the page size of the host.
  ///   - terms: On which it was made.
  ///   - registry: The accounts.
  ///   - exclusion: Why an account that is not planned for is left out; nil where it is not meant.
  mutating func keep(
    _ planner: borrowing QuotaPlanner,
    as attempt: (round: RoundID, number: UInt8, pageSize: UInt64),
    on terms: QuotaTerms,
    of registry: borrowing ClientRegistry,
    excluding exclusion: (_ account: Int) -> Exclusion?
  ) {
    let firstNode = nodes.end
    let firstClient = clients.end
    let firstCache = caches.end
    let firstExcluded = excluded.end
    for index in planner.tree.nodes.indices { nodes.append(planner.node(index, of: registry)) }
    for place in planner.clients.indices {
      let first = caches.end
      for cache in planner.clients[place].caches {
        caches.append(planner.attemptCache(cache, ofClient: place, registry))
      }
      clients.append(planner.attemptClient(place, caches: first..<caches.end, registry))
    }
    var next = 0
    for account in registry.accounts.indices {
      if next < planner.clients.count, planner.clients[next].account == account {
        next += 1
      } else if let reason = exclusion(account) {
        excluded.append(ExcludedClient(registry.accounts[account], reason))
      }
    }
    let root = planner.tree.nodes.isEmpty ? nil : planner.tree.entries[0]
    headers.append(
      Header(
        round: attempt.round,
        view: AttemptView(
          attempt: attempt.number,
          level: terms.level,
          target: terms.target,
          capacity: ByteCount(root?.cap ?? 0),
          part: ByteCount(root?.part ?? 0),
          rule: planner.rule,
          medianCost: planner.medianCost,
          isBounded: terms.isBounded,
          isSettled: terms.isSettled,
          pageSize: attempt.pageSize
        ),
        nodes: firstNode..<nodes.end,
        clients: firstClient..<clients.end,
        caches: firstCache..<caches.end,
        excluded: firstExcluded..<excluded.end
      )
    )
  }

  /// The attempts of a round in their order, as far as they are kept.
  func attempts(of round: RoundID) -> [AttemptView] {
    var views: [AttemptView] = []
    for number in headers.start..<headers.end where headers[number].round == round {
      views.append(view(headers[number]))
    }
    return views
  }

  private func view(_ header: Header) -> AttemptView {
    var view = header.view
    view.isRemembered =
      nodes.holds(header.nodes) && clients.holds(header.clients) && caches.holds(header.caches)
      && excluded.holds(header.excluded)
    guard view.isRemembered else { return view }
    view.nodes = header.nodes.map { nodes[$0] }
    view.caches = header.caches.map { caches[$0] }
    view.excluded = header.excluded.map { excluded[$0] }
    let first = header.caches.lowerBound
    view.clients = header.clients.map { row in
      var client = clients[row]
      client.caches = client.caches.lowerBound - first..<client.caches.upperBound - first
      return client
    }
    return view
  }
}

extension QuotaPlanner {
  /// A client of the plan just made.
  fileprivate func attemptClient(
    _ place: Int,
    caches range: Range<Int>,
    _ registry: borrowing ClientRegistry
  ) -> AttemptClient {
    let planned = clients[place]
    let claim = claims[place]
    let most = registry.accounts[planned.account].askableTogether
    return AttemptClient(
      client: registry.accounts[planned.account].id,
      name: registry.accounts[planned.account].facts.name,
      node: tree.owners[place],
      size: ByteCount(claim.size),
      cap: ByteCount(claim.cap),
      weight: claim.weight,
      cold: ByteCount(claim.cold),
      cost: claim.cost,
      trust: caches[planned.caches.lowerBound].trust,
      ledger: planned.ledger,
      probe: most < ByteCount(.max) ? most : nil,
      fair: planned.fair,
      isLeftOut: planned.isLeftOut,
      part: ByteCount(claim.part),
      level: LevelFraction(planned.level),
      caches: range
    )
  }

  /// A cache of the plan just made.
  fileprivate func attemptCache(
    _ place: Int,
    ofClient client: Int,
    _ registry: borrowing ClientRegistry
  ) -> AttemptCache {
    let plan = caches[place]
    let claim = cacheClaims[place]
    let account = clients[client].account
    return AttemptCache(
      id: registry.accounts[account].caches[plan.index].id,
      share: plan.share,
      costMicrosecondsPerMiB: plan.cost,
      costBand: plan.band,
      isVouched: plan.isVouched,
      bytes: registry.accounts[account].caches[plan.index].bytes,
      reclaimable: registry.accounts[account].caches[plan.index].reclaimable,
      coldReported: registry.accounts[account].caches[plan.index].usage.cold ?? .zero,
      inFlight: registry.accounts[account].caches[plan.index].inFlight,
      floor: plan.floor,
      askable: plan.askable,
      cap: ByteCount(claim.cap),
      cold: ByteCount(claim.cold),
      weight: claim.weight,
      part: ByteCount(claim.part),
      ask: plan.ask
    )
  }
}
