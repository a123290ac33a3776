// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKLinux
import UCMKModel

/// What a host may lack, and what the daemon makes of it: it works without, or does not start where
/// the administrator wants it to be there (`Require=`).
package enum HostRequirement: String, Sendable, Equatable, CaseIterable {
  /// Pressure information, compiled in and switched on.
  case psi
  /// The v2 hierarchy with its memory controller.
  case cgroup2

  /// What is logged where it is not there and need not be.
  var consequence: String {
    switch self {
    case .psi: "only the watermarks can start a round"
    case .cgroup2: "no cgroup is watched"
    }
  }

  /// What the host lacks.
  static func lacking(at places: Places) -> [HostRequirement] {
    let files = KernelFiles(proc: places.proc, cgroup: places.cgroup?.path)
    var lacking: [HostRequirement] = []
    if !hasPSI(files) { lacking.append(.psi) }
    if places.cgroup?.hasMemoryController != true { lacking.append(.cgroup2) }
    return lacking
  }

  /// Ends the start where something is required that the host lacks.
  ///
  /// - Throws: `unavailable`, with what is missing and how it is had.
  static func check(
    _ required: [HostRequirement],
    _ lacking: [HostRequirement]
  ) throws(StartProblem) {
    let missing = lacking.filter { required.contains($0) }
    guard !missing.isEmpty else { return }
    let lines = missing.map { lack in
      "Require=\(lack.rawValue), but \(lack.absence); ucmkctl doctor prints what mends it"
    }
    throw StartProblem(.unavailable, lines.joined(separator: "\n"))
  }

  private var absence: String {
    switch self {
    case .psi: "this kernel offers no pressure information (PSI)"
    case .cgroup2: "there is no cgroup v2 hierarchy with the memory controller"
    }
  }

  private static func hasPSI(_ files: KernelFiles) -> Bool {
    do throws(SystemError) {
      return try PSIReader.host(files) != nil
    } catch {
      // The file is there; what is wrong with it is told when it is used.
      return true
    }
  }
}
