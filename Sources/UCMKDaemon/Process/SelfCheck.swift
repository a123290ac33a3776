// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
import UCMKModel

/// `--check`: what this host allows, what the settings say, each trigger and surface with its
/// reason.
///
/// Changes nothing and serves nobody.
struct SelfCheck {
  private let options: DaemonOptions
  private let places: Places

  init(_ options: DaemonOptions) throws(StartProblem) {
    self.options = options
    places = try Places(options)
  }

  /// Prints the report.
  ///
  /// Returns whether a daemon started here would be of use.
  func run(_ tell: (String) -> Void) -> ExitCode {
    let settings: Settings
    switch places.settings.load() {
    case .invalid(let problems):
      for problem in problems { tell("\(problem.description)\n") }
      tell("settings: wrong; not usable\n")
      return .configuration
    case .valid(let valid): settings = valid
    }
    tellSettings(settings, tell)
    let files = KernelFiles(proc: places.proc, cgroup: places.cgroup?.path)
    let reader = DomainReader(files: files)
    guard let host = reader.reading(of: .host, settings: nil, members: { .zero }) else {
      tell("host: \(places.proc)/meminfo cannot be read; not usable\n")
      return .configuration
    }
    tellHost(host, tell)
    tellTriggers(settings, reader, tell)
    for surface in ["json-rpc: on, \(places.socket)"] { tell("surface \(surface)\n") }
    for name in [
      "signal", "uevent", "purgeable", "reclaim", "low-memory-monitor", "pressure-socket",
    ] {
      tell("surface \(name): off, not in this release\n")
    }
    tell("usable\n")
    return .stopped
  }

  private func tellSettings(_ settings: Settings, _ tell: (String) -> Void) {
    tell("settings: \(places.settings.main)")
    tell(settings.assigned.isEmpty ? ", all defaults\n" : "\n")
    for entry in settings.assigned { tell("  \(entry.key)=\(entry.value)\n") }
  }

  private func tellHost(_ host: DomainReading, _ tell: (String) -> Void) {
    tell("host: \(host.capacity.value >> 20) MiB, \(host.available.value >> 20) MiB available\n")
    tell("pressure: \(host.pressure == nil ? "no PSI file; watermarks alone" : "PSI")\n")
    switch places.cgroup {
    case nil: tell("cgroup: no v2 hierarchy; the host is the only domain\n")
    case let mount? where !mount.hasMemoryController:
      tell("cgroup: v2 at \(mount.path) without the memory controller; ")
      tell("domains need Capacity=\n")
    case let mount?: tell("cgroup: v2 at \(mount.path) with the memory controller\n")
    }
  }

  private func tellTriggers(
    _ settings: Settings,
    _ reader: DomainReader,
    _ tell: (String) -> Void
  ) {
    let domains = [DomainID.host] + settings.configuration.domains.map(\.domain)
    for domain in domains where domain != .host || domains.first == domain {
      let own = settings.configuration.domains.first { $0.domain == domain }?.thresholds
      let watch = DomainWatch(
        domain,
        path: reader.pressurePath(of: domain),
        thresholds: own ?? settings.configuration.thresholds,
        registry: NoRegistry()
      ) { _, _ in }
      for trigger in watch.status {
        let threshold = trigger.threshold
        tell("trigger \(domain.name): \(threshold.isFull ? "full" : "some") ")
        tell("\(threshold.stall.microseconds)us/\(threshold.window.microseconds)us, ")
        tell(trigger.source == .trigger ? "trigger" : "average")
        if watch.isWidened { tell(", windows of 2 s: CAP_SYS_RESOURCE is missing") }
        tell("\n")
      }
      if let problem = watch.problem { tell("trigger \(domain.name): \(problem)\n") }
      watch.close()
    }
  }
}

/// Watches nothing: a check only looks whether a trigger can be set.
private final class NoRegistry: SourceRegistry {
  func add(
    _ fd: Int32,
    _ events: EpollEvents,
    _ handler: @escaping (EpollEvents) -> Void
  ) throws(SystemError) -> any WatchedSource { NoSource() }
}

private final class NoSource: WatchedSource {
  func remove() {}
}
