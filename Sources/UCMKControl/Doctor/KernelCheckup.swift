// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the kernel of this host offers: its version, PSI, cgroups, swap.
package struct KernelCheckup {
  private let roots: HostRoots

  /// Makes a check-up that reads below these roots.
  package init(roots: HostRoots) { self.roots = roots }

  /// All findings, in the order in which they are shown.
  package var findings: [Finding] { [kernel, psi] + cgroups + hiding + [swap] }

  private var release: String {
    let text = HostFiles.textIfAny(roots.proc + "/sys/kernel/osrelease") ?? ""
    return text.split(separator: "\n").first.map { String($0) } ?? ""
  }

  /// PSI came with Linux 4.20, its triggers with 5.2, triggers without privilege with 6.4
  /// (`psi.rst` and the log of `kernel/sched/psi.c`).
  private var kernel: Finding {
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard numbers.count == 2 else {
      return .warn("kernel", "its version cannot be read", mend: nil)
    }
    let (major, minor) = (numbers[0], numbers[1])
    func reaches(_ other: (Int, Int)) -> Bool { (major, minor) >= other }
    if !reaches((4, 20)) {
      return .fail("kernel", "Linux \(release) has no PSI (4.20 has)", mend: newerKernel)
    }
    if !reaches((5, 2)) {
      return .warn(
        "kernel",
        "Linux \(release) has no PSI triggers (5.2 has): averages are polled instead",
        mend: newerKernel
      )
    }
    guard reaches((6, 4)) else {
      return .ok("kernel", "Linux \(release); triggers need CAP_SYS_RESOURCE (6.4 lifts that)")
    }
    return .ok("kernel", "Linux \(release)")
  }

  // MARK: PSI

  private var psi: Finding {
    let path = roots.proc + "/pressure/memory"
    do throws(HostFiles.SystemError) {
      let text = try HostFiles.text(path)
      guard text.contains("some avg10=") else {
        return .warn("psi", "\(path) has a form that is not known", mend: nil)
      }
      return .ok("psi", "compiled in and enabled")
    } catch {
      switch error.number {
      case ENOENT where configuration["CONFIG_PSI"] == "n":
        return .fail(
          "psi",
          "this kernel is built without PSI: only the watermarks can start a round",
          mend: newerKernel
        )
      case ENOENT, EOPNOTSUPP:
        return .fail(
          "psi",
          "PSI is switched off: only the watermarks can start a round",
          mend: kernelParameter("psi=1")
        )
      case let number:
        return .fail(
          "psi",
          "\(path) cannot be read: \(systemMessage(number))",
          mend: "chmod a+r /proc/pressure/memory"
        )
      }
    }
  }

  /// The kernel's configuration as far as it is asked for here: `y`, `m`, `n`, or nothing known.
  private var configuration: [String: String] {
    guard let text = HostFiles.textIfAny("\(roots.boot)/config-\(release)") else { return [:] }
    let isBuilt = text.split(separator: "\n").contains("CONFIG_PSI=y")
    return ["CONFIG_PSI": isBuilt ? "y" : "n"]
  }

  // MARK: Cgroups

  private var cgroups: [Finding] {
    if let controllers = HostFiles.textIfAny(roots.cgroup + "/cgroup.controllers") {
      return [.ok("cgroups", "version 2"), memoryController(controllers)] + delegation
    }
    let isHybrid = HostFiles.exists(roots.cgroup + "/unified/cgroup.controllers")
    let isVersion1 = HostFiles.exists(roots.cgroup + "/memory")
    guard isHybrid || isVersion1 else {
      return [
        .fail(
          "cgroups",
          "no hierarchy is mounted: only the host as a whole is watched",
          mend: "mount -t cgroup2 none /sys/fs/cgroup"
        )
      ]
    }
    let mode = isHybrid ? "both versions (hybrid)" : "version 1"
    return [
      .fail(
        "cgroups",
        "\(mode): limits of cgroups cannot be followed, only the host as a whole is watched",
        mend: kernelParameter("systemd.unified_cgroup_hierarchy=1")
      )
    ]
  }

  private func memoryController(_ controllers: String) -> Finding {
    if lists(controllers, "memory") {
      return .ok("memory controller", "available")
    }
    let commandLine = HostFiles.textIfAny(roots.proc + "/cmdline") ?? ""
    let cause = commandLine.contains("cgroup_disable=memory") ? " (cgroup_disable=memory)" : ""
    return .fail(
      "memory controller",
      "not there\(cause): limits of cgroups cannot be followed",
      mend: kernelParameter("cgroup_enable=memory")
    )
  }

  /// Whether the controller reaches the slices, and the programs of whoever asks.
  private var delegation: [Finding] {
    guard let handed = HostFiles.textIfAny(roots.cgroup + "/cgroup.subtree_control") else {
      return []
    }
    guard lists(handed, "memory") else {
      return [
        .warn(
          "delegation",
          "the memory controller is not handed down: slices and services cannot run short",
          mend: "systemctl set-property system.slice MemoryAccounting=yes"
        )
      ]
    }
    let manager = "/user.slice/user-\(roots.user).slice/user@\(roots.user).service"
    guard let own = HostFiles.textIfAny("\(roots.cgroup)\(manager)/cgroup.controllers") else {
      return [.ok("delegation", "memory, to slices and services")]
    }
    guard lists(own, "memory") else {
      return [
        .warn(
          "delegation",
          "memory is not delegated to user \(roots.user): a user's instance watches the host only",
          mend: "mkdir -p /etc/systemd/system/user@.service.d && printf "
            + "'[Service]\\nDelegate=cpu memory pids\\n' > "
            + "/etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload"
            + ", then log in again"
        )
      ]
    }
    return [.ok("delegation", "memory, to slices and services and to user \(roots.user)")]
  }

  private func lists(_ text: String, _ word: String) -> Bool {
    text.split(whereSeparator: \.isWhitespace).contains { $0 == word }
  }

  /// Whether procfs shows a daemon that is not root what its clients hold (`hidepid=`, proc(5)).
  private var hiding: [Finding] {
    let mounts = (HostFiles.textIfAny(roots.proc + "/mounts") ?? "").split(separator: "\n")
    let isHidden = mounts.contains { line in
      let fields = line.split(separator: " ")
      guard fields.count > 3, fields[1] == "/proc" else { return false }
      return fields[3].split(separator: ",").contains {
        $0.hasPrefix("hidepid=") && !["hidepid=0", "hidepid=off"].contains($0)
      }
    }
    guard isHidden else { return [] }
    return [
      .fail(
        "hidepid",
        "/proc hides the processes of others: what clients hold cannot be measured",
        mend: "mount -o remount,hidepid=0 /proc"
      )
    ]
  }

  // MARK: Swap

  private var swap: Finding {
    guard let text = HostFiles.textIfAny(roots.proc + "/swaps") else {
      return .warn("swap", "\(roots.proc)/swaps cannot be read", mend: nil)
    }
    let devices = text.split(separator: "\n").dropFirst()
      .compactMap { $0.split(whereSeparator: \.isWhitespace).first }
    guard !devices.isEmpty else {
      return .warn(
        "swap",
        "none: pressure shows late, the watermarks carry the load",
        mend: hasDNF ? "dnf install zram-generator-defaults" : "apt-get install zram-tools"
      )
    }
    let compressed = devices.filter { $0.hasPrefix("/dev/zram") }.count
    let kind =
      compressed == devices.count ? "zram" : compressed > 0 ? "zram and disk" : "disk"
    return .ok("swap", "\(Quantity.plural(Int64(devices.count), "area")) (\(kind))")
  }

  // MARK: Remedies

  private var hasDNF: Bool { HostFiles.exists(roots.programs + "/dnf") }

  private var newerKernel: String {
    (hasDNF ? "dnf upgrade kernel" : "apt-get install linux-image-amd64") + " && systemctl reboot"
  }

  /// The commands that put `parameter` on the kernel's command line: Fedora keeps it with the boot
  /// entries, Debian in a file from which they are made.
  private func kernelParameter(_ parameter: String) -> String {
    let change =
      hasDNF
      ? "grubby --update-kernel=ALL --args=\(parameter)"
      : "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&\(parameter) /' /etc/default/grub && update-grub"
    return change + " && systemctl reboot"
  }
}
