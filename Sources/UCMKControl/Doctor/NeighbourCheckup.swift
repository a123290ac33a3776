// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Other programs that act when memory is short, found by the names of the running processes.
package struct NeighbourCheckup {
  private let roots: HostRoots

  /// Makes a check-up that reads below these roots.
  package init(roots: HostRoots) { self.roots = roots }

  /// A finding for each that runs, or one that says that none does.
  package var findings: [Finding] {
    let running = Set(names)
    let found = NeighbourCheckup.known.filter { running.contains($0.comm) }
    guard !found.isEmpty else {
      return [.ok("neighbours", "no other program that acts on memory pressure runs")]
    }
    return found.map { .warn($0.name, $0.meaning, mend: $0.remedy) }
  }

  private struct Neighbour {
    let name: String
    /// The name as the kernel keeps it: 15 bytes (`TASK_COMM_LEN` of `sched.h` less the NUL).
    var comm: String { String(name.prefix(15)) }
    let meaning: String
    let remedy: String
  }

  private static let known = [
    Neighbour(
      name: "systemd-oomd",
      meaning: "runs: it kills whole cgroups after 20 s (Fedora) or 30 s of pressure; "
        + "ucmkd is through its own steps after 15 s, so the two go together",
      remedy: "mkdir -p /etc/systemd/oomd.conf.d && printf "
        + "'[OOM]\\nDefaultMemoryPressureDurationSec=30s\\n' > /etc/systemd/oomd.conf.d/ucmkd.conf"
        + " && systemctl restart systemd-oomd"
    ),
    Neighbour(
      name: "earlyoom",
      meaning: "runs: by default it kills at 10 % available, before ucmkd asks at 5 %",
      remedy: "echo 'EARLYOOM_ARGS=\"-m 3\"' > /etc/default/earlyoom && systemctl restart earlyoom"
    ),
    Neighbour(
      name: "low-memory-monitor",
      meaning: "runs: it tells programs of pressure over the bus too, without saying how much",
      remedy: "systemctl disable --now low-memory-monitor"
    ),
    Neighbour(
      name: "nohang",
      meaning: "runs: it ends programs at 5 % available, just when ucmkd asks",
      remedy: "systemctl disable --now nohang nohang-desktop"
    ),
  ]

  /// The names of all processes; a script counts by its own name as well as its interpreter's.
  private var names: [String] {
    var names: [String] = []
    for folder in HostFiles.names(in: roots.proc) where folder.allSatisfy(\.isNumber) {
      let path = "\(roots.proc)/\(folder)"
      // A process that has gone by now is none.
      guard let text = HostFiles.textIfAny(path + "/comm") else { continue }
      let comm = text.split(separator: "\n").first.map { String($0) } ?? ""
      names.append(comm)
      if comm.hasPrefix("python") {
        let words = (HostFiles.textIfAny(path + "/cmdline") ?? "").split(separator: "\0")
        names += words.dropFirst().prefix(2).compactMap { word in
          word.split(separator: "/").last.map { String($0) }
        }
      }
    }
    return names
  }
}
