// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

/// Why a suite of the real daemon cannot run, for `.enabled(if:)`.
let noDaemon: Comment = "ucmkd was not built beside the tests"

@Suite("start and stop", .enabled(if: DaemonRun.executable != nil, noDaemon))
struct StartTests {
  /// Runs it to its end, which must come by itself.
  private func end(
    _ tree: FileTree,
    _ arguments: [String],
    environment: [String] = []
  ) throws -> (code: Int32?, output: String, errors: String) {
    let run = try DaemonRun(tree, bare: arguments, environment: environment)
    let code = run.wait()
    return (code, run.output, run.errors)
  }

  @Test("SIGTERM and SIGINT stop it in order: clients are told, the socket goes, 0")
  func stop() throws {
    for signal in [SIGTERM, SIGINT] {
      let run = try DaemonRun(try HostFixture.make())
      let member = try run.member("a", bytes: 1 << 20)
      run.signal(signal)
      let told = try #require(member.next("shutdown"))
      #expect(told["params"]["reconnect_after_ms"].int != nil)
      #expect(member.waitForClose())
      #expect(run.wait() == 0)
      #expect(!run.tree.exists("s"))
      #expect(run.errors.contains("ucmkd: serving"))
      #expect(run.errors.contains("ucmkd: stopped"))
    }
  }

  @Test("the version and the help are printed")
  func texts() throws {
    let tree = FileTree()
    let version = try end(tree, ["--version"])
    #expect(version.code == 0)
    #expect(version.output == "ucmkd 0.1.0\n")
    let help = try end(tree, ["--help"])
    #expect(help.code == 0)
    #expect(help.output.hasPrefix("usage: ucmkd "))
    #expect(help.errors.isEmpty)
  }

  @Test(
    "a command line that is not understood is 64",
    arguments: [["--frobnicate"], ["--config"], ["--log-level", "loud"], ["x"], ["--user=1"]]
  )
  func usage(arguments: [String]) throws {
    let result = try end(FileTree(), arguments)
    #expect(result.code == 64)
    #expect(result.errors.hasPrefix("ucmkd: "))
    #expect(result.output.isEmpty)
  }

  @Test("a missing configuration is 78 and named")
  func missingConfiguration() throws {
    let tree = try HostFixture.make()
    let result = try end(tree, ["--config", tree.path("none"), "--socket", tree.path("s")])
    #expect(result.code == 78)
    #expect(
      result.errors == "ucmkd: \(tree.path("none")): cannot be read: No such file or directory\n"
    )
    #expect(!tree.exists("s"))
  }

  @Test("a bad configuration is 78, with file, line and column of every mistake")
  func badConfiguration() throws {
    let tree = try HostFixture.make()
    tree.write("ucmkd.conf", try HostFixture.text("settings/broken.conf"))
    let result = try end(tree, DaemonRun.usual(tree))
    let file = tree.path("ucmkd.conf")
    #expect(result.code == 78)
    #expect(
      result.errors.split(separator: "\n").map(String.init) == [
        "ucmkd: \(file):3:8: bad value for High: wanted a size such as 512M, or a percentage "
          + "such as 5%",
        "ucmkd: \(file):5:1: unknown key Connexions in [Limits]; wanted one of "
          + "ConnectionsPerUser, Connections",
      ]
    )
  }

  @Test("drop-ins beside a given file count")
  func dropIns() throws {
    let tree = try HostFixture.make()
    tree.write("ucmkd.conf", try HostFixture.text("settings/good.conf"))
    tree.write("ucmkd.conf.d/50.conf", "[Limits]\nConnections=300\n")
    let run = try DaemonRun(tree)
    let limits = try run.connect().hello()["limits"]
    #expect(limits["connections"] == 300)
    #expect(limits["connections_uid"] == 64)
    tree.write("ucmkd.conf.d/60.conf", "nonsense\n")
    let check = try end(tree, ["--check", "--config", tree.path("ucmkd.conf")])
    #expect(check.code == 78)
    #expect(check.output.contains("\(tree.path("ucmkd.conf.d/60.conf")):1:1: "))
  }

  @Test("a socket in use is 69, and the one who listens goes on")
  func inUse() throws {
    let tree = try HostFixture.make()
    let first = try DaemonRun(tree)
    let result = try end(tree, DaemonRun.usual(tree))
    #expect(result.code == 69)
    #expect(result.errors.contains(tree.path("s")))
    #expect(try first.connect().hello()["session"] != .absent)
  }

  @Test("a socket path that cannot be used is 71")
  func badPath() throws {
    let tree = try HostFixture.make()
    tree.write("file", "no socket")
    let long = tree.path(String(repeating: "x", count: 120))
    for path in [tree.path("none/s"), tree.path("file"), long, "relative", tree.root + "/"] {
      let arguments = DaemonRun.usual(tree).map { $0 == tree.path("s") ? path : $0 }
      let result = try end(tree, arguments)
      #expect(result.code == 71, "\(path)")
      #expect(result.errors.contains(path), "\(path)")
    }
    #expect(tree.exists("file"))
  }

  @Test("a stale socket file is replaced")
  func stale() throws {
    let tree = try HostFixture.make()
    let killed = try DaemonRun(tree)
    killed.signal(SIGKILL)
    #expect(killed.wait() == 128 + SIGKILL)
    #expect(tree.exists("s"))
    let run = try DaemonRun(tree)
    #expect(try run.connect().hello()["session"] == "c1")
  }

  @Test("the system's socket is for everybody, a user's for its owner, whatever the umask")
  func modes() throws {
    let tree = try HostFixture.make()
    do {
      let run = try DaemonRun(tree)
      #expect(tree.mode("s") == 0o600)
      #expect(run.stop() == 0)
    }
    let arguments = DaemonRun.usual(tree).filter { $0 != "--user" }
    let system = try DaemonRun(tree, bare: arguments)
    #expect(eventually { tree.mode("s") == 0o666 })
    #expect(system.stop() == 0)
  }

  @Test("without --socket a user's instance listens in XDG_RUNTIME_DIR, or says what it lacks")
  func usualPlaces() throws {
    let tree = try HostFixture.make()
    tree.makeFolder("runtime")
    tree.write("ucmkd.conf", "")
    let arguments = ["--user", "--config", tree.path("ucmkd.conf"), "--proc", tree.proc]
    let run = try DaemonRun(
      tree,
      bare: arguments,
      environment: ["XDG_RUNTIME_DIR=\(tree.path("runtime"))"]
    )
    #expect(eventually { tree.exists("runtime/ucmkd.sock") })
    #expect(run.stop() == 0)
    tree.makeFolder("managed")
    let managed = try DaemonRun(
      tree,
      bare: arguments,
      environment: ["RUNTIME_DIRECTORY=\(tree.path("managed"))"]
    )
    #expect(eventually { tree.exists("managed/ucmkd.sock") })
    #expect(managed.stop() == 0)
    let lost = try end(tree, arguments)
    #expect(lost.code == 69)
    #expect(lost.errors.contains("XDG_RUNTIME_DIR"))
  }

  @Test("--check tells what there is and whether it will do")
  func check() throws {
    let tree = try HostFixture.make()
    tree.write("ucmkd.conf", try HostFixture.text("settings/good.conf"))
    let good = try end(tree, ["--check"] + DaemonRun.usual(tree))
    #expect(good.code == 0)
    for text in [
      "settings: \(tree.path("ucmkd.conf"))", "Client name:shop-*.Share=500", "host: 1000 MiB",
      "trigger host: some 150000us/1000000us, average", "surface json-rpc: on", "usable",
    ] { #expect(good.output.contains(text), "\(text)") }
    #expect(!tree.exists("s"), "a check serves nobody")
    tree.write("ucmkd.conf", "[Nonsense]\n")
    let bad = try end(tree, ["--check"] + DaemonRun.usual(tree))
    #expect(bad.code == 78)
    #expect(bad.output.contains("\(tree.path("ucmkd.conf")):1:1: unknown section [Nonsense]"))
    tree.write("ucmkd.conf", "")
    tree.remove("proc/meminfo")
    #expect(try end(tree, ["--check"] + DaemonRun.usual(tree)).code == 78)
  }

  @Test("a socket that the service manager bound is served and left behind")
  func activation() throws {
    let tree = try HostFixture.make()
    let arguments = DaemonRun.usual(tree)
    let listener = try UnixListener(binding: tree.path("given"), mode: 0o600)
    let quoted = ([DaemonRun.executable ?? ""] + arguments).map { "'\($0)'" }
    let script =
      "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \(quoted.joined(separator: " "))"
    let run = try DaemonRun(
      tree,
      bare: ["-c", script],
      program: "/bin/sh",
      input: try duplicate(listener.raw)
    )
    let client = try WireClient(connectingTo: tree.path("given"))
    #expect(client.hello()["session"] == "c1")
    #expect(!tree.exists("s"))
    #expect(run.stop() == 0)
    #expect(tree.exists("given"))
  }

  private func duplicate(_ raw: Int32) throws -> OwnedDescriptor {
    let copy = dup(raw)
    guard copy >= 0 else { throw SystemError(call: "dup", errno: errno) }
    return OwnedDescriptor(copy)
  }
}
