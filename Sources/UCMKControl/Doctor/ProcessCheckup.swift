// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What the running daemon's process may do and how it is protected; nothing where none runs, or
/// where it is a user's own.
package struct ProcessCheckup {
  private let roots: HostRoots

  /// Makes a check-up that reads below these roots.
  package init(roots: HostRoots) { self.roots = roots }

  /// All findings.
  package var findings: [Finding] {
    guard let folder = folder else { return [] }
    let status = values(HostFiles.textIfAny(folder + "/status") ?? "")
    return [capabilities(status), lock(status)] + kernelKilling(folder)
  }

  // Numbers of capability.h.
  private static let names: [(bit: Int, name: String)] = [
    (1, "CAP_DAC_OVERRIDE"), (5, "CAP_KILL"), (19, "CAP_SYS_PTRACE"), (23, "CAP_SYS_NICE"),
    (24, "CAP_SYS_RESOURCE"),
  ]

  private func capabilities(_ status: [String: String]) -> Finding {
    guard let mask = status["CapEff"].flatMap({ UInt64($0, radix: 16) }) else {
      return .warn("capabilities", "those of ucmkd cannot be read", mend: nil)
    }
    let held = ProcessCheckup.names.filter { mask & 1 << UInt64($0.bit) != 0 }.map(\.name)
    guard held.contains("CAP_SYS_RESOURCE") else {
      return .warn(
        "capabilities",
        "CAP_SYS_RESOURCE is missing: pressure is seen in windows of 2 s instead of 1 s",
        mend: UnitDropIn.command("psi", "AmbientCapabilities=CAP_SYS_RESOURCE")
      )
    }
    let isWhole = mask.nonzeroBitCount > held.count
    return .ok("capabilities", isWhole ? "more than the unit grants" : held.joined(separator: ", "))
  }

  private func lock(_ status: [String: String]) -> Finding {
    let size = status["VmLck"]?.split(separator: " ").first.flatMap { Int64($0) } ?? 0
    guard size > 0 else {
      return .warn(
        "memory lock",
        "the daemon's own memory is not locked: it may be slow when it is needed",
        mend: UnitDropIn.command("memlock", "LimitMEMLOCK=infinity")
      )
    }
    return .ok("memory lock", Quantity.size(size << 10))
  }

  private func kernelKilling(_ folder: String) -> [Finding] {
    guard let text = HostFiles.textIfAny(folder + "/oom_score_adj"),
      let score = Int(text.prefix { $0 == "-" || $0.isNumber })
    else { return [] }
    // What systemd-oomd's own unit has.
    guard score > -900 else { return [.ok("oom score", "\(score)")] }
    return [
      .warn(
        "oom score",
        "\(score): the kernel may end the daemon first when memory is short",
        mend: UnitDropIn.command("oom", "OOMScoreAdjust=-900")
      )
    ]
  }

  /// The folder of the system instance's process.
  private var folder: String? {
    for name in HostFiles.names(in: roots.proc) where name.allSatisfy(\.isNumber) {
      let path = "\(roots.proc)/\(name)"
      guard HostFiles.textIfAny(path + "/comm") == "ucmkd\n" else { continue }
      let status = values(HostFiles.textIfAny(path + "/status") ?? "")
      let user = status["Uid"]?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
      // Users of the system end below 1000 (systemd's SYSTEM_UID_MAX).
      if user ?? 0 < 1_000 { return path }
    }
    return nil
  }

  private func values(_ text: String) -> [String: String] {
    var values: [String: String] = [:]
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop(while: \.isWhitespace)
      values[String(line[..<colon])] = String(value)
    }
    return values
  }
}

/// A change to the daemon's unit, as root types it.
enum UnitDropIn {
  /// The commands that put `setting` into a drop-in of this name and take it into force.
  static func command(_ name: String, _ setting: String) -> String {
    "mkdir -p /etc/systemd/system/ucmkd.service.d && printf '[Service]\\n\(setting)\\n' > "
      + "/etc/systemd/system/ucmkd.service.d/\(name).conf"
      + " && systemctl daemon-reload && systemctl restart ucmkd"
  }
}
