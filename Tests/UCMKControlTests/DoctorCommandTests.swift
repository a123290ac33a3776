// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKControl

/// A folder that stands in for the files of a host.
final class FakeHost {
  let folder: String
  var roots = HostRoots()

  /// Makes a host of these files; a healthy one where none of them says otherwise.
  init(_ files: [String: String?] = [:]) throws {
    folder = try FakeDaemon.makeFolder()
    roots.proc = folder + "/proc"
    roots.cgroup = folder + "/cgroup"
    roots.boot = folder + "/boot"
    roots.programs = folder + "/bin"
    roots.user = 1_000
    for (path, text) in FakeHost.healthy.merging(files, uniquingKeysWith: { $1 }) {
      guard let text else { continue }
      let file = URL(fileURLWithPath: "\(folder)/\(path)")
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(),
        withIntermediateDirectories: true
      )
      try text.write(to: file, atomically: false, encoding: .utf8)
    }
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
  }

  private static let healthy: [String: String?] = [
    "proc/sys/kernel/osrelease": "6.12.9-amd64\n",
    "proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "proc/cmdline": "BOOT_IMAGE=/vmlinuz quiet\n",
    "proc/swaps": "Filename Type Size Used Priority\n/dev/zram0 partition 8 0 100\n",
    "proc/1/comm": "systemd\n",
    "proc/42/comm": "bash\n",
    "proc/mounts": "proc /proc proc rw,nosuid,relatime 0 0\n",
    "cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
    "cgroup/cgroup.subtree_control": "cpu memory pids\n",
  ]
}

@Suite("ucmkctl doctor")
struct DoctorCommandTests {
  private func daemon(roles: String = #""observer","admin""#, _ status: String = "") throws
    -> FakeDaemon
  {
    let hello = Samples.hello.replacing(#""observer","admin""#, with: roles)
    let usual = #""triggers":[{"source":"trigger","window_us":1000000}],"surfaces":{"socket":"on"}"#
    return try FakeDaemon([
      "hello": [.result(hello)],
      "daemon.status": [
        .result("{\"version\":\"0.1.0\",\"state\":\"idle\",\(status.isEmpty ? usual : status)}")
      ],
    ])
  }

  /// The lines about one subject, of a host with these files.
  private func lines(_ subject: String, _ files: [String: String?]) throws -> [String] {
    let host = try FakeHost(files)
    let run = Run("doctor", on: try daemon(), host: host.roots)
    let lines = run.output.split(separator: "\n").map { String($0) }
    var found: [String] = []
    for (index, line) in lines.enumerated() where line.dropFirst(6).hasPrefix(subject) {
      found.append(line)
      if index + 1 < lines.count, lines[index + 1].hasPrefix("      mend: ") {
        found.append(lines[index + 1])
      }
    }
    return found.map { $0.replacing(host.folder, with: "") }
  }

  @Test("a host that lacks nothing")
  func healthy() throws {
    let (host, daemon) = (try FakeHost(), try daemon())
    let run = Run("doctor", on: daemon, host: host.roots)
    #expect(run.status == 0)
    #expect(
      run.output == """
        ok    kernel            Linux 6.12.9-amd64
        ok    psi               compiled in and enabled
        ok    cgroups           version 2
        ok    memory controller available
        ok    delegation        memory, to slices and services
        ok    swap              1 area (zram)
        ok    neighbours        no other program that acts on memory pressure runs
        ok    daemon            0.1.0 at \(daemon.path), idle
        ok    roles             observer, admin
        ok    triggers          1, by the kernel

        nothing lacks

        """
    )
    #expect(run.errors == "")
  }

  @Test("a host that lacks much is 1, and each line says what to type")
  func poor() throws {
    let host = try FakeHost([
      "proc/pressure/memory": nil, "cgroup/cgroup.controllers": nil,
      "cgroup/memory/x": "", "cgroup/unified/cgroup.controllers": "",
      "proc/swaps": "Filename Type Size Used Priority\n", "proc/77/comm": "earlyoom\n",
    ])
    let run = Run("doctor --socket /nowhere/s", host: host.roots)
    #expect(run.status == 1)
    #expect(
      run.output == """
        ok    kernel            Linux 6.12.9-amd64
        fail  psi               PSI is switched off: only the watermarks can start a round
              mend: sed -i 's/^GRUB_CMDLINE_LINUX="/&psi=1 /' /etc/default/grub && update-grub \
        && systemctl reboot
        fail  cgroups           both versions (hybrid): limits of cgroups cannot be followed, \
        only the host as a whole is watched
              mend: sed -i 's/^GRUB_CMDLINE_LINUX="/&systemd.unified_cgroup_hierarchy=1 /' \
        /etc/default/grub && update-grub && systemctl reboot
        warn  swap              none: pressure shows late, the watermarks carry the load
              mend: apt-get install zram-tools
        warn  earlyoom          runs: by default it kills at 10 % available, before ucmkd asks \
        at 5 %
              mend: echo 'EARLYOOM_ARGS="-m 3"' > /etc/default/earlyoom && systemctl restart \
        earlyoom
        fail  daemon            no daemon at /nowhere/s: No such file or directory
              mend: systemctl enable --now ucmkd.socket ucmkd.service

        3 things lack

        """
    )
  }

  @Test("on a terminal the text is broken, the commands are not")
  func terminal() throws {
    let host = try FakeHost(["cgroup/cgroup.controllers": nil, "cgroup/memory/x": ""])
    let run = Run(
      "doctor --socket /nowhere/s",
      columns: 70,
      environment: ["NO_COLOR": "1"],
      host: host.roots
    )
    #expect(
      run.output.contains(
        """
        fail  cgroups           version 1: limits of cgroups cannot be
                                followed, only the host as a whole is watched
              mend: sed -i
        """
      )
    )
    let coloured = Run("doctor --socket /nowhere/s", columns: 70, host: host.roots).output
    #expect(coloured.hasPrefix("\u{1B}[32mok\u{1B}[0m    kernel            Linux 6.12.9"))
    #expect(coloured.contains("\n\u{1B}[1;31mfail\u{1B}[0m  cgroups "))
  }

  @Test("the same as a document")
  func json() throws {
    let host = try FakeHost(["proc/swaps": "Filename\n"])
    let run = Run("doctor --json --socket /nowhere/s", host: host.roots)
    #expect(run.status == 1)
    let document = try JSONValue(parsing: run.output)
    #expect(document.members.map(\.key) == ["complete", "findings"])
    #expect(document["complete"].bool == false)
    let findings = document["findings"].items
    #expect(
      findings.map { $0["subject"].string } == [
        "kernel", "psi", "cgroups", "memory controller", "delegation", "swap", "neighbours",
        "daemon",
      ]
    )
    #expect(
      findings[5].line
        == #"{"subject":"swap","state":"warn","text":"none: pressure shows late, the watermarks "#
        + #"carry the load","remedy":"apt-get install zram-tools"}"#
    )
    #expect(findings[0]["remedy"].isNull)
  }

  @Test(
    "the kernel's version decides what it can do",
    arguments: [
      ("4.19.0-27-amd64\n", "fail", "Linux 4.19.0-27-amd64 has no PSI (4.20 has)"),
      (
        "4.20.1\n", "warn",
        "Linux 4.20.1 has no PSI triggers (5.2 has): averages are polled instead"
      ),
      (
        "6.1.0-50-amd64\n", "ok",
        "Linux 6.1.0-50-amd64; triggers need CAP_SYS_RESOURCE (6.4 lifts that)"
      ),
      ("6.4.0\n", "ok", "Linux 6.4.0"), ("10.0-rc1\n", "ok", "Linux 10.0-rc1"),
      ("unknown\n", "warn", "its version cannot be read"),
      ("", "warn", "its version cannot be read"),
    ]
  )
  func kernel(release: String, state: String, text: String) throws {
    let lines = try lines("kernel", ["proc/sys/kernel/osrelease": release])
    let padding = String(repeating: " ", count: 6 - state.count)
    #expect(lines.first == "\(state)\(padding)kernel            \(text)")
    #expect(
      lines.dropFirst()
        == (text.contains("has)")
          || text.contains("has):")
          ? ["      mend: apt-get install linux-image-amd64 && systemctl reboot"] : [])
    )
  }

  @Test("PSI that is not compiled in needs another kernel")
  func noPSI() throws {
    let files: [String: String?] = [
      "proc/pressure/memory": nil, "bin/dnf": "",
      "boot/config-6.12.9-amd64": "CONFIG_A=y\n# CONFIG_PSI is not set\n",
    ]
    #expect(
      try lines("psi", files) == [
        "fail  psi               this kernel is built without PSI: only the watermarks can start "
          + "a round",
        "      mend: dnf upgrade kernel && systemctl reboot",
      ]
    )
  }

  @Test("PSI that is compiled in but off needs a parameter, as the distribution sets it")
  func offPSI() throws {
    let files: [String: String?] = [
      "proc/pressure/memory": nil, "bin/dnf": "",
      "boot/config-6.12.9-amd64": "CONFIG_PSI=y\nCONFIG_PSI_DEFAULT_DISABLED=y\n",
    ]
    #expect(
      try lines("psi", files) == [
        "fail  psi               PSI is switched off: only the watermarks can start a round",
        "      mend: grubby --update-kernel=ALL --args=psi=1 && systemctl reboot",
      ]
    )
  }

  @Test("a PSI file of another form is worth a word")
  func strangePSI() throws {
    #expect(
      try lines("psi", ["proc/pressure/memory": "half"])
        == ["warn  psi               /proc/pressure/memory has a form that is not known"]
    )
  }

  @Test("no hierarchy at all")
  func noCgroups() throws {
    #expect(
      try lines("cgroups", ["cgroup/cgroup.controllers": nil]) == [
        "fail  cgroups           no hierarchy is mounted: only the host as a whole is watched",
        "      mend: mount -t cgroup2 none /sys/fs/cgroup",
      ]
    )
  }

  @Test(
    "version 2 without the memory controller",
    arguments: [
      ("quiet", ""), ("quiet cgroup_disable=memory", " (cgroup_disable=memory)"),
    ]
  )
  func noController(commandLine: String, cause: String) throws {
    let lines = try lines(
      "memory controller",
      ["cgroup/cgroup.controllers": "cpu memory_recursiveprot pids\n", "proc/cmdline": commandLine]
    )
    #expect(
      lines == [
        "fail  memory controller not there\(cause): limits of cgroups cannot be followed",
        "      mend: sed -i 's/^GRUB_CMDLINE_LINUX=\"/&cgroup_enable=memory /' "
          + "/etc/default/grub && update-grub && systemctl reboot",
      ]
    )
  }

  @Test(
    "swap of each kind",
    arguments: [
      ("/dev/sda2 partition 9 0 -2\n", "1 area (disk)"),
      ("/dev/zram0 partition 9 0 100\n/swap file 9 0 -2\n", "2 areas (zram and disk)"),
      ("/dev/zram0 partition 9 0 100\n/dev/zram1 partition 9 0 100\n", "2 areas (zram)"),
    ]
  )
  func swap(devices: String, text: String) throws {
    #expect(
      try lines("swap", ["proc/swaps": "Filename Type Size Used Priority\n" + devices])
        == ["ok    swap              \(text)"]
    )
  }

  @Test(
    "neighbours are known by the name that the kernel keeps",
    arguments: [
      ("systemd-oomd", "systemd-oomd"), ("earlyoom", "earlyoom"),
      ("low-memory-moni", "low-memory-monitor"), ("nohang", "nohang"),
    ]
  )
  func neighbours(comm: String, name: String) throws {
    let lines = try lines(name, ["proc/300/comm": comm + "\n"])
    #expect(lines.count == 2)
    #expect(lines.first?.hasPrefix("warn  \(name)") == true)
    #expect(try self.lines("neighbours", ["proc/300/comm": comm + "\n"]) == [])
  }

  @Test("a script counts by its own name")
  func script() throws {
    let files: [String: String?] = [
      "proc/300/comm": "python3\n",
      "proc/300/cmdline": "python3\0/usr/local/sbin/nohang\0--monitor\0",
    ]
    #expect(try lines("nohang", files).count == 2)
    #expect(
      try lines("nohang", ["proc/300/comm": "less\n", "proc/300/cmdline": "less\0nohang"]) == []
    )
  }

  @Test(
    "roles",
    arguments: [
      (
        #""observer""#,
        "ok    roles             observer (shrink, reload, pause and override need admin: be root)"
      ),
      ("", "warn  roles             none: rounds and the clients of others are not shown"),
    ]
  )
  func roles(roles: String, line: String) throws {
    let host = try FakeHost()
    let run = Run(
      "doctor",
      on: try daemon(roles: roles),
      environment: ["USER": "kim"],
      host: host.roots
    )
    #expect(run.status == 0)
    #expect(run.output.contains(line + "\n"))
    #expect(
      run.output.contains("      mend: usermod -aG ucmk kim, then log in again\n") == roles.isEmpty
    )
  }

  @Test("triggers that poll or wait long, and a surface that failed")
  func daemonLacks() throws {
    let host = try FakeHost()
    let polled = try daemon(
      #""triggers":[{"source":"average"},{"source":"trigger","window_us":2000000}],"surfaces":{}"#
    )
    #expect(
      Run("doctor", on: polled, host: host.roots).output.contains(
        "\nwarn  triggers          1 of 2 read averages, which lag by seconds\n      mend: mkdir"
      )
    )
    let slow = try daemon(
      #""triggers":[{"source":"trigger","window_us":2000000}],"surfaces":{"bus":"error: no bus"}"#
    )
    let run = Run("doctor", on: slow, host: host.roots)
    #expect(run.status == 1)
    #expect(
      run.output.contains(
        "1 of 1 have windows of 2 s or more: 1 s needs CAP_SYS_RESOURCE\n      mend: mkdir -p "
          + "/etc/systemd/system/ucmkd.service.d && printf "
          + "'[Service]\\nAmbientCapabilities=CAP_SYS_RESOURCE\\n' > "
          + "/etc/systemd/system/ucmkd.service.d/psi.conf && systemctl daemon-reload && "
          + "systemctl restart ucmkd\n"
      )
    )
    #expect(
      run.output.hasSuffix(
        "fail  surface bus       error: no bus\n"
          + "      mend: journalctl -u ucmkd -n 50; systemctl restart ucmkd\n\n1 thing lacks\n"
      )
    )
  }

  @Test("a daemon that hangs is reported, not waited for")
  func hangs() throws {
    let (host, daemon) = (try FakeHost(), try FakeDaemon(["hello": [.silence]]))
    let run = Run("doctor --timeout 30ms", on: daemon, host: host.roots)
    #expect(run.status == 1)
    #expect(
      run.output.contains(
        "\nfail  daemon            the daemon did not answer hello within 30 ms\n"
      )
    )
  }
}
