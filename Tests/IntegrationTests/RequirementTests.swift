// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKTestSupport

@Suite("what the host must have", .enabled(if: DaemonRun.executable != nil, noDaemon))
struct RequirementTests {
  private func tree(psi: Bool, cgroup2: Bool, _ settings: String) throws -> FileTree {
    let tree = try HostFixture.make()
    if !psi { tree.remove("proc/pressure/memory") }
    tree.makeFolder("cgroup")
    if cgroup2 {
      tree.write("cgroup/cgroup.controllers", "cpu memory pids\n")
    } else {
      tree.write("cgroup/cgroup.controllers", "cpu pids\n")
    }
    tree.write("ucmkd.conf", settings)
    return tree
  }

  private func arguments(_ tree: FileTree) -> [String] {
    [
      "--user", "--config", tree.path("ucmkd.conf"), "--socket", tree.path("s"),
      "--proc", tree.path("proc"), "--cgroup", tree.path("cgroup"),
    ]
  }

  @Test(
    "what is required and not there ends it with 69, and is named",
    arguments: [
      (
        false, true, "psi", "Require=psi, but this kernel offers no pressure information (PSI)"
      ),
      (
        true, false, "psi cgroup2",
        "Require=cgroup2, but there is no cgroup v2 hierarchy with the memory controller"
      ),
    ]
  )
  func required(psi: Bool, cgroup2: Bool, words: String, told: String) throws {
    let tree = try tree(psi: psi, cgroup2: cgroup2, "[Host]\nRequire=\(words)\n")
    let run = try DaemonRun(tree, bare: arguments(tree))
    #expect(run.wait() == 69)
    #expect(run.errors == "ucmkd: \(told); ucmkctl doctor prints what mends it\n")
    #expect(!tree.exists("s"))
  }

  @Test("what is not required is worked without, with a warning each")
  func degraded() throws {
    let tree = try tree(psi: false, cgroup2: false, "")
    let run = try DaemonRun(tree, bare: arguments(tree))
    #expect(eventually { run.errors.contains("ucmkd: no cgroup is watched\n") })
    #expect(run.errors.contains("ucmkd: only the watermarks can start a round\n"))
    let member = try run.member("a", bytes: 1 << 20)
    #expect(member.call("ping")["result"] != .absent)
    #expect(try run.control().call("daemon.status")["result"]["state"].string == "degraded")
    #expect(run.stop() == 0)
  }

  @Test("a host that has what is required serves without a word")
  func complete() throws {
    let tree = try tree(psi: true, cgroup2: true, "[Host]\nRequire=psi cgroup2\n")
    let run = try DaemonRun(tree, bare: arguments(tree))
    #expect(eventually { run.errors.contains("ucmkd: serving ") })
    #expect(!run.errors.contains("watched") && !run.errors.contains("watermarks"))
    #expect(run.stop() == 0)
  }

  @Test("a word that is none is a mistake in the settings")
  func unknown() throws {
    let tree = try tree(psi: true, cgroup2: true, "[Host]\nRequire=psi v2\n")
    let run = try DaemonRun(tree, bare: arguments(tree))
    #expect(run.wait() == 78)
    #expect(
      run.errors == "ucmkd: \(tree.path("ucmkd.conf")):2:9: bad value for Require: wanted psi, "
        + "cgroup2 or both with a blank between\n"
    )
  }
}
