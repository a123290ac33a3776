// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Whom a split is about, and on what terms.
struct QuotaTerms: Sendable {
  /// How much is wanted.
  var target: ByteCount
  /// Decides who takes part and whether floors count.
  var level: PressureLevel
  /// Whom it is about.
  var members: Membership
  /// When: a refusal and an override end at an instant.
  var now: MonotonicInstant
  /// How it is split.
  var rule = QuotaRule.levelDown
  /// Whether small quotas are left out, and a herd at low: the daemon does so by itself, an
  /// administrator's word is taken to the byte.
  var isBounded = false
  /// Whether the ledger will be settled by it: then the fair parts are worked out.
  var isSettled = true

  /// Whether newcomers are left alone where others can give enough.
  var sparesNewcomers: Bool { isBounded && level < .critical }
}

/// Which clients belong to a round.
struct Membership: Sendable, Equatable {
  /// The scope.
  let scope: Scope
  /// Whether a cgroup is taken at its word by path too, as an administrator names it; otherwise
  /// only clients for whom the shell found the domain belong to it.
  let byPath: Bool

  /// Whether a client with these facts is meant.
  @inline(__always) func contains(_ facts: ClientFacts) -> Bool {
    guard case .domain(let domain) = scope, domain != .host else { return true }
    if facts.domains.contains(domain) { return true }
    return byPath && domain.contains(cgroup: facts.cgroup)
  }
}
