// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
import UCMKModel

/// Reads domains and processes, and finds the domains of a cgroup.
final class DomainReader {
  private let files: KernelFiles
  /// How often reading failed for a reason other than absence.
  private(set) var failures: UInt64 = 0
  /// The first such reason since the last time somebody asked, for one line in the log.
  private var firstFailure: SystemError?

  /// Whether the executable of a process was asked for that the daemon may not look at.
  private(set) var isDenied = false

  init(files: KernelFiles) { self.files = files }

  /// The failure that was not told yet.
  func takeFailure() -> SystemError? {
    defer { firstFailure = nil }
    return firstFailure
  }

  /// What the domain is like now; nil where it cannot be read.
  ///
  /// - Parameters:
  ///   - domain: The host or a cgroup.
  ///   - settings: What the administrator says of it, if anything.
  ///   - members: The resident bytes of its clients' processes, asked for only where nothing else
  ///     tells what a budget is used for.
  /// - Returns: nil where it cannot be read.
  func reading(
    of domain: DomainID,
    settings: DomainSettings?,
    members: () -> ByteCount
  ) -> DomainReading? {
    switch domain {
    case .host: return host(budget: settings?.capacity)
    case .cgroup(let path):
      let known = attempt { () throws(SystemError) in
        try CgroupMemoryReader.reading(of: path, budget: settings?.capacity, files)
      }
      if let known { return known }
      guard let budget = settings?.capacity else { return nil }
      // A host that accounts memory elsewhere (cgroup v1): the members' own numbers are all
      // there is.
      return DomainReading(
        capacity: budget,
        available: budget - members(),
        pressure: attempt { () throws(SystemError) in
          try PSIReader.cgroup(path, files)
        }
      )
    }
  }

  private func host(budget: ByteCount?) -> DomainReading? {
    guard
      var reading = attempt({ () throws(SystemError) in try MemInfoReader.reading(files) })
    else { return nil }
    guard let budget, budget < reading.capacity else { return reading }
    reading.available -= reading.capacity - budget
    reading.capacity = budget
    return reading
  }

  /// The process's memory now; nil where it is gone or may not be read.
  func reading(
    of process: ProcessID,
    cgroup: String?,
    depth: ProcessReader.Depth
  ) -> ProcessReading? {
    attempt { () throws(SystemError) in
      try ProcessReader.reading(of: process, cgroup: cgroup, depth: depth, files)
    }
  }

  /// The v2 cgroup of a process, as far as it can be known.
  func cgroup(of process: ProcessID) -> String? {
    attempt { () throws(SystemError) in try PeerCgroup.path(ofProcess: process, files) }
  }

  /// The executable of a process, as far as it may be known.
  func executable(of process: ProcessID) -> String? {
    attempt { () throws(SystemError) in
      do throws(SystemError) {
        return try ProcessReader.executable(of: process, files)
      } catch {
        // The normal state of another user's process, without CAP_SYS_PTRACE.
        guard error.isPermission else { throw error }
        isDenied = true
        return nil
      }
    }
  }

  /// The domains that a process in `path` belongs to besides the host, outermost first: each
  /// ancestor with `memory.high` or `memory.max`, and each that the settings name.
  func domains(ofCgroup path: String?, named: [DomainSettings]) -> [DomainID] {
    guard let path, path != "/" else { return [] }
    var found: [DomainID] = []
    var end = path.startIndex
    while end < path.endIndex {
      let next = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
      let ancestor = String(path[..<next])
      let isNamed = named.contains { $0.domain == .cgroup(ancestor) }
      let isLimited = attempt { () throws(SystemError) in
        try CgroupMemoryReader.isLimited(ancestor[...], files)
      }
      if isNamed || isLimited == true { found.append(.cgroup(ancestor)) }
      end = next
    }
    return found
  }

  /// What the kernel keeps for a cgroup; nothing where that cannot be read.
  func protection(of path: String) -> CgroupProtection {
    attempt { () throws(SystemError) in
      try CgroupMemoryReader.protection(of: path[...], files)
    } ?? .none
  }

  /// The path of a domain's PSI file; nil where there can be none.
  func pressurePath(of domain: DomainID) -> String? {
    switch domain {
    case .host: files.text(of: .proc("pressure/memory"))
    case .cgroup(let path): files.text(of: .cgroup(path, "memory.pressure"))
    }
  }

  private func attempt<Value>(_ body: () throws(SystemError) -> Value?) -> Value? {
    do throws(SystemError) {
      return try body()
    } catch {
      failures += 1
      if firstFailure == nil { firstFailure = error }
      return nil
    }
  }
}
