// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl

@Suite("ucmkctl doctor, about delegation and the daemon's process")
struct DoctorProcessTests {
  private static let status = """
    Name:\tucmkd
    Uid:\t997\t997\t997\t997
    VmLck:\t    2048 kB
    CapEff:\t0000000001000000

    """

  /// The lines about one subject, with the command that mends it.
  private func lines(_ subject: String, _ files: [String: String?]) throws -> [String] {
    let host = try FakeHost(files)
    let lines = Run("doctor --socket /nowhere/s", host: host.roots).output
      .split(separator: "\n").map { String($0) }
    guard let index = lines.firstIndex(where: { $0.dropFirst(6).hasPrefix(subject) }) else {
      return []
    }
    return Array(lines[index...].prefix(index + 1 < lines.count ? 2 : 1))
      .enumerated().filter { $0.offset == 0 || $0.element.contains("mend: ") }.map(\.element)
  }

  private func process(
    _ status: String = DoctorProcessTests.status,
    score: String = "-900\n"
  ) -> [String: String?] {
    [
      "proc/77/comm": "ucmkd\n", "proc/77/status": status, "proc/77/oom_score_adj": score,
    ]
  }

  @Test("a daemon under its unit: the rights, the lock and the score that it should have")
  func healthy() throws {
    #expect(
      try lines("capabilities", process()) == ["ok    capabilities      CAP_SYS_RESOURCE"]
    )
    #expect(try lines("memory lock", process()) == ["ok    memory lock       2.0 MiB"])
    #expect(try lines("oom score", process()) == ["ok    oom score         -900"])
  }

  @Test("each that lacks is told with the drop-in that mends it")
  func poor() throws {
    let status = "Uid:\t997\nVmLck:\t0 kB\nCapEff:\t0000000000000020\n"
    let files = process(status, score: "0\n")
    let drop = "      mend: mkdir -p /etc/systemd/system/ucmkd.service.d && printf '[Service]\\n"
    let rest = ".conf && systemctl daemon-reload && systemctl restart ucmkd"
    let place = "\\n' > /etc/systemd/system/ucmkd.service.d/"
    #expect(
      try lines("capabilities", files) == [
        "warn  capabilities      CAP_SYS_RESOURCE is missing: pressure is seen in windows of 2 s "
          + "instead of 1 s",
        "\(drop)AmbientCapabilities=CAP_SYS_RESOURCE\(place)psi\(rest)",
      ]
    )
    #expect(
      try lines("memory lock", files).last == "\(drop)LimitMEMLOCK=infinity\(place)memlock\(rest)"
    )
    #expect(
      try lines("oom score", files) == [
        "warn  oom score         0: the kernel may end the daemon first when memory is short",
        "\(drop)OOMScoreAdjust=-900\(place)oom\(rest)",
      ]
    )
  }

  @Test(
    "what a surface added is listed by name",
    arguments: [
      ("0000000001000002", "CAP_DAC_OVERRIDE, CAP_SYS_RESOURCE"),
      ("0000000001880000", "CAP_SYS_PTRACE, CAP_SYS_NICE, CAP_SYS_RESOURCE"),
      ("000001ffffffffff", "more than the unit grants"),
    ]
  )
  func surfaces(mask: String, text: String) throws {
    let status = "Uid:\t0\nCapEff:\t\(mask)\n"
    #expect(
      try lines("capabilities", process(status)) == ["ok    capabilities      \(text)"]
    )
  }

  @Test("a user's own instance is nobody's unit")
  func userInstance() throws {
    let status = DoctorProcessTests.status.replacing("997", with: "1000")
    for subject in ["capabilities", "memory lock", "oom score"] {
      #expect(try lines(subject, process(status)) == [])
    }
  }

  @Test("a process that is gone meanwhile, or cannot be read, is no reason to fail")
  func unreadable() throws {
    #expect(
      try lines("capabilities", ["proc/77/comm": "ucmkd\n"])
        == ["warn  capabilities      those of ucmkd cannot be read"]
    )
  }

  @Test("a controller that is not handed down")
  func undelegated() throws {
    #expect(
      try lines("delegation", ["cgroup/cgroup.subtree_control": "cpu pids\n"]) == [
        "warn  delegation        the memory controller is not handed down: slices and services "
          + "cannot run short",
        "      mend: systemctl set-property system.slice MemoryAccounting=yes",
      ]
    )
    #expect(try lines("delegation", ["cgroup/cgroup.subtree_control": nil]) == [])
  }

  @Test(
    "what a user's programs get",
    arguments: [
      ("cpu memory pids\n", "ok    delegation        memory, to slices and services and to user"),
      ("cpu pids\n", "warn  delegation        memory is not delegated to user 1000"),
    ]
  )
  func user(controllers: String, beginning: String) throws {
    let folder = "cgroup/user.slice/user-1000.slice/user@1000.service"
    let lines = try lines("delegation", ["\(folder)/cgroup.controllers": controllers])
    #expect(lines.first?.hasPrefix(beginning) == true)
    #expect((lines.count == 2) == beginning.hasPrefix("warn"))
    #expect(lines.last?.contains("Delegate=cpu memory pids") == beginning.hasPrefix("warn"))
  }

  @Test(
    "processes of others that are hidden",
    arguments: [
      ("proc /proc proc rw,hidepid=invisible 0 0\n", true),
      ("x /proc proc rw,hidepid=2 0 0\n", true),
      ("proc /proc proc rw,hidepid=off 0 0\n", false), ("proc /x proc rw,hidepid=2 0 0\n", false),
    ]
  )
  func hidden(mounts: String, isHidden: Bool) throws {
    let wanted = [
      "fail  hidepid           /proc hides the processes of others: what clients hold cannot be "
        + "measured",
      "      mend: mount -o remount,hidepid=0 /proc",
    ]
    #expect(try lines("hidepid", ["proc/mounts": mounts]) == (isHidden ? wanted : []))
  }

  @Test("averages of cgroups alone are mended by a surface")
  func polledCgroups() throws {
    let triggers =
      #"[{"source":"trigger","window_us":1000000,"scope":{"kind":"host"}},"#
      + #"{"source":"average","scope":{"kind":"cgroup","path":"/a"}}]"#
    let daemon = try FakeDaemon([
      "hello": [.result(Samples.hello)],
      "daemon.status": [.result("{\"triggers\":\(triggers),\"surfaces\":{}}")],
    ])
    let output = Run("doctor", on: daemon, host: try FakeHost().roots).output
    #expect(
      output.contains(
        "warn  triggers          1 of 2, those of cgroups, read averages, which lag by seconds; "
          + "the watermarks do not wait for them\n      mend: ucmkctl surface enable "
          + "cgroup-triggers && systemctl daemon-reload && systemctl restart ucmkd\n"
      )
    )
  }
}
