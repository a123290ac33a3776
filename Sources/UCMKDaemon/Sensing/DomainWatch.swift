// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKCore
import UCMKLinux
import UCMKModel

/// The sources of pressure of one domain: up to three triggers, one for each level.
///
/// Where no trigger can be set (a fixture, a kernel that refuses, a file without the right to
/// write) the domain is read from time to time instead: source "average".
final class DomainWatch {
  /// What a trigger of the domain says.
  enum Notice {
    /// Tasks stall enough for this level.
    case alarm(PressureLevel)
    /// The cgroup was removed.
    case gone
  }

  let domain: DomainID
  /// Whether the domain has to be polled because no trigger could be set.
  private(set) var isPolled = false
  /// Whether there is no PSI file at all: neither triggers nor averages.
  private(set) var isBlind = false
  /// Why a trigger could not be set, for people; nil where all are.
  private(set) var problem: String?

  private let thresholds: PressureThresholds
  private var triggers: [(level: PressureLevel, trigger: PSITrigger, source: any WatchedSource)] =
    []

  /// Sets what can be set.
  init(
    _ domain: DomainID,
    path: String?,
    thresholds: PressureThresholds,
    registry: any SourceRegistry,
    notice: @escaping (DomainID, Notice) -> Void
  ) {
    self.domain = domain
    self.thresholds = thresholds
    guard let path else {
      problem = "no PSI file"
      return
    }
    for (level, threshold) in DomainWatch.levels(thresholds) {
      do throws(TriggerError) {
        let trigger = try PSITrigger(
          path,
          kind: threshold.isFull ? .full : .some,
          stall: threshold.stall,
          window: threshold.window
        )
        try add(trigger, level, registry, notice)
      } catch {
        problem = error.description
        isBlind = isBlind || error.isAbsence
      }
    }
    isPolled = triggers.isEmpty
  }

  private func add(
    _ trigger: PSITrigger,
    _ level: PressureLevel,
    _ registry: any SourceRegistry,
    _ notice: @escaping (DomainID, Notice) -> Void
  ) throws(TriggerError) {
    do throws(SystemError) {
      let source = try registry.add(trigger.raw, .pri) { [domain] ready in
        // A removed cgroup reports an error for ever (psi.rst): watching on would spin.
        notice(domain, ready.contains(.err) ? .gone : .alarm(level))
      }
      triggers.append((level, trigger, source))
    } catch {
      throw .system(error)
    }
  }

  /// Stops watching.
  func close() {
    for entry in triggers { entry.source.remove() }
    triggers.removeAll()
  }

  /// What `status` lists.
  var status: [TriggerStatus] {
    guard !isBlind else { return [] }
    guard isPolled else {
      return triggers.map { entry in
        TriggerStatus(
          domain: domain,
          threshold: StallThreshold(
            isFull: entry.trigger.kind == .full,
            stall: entry.trigger.stall,
            window: entry.trigger.window
          ),
          source: .trigger
        )
      }
    }
    return DomainWatch.levels(thresholds).map { _, threshold in
      TriggerStatus(domain: domain, threshold: threshold, source: .average)
    }
  }

  /// Whether a trigger's window is wider than the one asked for.
  var isWidened: Bool { triggers.contains { $0.trigger.precision == .widened } }

  private static func levels(
    _ thresholds: PressureThresholds
  ) -> [(PressureLevel, StallThreshold)] {
    [
      (.low, thresholds.low), (.medium, thresholds.medium), (.critical, thresholds.critical),
    ]
  }
}

extension TriggerError {
  /// Whether the kernel has no such file, or was started without PSI.
  fileprivate var isAbsence: Bool {
    guard case .system(let error) = self else { return false }
    return error.errno == ENOENT || error.errno == EOPNOTSUPP
  }
}
