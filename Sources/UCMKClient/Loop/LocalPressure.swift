// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
package import UCMKLinux
package import UCMKModel

/// The process's own pressure file: what takes the daemon's place while there is none.
package final class LocalPressure {
  /// Stall of 200 ms within 2 s: systemd's own default for a service (`systemd.resource-control`),
  /// and a window that needs no privilege (`psi.rst`).
  private static let stall = TimeSpan.milliseconds(200)
  private static let window = TimeSpan.seconds(2)

  private enum Source {
    case watch(PressureWatch)
    case trigger(PSITrigger)
  }

  /// What is watched.
  package let path: String
  /// What is short when it fires.
  package let scope: Scope
  private let source: Source

  private init(_ source: Source, path: String, scope: Scope) {
    self.source = source
    self.path = path
    self.scope = scope
  }

  /// Opens what `fallback` allows and this host has; nil where that is nothing.
  ///
  /// Nothing here is an error for the program: a host without pressure files is a normal host.
  package static func open(
    _ fallback: UCMKClient.Configuration.Fallback,
    _ environment: ClientEnvironment
  ) -> LocalPressure? {
    let own = ownCgroup()
    let scope: Scope = own.map { .domain(.cgroup($0.path)) } ?? .domain(.host)
    switch fallback {
    case .none: return nil
    case .memoryPressureWatch: return openWatch(environment, scope).opened
    case .psi: return openTrigger(own, scope)
    case .automatic:
      let watch = openWatch(environment, scope)
      return watch.opened ?? (watch.isOff ? nil : openTrigger(own, scope))
    }
  }

  /// The descriptor to wait for, and for what.
  package var entry: PollEntry {
    switch source {
    case .watch(let watch): PollEntry(fd: watch.raw, events: watch.events)
    case .trigger(let trigger): PollEntry(fd: trigger.raw, events: .pri)
    }
  }

  /// Takes what woke the descriptor.
  package func take(_ ready: EpollEvents) -> PressureWatch.Drained {
    switch source {
    case .watch(let watch): watch.drain(ready)
    case .trigger: ready.contains(.err) ? .ended : ready.contains(.pri) ? .event : .nothing
    }
  }

  // MARK: - Opening

  private static func openWatch(
    _ environment: ClientEnvironment,
    _ scope: Scope
  ) -> (opened: LocalPressure?, isOff: Bool) {
    do throws(PressureWatchError) {
      let wanted = try PressureWatchEnvironment(
        watch: environment.pressureWatch,
        write: environment.pressureWrite
      )
      guard let watch = try wanted.open() else { return (nil, wanted == .off) }
      return (LocalPressure(.watch(watch), path: watch.path, scope: scope), false)
    } catch {
      // Whoever set the variable meant this file and no other.
      return (nil, true)
    }
  }

  private static func openTrigger(_ own: OwnCgroup?, _ scope: Scope) -> LocalPressure? {
    guard let own else { return nil }
    let path = own.path == "/" ? "/proc/pressure/memory" : "\(own.folder)/memory.pressure"
    do throws(TriggerError) {
      let trigger = try PSITrigger(path, kind: .some, stall: stall, window: window)
      return LocalPressure(.trigger(trigger), path: path, scope: scope)
    } catch {
      return nil
    }
  }

  private struct OwnCgroup {
    var path: String
    var folder: String
  }

  private static func ownCgroup() -> OwnCgroup? {
    do throws(SystemError) {
      guard let mount = try CgroupMount.find() else { return nil }
      let files = KernelFiles(cgroup: mount.path)
      guard let path = try PeerCgroup.path(ofProcess: ProcessID(getpid()), files) else {
        return nil
      }
      return OwnCgroup(path: path, folder: path == "/" ? mount.path : mount.path + path)
    } catch {
      return nil
    }
  }
}
