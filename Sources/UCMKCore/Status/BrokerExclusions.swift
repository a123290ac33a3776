// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Why clients are left out of a split: the same questions as the planner's, asked again for
/// people.
extension Broker {
  /// The clients of the scope that have caches and take no part, by id.
  func excluded(from terms: QuotaTerms) -> [ExcludedClient] {
    registry.accounts.compactMap { account in
      guard account.isAttached, !account.caches.isEmpty,
        terms.members.contains(account.facts),
        let reason = account.exclusion(from: terms)
      else { return nil }
      return ExcludedClient(account, reason)
    }
  }
}

extension ClientAccount {
  /// Why the client is asked for nothing on these terms; nil where it is asked.
  func exclusion(from terms: QuotaTerms) -> Exclusion? {
    guard facts.takesRequests else { return .takesNoRequests }
    if let until = refusedUntil, until > terms.now { return .refuses }
    if behaviour.breaker.isOpen(at: terms.now) { return .breaker }
    let most = askableTogether
    let total = bytes
    var isMeant = false
    for index in caches.indices {
      let cache = caches[index].figures
      guard cache.takesPart(at: terms.level) else { continue }
      isMeant = true
      let granted = grantedFloor(of: cache.bytes, within: total)
      let floor = terms.level == .critical ? .zero : cache.floor(granted: granted)
      if behaviour.expected.of(min(cache.cap(above: floor), most)) > .zero { return nil }
    }
    return isMeant ? .nothingLeft : .level
  }
}
