// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Settings, and the domains that come and go with them and with clients.
extension Broker {
  /// Takes new settings into force.
  mutating func configure(_ configuration: Configuration) {
    self.configuration = configuration
    ensureDomain(.host)
    for index in domainTable.controls.indices {
      let domain = domainTable.controls[index].domain
      let settings = settings(of: domain)
      domainTable.controls[index].isNamed = isNamed(domain)
      let changed = domainTable.controls[index].configure(
        watermarks: settings.watermarks,
        thresholds: settings.thresholds,
        kernelMarks: hostFacts?.kernelHighMarks ?? .zero
      )
      if changed {
        effects.append(.unwatch(domain))
        effects.append(.watch(domain))
      }
    }
    for index in domainTable.controls.indices.reversed() { dropIfUnused(index) }
    for settings in configuration.domains { ensureDomain(settings.domain) }
    isPollStale = true
  }

  /// Takes note of what the host is.
  mutating func know(_ facts: HostFacts) {
    hostFacts = facts
    ensureDomain(.host)
    let settings = settings(of: .host)
    guard let index = domainTable.index(of: .host) else { return }
    let changed = domainTable.controls[index].configure(
      watermarks: settings.watermarks,
      thresholds: settings.thresholds,
      kernelMarks: facts.kernelHighMarks
    )
    precondition(!changed, "the host's facts hold no thresholds")
  }

  /// Starts or ends a pause of automatic rounds.
  mutating func setPause(_ next: Pause) {
    let wasPaused = isPaused
    pause = next
    if isPaused != wasPaused { effects.append(.pauseChanged(isPaused)) }
  }

  /// The size of a page.
  var pageSize: UInt64 { max(1, hostFacts?.pageSize ?? 4_096) }

  // MARK: - Domains

  /// Watches the domains that a client is about to enter.
  mutating func ensureDomains(of facts: ClientFacts) {
    for domain in facts.domains { ensureDomain(domain) }
  }

  /// Counts one more client in each of its domains.
  mutating func enter(_ client: Int) {
    for domain in registry.accounts[client].facts.domains where domain != .host {
      if let index = domainTable.index(of: domain) { domainTable.controls[index].members += 1 }
    }
    if isWilling(client) { changeWilling(client, by: 1) }
  }

  /// Counts one client less in each of `facts.domains`; those without a client go.
  mutating func exit(_ facts: ClientFacts) {
    for domain in facts.domains where domain != .host {
      guard let index = domainTable.index(of: domain) else { continue }
      domainTable.controls[index].members -= 1
      dropIfUnused(index)
    }
  }

  /// Whether a client is there, takes requests and holds something that could go.
  func isWilling(_ client: Int) -> Bool {
    registry.accounts[client].isAttached && registry.accounts[client].facts.takesRequests
      && registry.accounts[client].hasReclaimable
  }

  /// Changes the number of willing clients in the domains of a client.
  mutating func changeWilling(_ client: Int, by step: Int) {
    if let host = domainTable.index(of: .host) { domainTable.controls[host].willing += step }
    for domain in registry.accounts[client].facts.domains where domain != .host {
      if let index = domainTable.index(of: domain) { domainTable.controls[index].willing += step }
    }
    isPollStale = true
  }

  /// Forgets a domain that cannot be read, until it is found or somebody joins with it again.
  mutating func lose(_ domain: DomainID) {
    // The host is always there; what could not be read now is read again at the next poll.
    guard domain != .host, let index = domainTable.index(of: domain) else { return }
    drop(index)
  }

  /// Watches a domain again that the settings name.
  mutating func find(_ domain: DomainID) {
    if isNamed(domain) { ensureDomain(domain) }
  }

  /// Watches a domain, if it is not watched yet.
  private mutating func ensureDomain(_ domain: DomainID) {
    guard domainTable.index(of: domain) == nil else { return }
    let settings = settings(of: domain)
    var control = DomainControl(
      domain: domain,
      watermarks: settings.watermarks,
      thresholds: settings.thresholds,
      kernelMarks: hostFacts?.kernelHighMarks ?? .zero
    )
    control.isNamed = isNamed(domain)
    control.readAt = now
    let scope = Membership(scope: .domain(domain), byPath: false)
    for client in registry.accounts.indices
    where scope.contains(registry.accounts[client].facts) {
      control.members += 1
      if isWilling(client) { control.willing += 1 }
    }
    let index = domainTable.add(control)
    precondition(domainTable.controls[index].domain == domain, "a domain has one place")
    isPollStale = true
    effects.append(.watch(domain))
    effects.append(.sample(domain))
  }

  private mutating func dropIfUnused(_ index: Int) {
    let control = domainTable.controls[index]
    if control.domain != .host, control.members <= 0, !control.isNamed { drop(index) }
  }

  private mutating func drop(_ index: Int) {
    let control = domainTable.controls[index]
    relaxLimits(of: control.domain)
    if control.level > .none {
      effects.append(.levelChanged(control.domain, from: control.level, to: .none))
    }
    if domainTable.controls[index].exhaustion.end() {
      effects.append(.relieved(control.domain))
    }
    if control.state != .idle {
      effects.append(.stateChanged(control.domain, from: control.state, to: .idle))
    }
    effects.append(.unwatch(control.domain))
    domainTable.remove(at: index)
    isPollStale = true
  }

  private func isNamed(_ domain: DomainID) -> Bool {
    domain == .host || configuration.domains.contains { $0.domain == domain }
  }

  /// The settings of a domain: its own, or those of the host.
  private func settings(
    of domain: DomainID
  ) -> (watermarks: WatermarkSettings, thresholds: PressureThresholds) {
    let own = configuration.domains.first { $0.domain == domain }
    return (
      own?.watermarks ?? configuration.watermarks,
      own?.thresholds ?? configuration.thresholds
    )
  }
}
