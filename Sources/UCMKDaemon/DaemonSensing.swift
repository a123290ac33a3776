// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKProtocol
import UCMKSystemd

/// Domains: their sources, their readings, and who belongs to them.
extension Daemon {
  /// How often domains without a trigger are read, while anybody has a cache.
  static let averagePeriod = TimeSpan.seconds(2)
  /// How often the limits above clients are looked at again at most.
  static let relocatePeriod = TimeSpan.seconds(10)

  // MARK: - Sources

  func watch(_ domain: DomainID) {
    unwatch(domain)
    let settings = settings.configuration
    let own = settings.domains.first { $0.domain == domain }?.thresholds
    let watch = DomainWatch(
      domain,
      path: reader.pressurePath(of: domain),
      thresholds: own ?? settings.thresholds,
      registry: surroundings.registry
    ) { [unowned self] domain, notice in noticed(domain, notice) }
    watches.append(watch)
    if watch.isPolled { armPoll() }
    noteAbsence(of: domain, isAbsent: watch.isBlind)
    if let problem = watch.problem {
      log(
        .info,
        watch.isPolled ? "no trigger; averages are read instead" : "a trigger is missing",
        [("domain", domain.name), ("reason", problem)]
      )
    }
  }

  func unwatch(_ domain: DomainID) {
    guard let index = watches.firstIndex(where: { $0.domain == domain }) else { return }
    watches.remove(at: index).close()
  }

  private func noticed(_ domain: DomainID, _ notice: DomainWatch.Notice) {
    now = surroundings.now()
    switch notice {
    case .gone:
      unwatch(domain)
      lose(domain)
    case .alarm(let level):
      alarms += 1
      readProtections(atMostEvery: Daemon.protectionPeriod)
      if let reading = read(domain) {
        submit(.alarmed(domain, level, .trigger, reading))
      } else {
        lose(domain)
      }
    }
    finishBatch()
  }

  /// A domain cannot be read.
  func lose(_ domain: DomainID) {
    submit(.domainLost(domain))
    noteAbsence(of: domain, isAbsent: true)
  }

  /// What the domain is like now; nil where it cannot be read.
  func read(_ domain: DomainID) -> DomainReading? {
    let own = settings.configuration.domains.first { $0.domain == domain }
    return reader.reading(of: domain, settings: own) { residentBytes(in: domain) }
  }

  /// The resident bytes of the processes that have a session in the domain, each once.
  private func residentBytes(in domain: DomainID) -> ByteCount {
    var seen: [ProcessID] = []
    var sum = ByteCount.zero
    sessions.forEach { session in
      let process = session.peer.process
      guard session.isMember, !seen.contains(process) else { return }
      seen.append(process)
      let cgroup = reader.cgroup(of: process)
      guard domain.contains(cgroup: cgroup) else { return }
      sum += reader.reading(of: process, cgroup: nil, depth: .status)?.held ?? .zero
    }
    return sum
  }

  // MARK: - Averages

  /// Domains without a trigger are read from time to time, while there is anybody to ask.
  private func armPoll() {
    guard nextPoll == nil, broker.totals.caches > 0 else { return }
    nextPoll = now + Daemon.averagePeriod
  }

  func pollDomains() {
    nextPoll = nil
    var isNeeded = false
    for watch in watches where watch.isPolled {
      isNeeded = true
      if let reading = read(watch.domain) { submit(.sampled(watch.domain, reading)) }
    }
    if isNeeded { armPoll() }
  }

  /// To be called when a cache came: the poll may have stopped for want of anybody to ask.
  func pollIfNeeded() {
    if watches.contains(where: \.isPolled) { armPoll() }
  }

  // MARK: - Who belongs where

  /// Looks again at the cgroups of all clients and at the limits above them.
  ///
  /// - Parameter force: Also where it was done a moment ago: the settings changed.
  func relocateClients(force: Bool = false) {
    guard force || now >= relocatedAt + Daemon.relocatePeriod else { return }
    relocatedAt = now
    sessions.forEach { session in
      guard session.isMember, let known = broker.client(session.client) else { return }
      let facts = facts(of: session)
      guard facts != known.facts else { return }
      submit(.relocated(session.client, facts))
      readNewProtections(of: session.client)
    }
  }

  // MARK: - Status

  /// Whether the host has no source of pressure at all: watermarks alone are left.
  var isDegraded: Bool {
    guard let host = watches.first(where: { $0.domain == .host }) else { return true }
    return host.status.isEmpty && !hasEnvironmentWatch
  }

  var triggerStatus: [TriggerStatus] {
    var status = watches.flatMap(\.status)
    if hasEnvironmentWatch {
      status.append(
        TriggerStatus(
          domain: .host,
          threshold: StallThreshold(isFull: false, stall: .zero, window: .zero),
          source: .watch
        )
      )
    }
    return status
  }

  /// Each way to a program and whether it is on.
  var surfaces: [(name: String, state: String)] {
    [
      ("json-rpc", "on"), ("signal", "off"), ("uevent", "off"), ("purgeable", "off"),
      ("reclaim", "off"), ("low-memory-monitor", "off"), ("pressure-socket", "off"),
    ]
  }
}
