// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

/// Why nothing here can run on this host, for `.enabled(if:)`; nil where all can.
let hostObstacle: Comment? = {
  for name in ["ucmkd", "ucmk-demo"] where ProgramRun.built(name) == nil {
    return "\(name) was not built beside the tests"
  }
  return PressureGroup.obstacle.map { Comment(rawValue: $0) }
}()

/// A cgroup of this host and a real `ucmkd` that has a budget for it, with everything that a test
/// starts in it.
///
/// The host itself is kept out of it: its marks and its stalls are set so that it never starts a
/// round, whatever else this machine is doing.
final class HostStage {
  let tree = FileTree()
  let group: PressureGroup
  private(set) var daemon: DaemonRun
  private(set) var control: WireClient
  private let settings: String

  /// A budget of 128 MiB, of which a member of 48 MiB leaves less than the high mark and far more
  /// than the low one: only the kernel's alarm makes a round of it.
  static let alarmMarks = "Capacity=128M\nLow=1M\nHigh=112M\nGrow=120M"
  /// Stalls that the load reaches soon, in windows that every kernel grants.
  static let fineStalls =
    "PressureLow=some 20ms/2s\nPressureMedium=some 60ms/2s\nPressureCritical=full 2s/2s"
  /// What keeps the host from starting a round or raising an alarm.
  static let calmHost = """
    [Watermarks]
    Low=1M
    High=2M
    Grow=3M
    [Pressure]
    Low=some 2s/2s
    Medium=some 2s/2s
    Critical=full 2s/2s
    """

  /// Starts a daemon whose settings have these lines for the group.
  init(domain lines: String) throws {
    group = try #require(PressureGroup(), "the host let us make a group a moment ago")
    settings = "\(HostStage.calmHost)\n[Domain \(group.path)]\n\(lines)\n"
    daemon = try DaemonRun(onHost: tree, settings: settings)
    control = try daemon.control()
  }

  // MARK: - Programs

  /// A program with a cache, full by now; in the group or where the test is.
  func client(_ name: String, inGroup: Bool, mebibytes: Int = 48) throws -> ProgramRun {
    let place = inGroup ? ["--cgroup", group.folder] : []
    let program = try ProgramRun(
      tree,
      built: "ucmk-demo",
      ["client", "--name", name, "--bytes", "\(mebibytes)M", "--socket", tree.path("s"), "--once"]
        + place
    )
    #expect(eventually { program.output == "full\n" }, "\(name): \(program.errors)")
    #expect(eventually { registered(name) > (mebibytes - 1) << 20 }, "\(name) reports its size")
    return program
  }

  /// A program that makes the group stall.
  func load() throws -> ProgramRun {
    try ProgramRun(
      tree,
      built: "ucmk-demo",
      [
        "stall", "--cgroup", group.folder, "--file", tree.path("load"), "--bytes", "64M", "--for",
        "60s",
      ]
    )
  }

  /// Whether this kernel counts no stall for pages that were evicted on request; says so.
  ///
  /// To be asked where an alarm did not come.
  func countsNoStall() throws -> Bool {
    let total = try PSIReader.cgroup(group.path, group.kernel)?.some.total ?? .zero
    guard total < .milliseconds(20) else { return false }
    print("skipped: this kernel counts no stall for pages that were evicted on request")
    return true
  }

  // MARK: - What the daemon says

  var status: WireValue { control.call("daemon.status")["result"] }

  /// The scope of the group, as the wire has it.
  var scope: WireValue { ["kind": "cgroup", "path": .text(group.path)] }

  /// The group among the domains.
  var domain: WireValue {
    status["domains"].elements.first { $0["scope"] == scope } ?? .absent
  }

  /// The sources of pressure of the group.
  var triggers: [WireValue] { status["triggers"].elements.filter { $0["scope"] == scope } }

  /// Notices of stalls so far.
  var alarms: Int { status["counts"]["alarms"].int ?? 0 }

  /// A client's row in the list of clients.
  func row(_ name: String) -> WireValue {
    let params = #"{"filter":{"name":"\#(name)"}}"#
    return control.call("client.list", params)["result"]["clients"][0]
  }

  /// How much the caches of a client hold, by its reports.
  func registered(_ name: String) -> Int { row(name)["caches"].sum("bytes") }

  /// The first closed round of the group, whole; absent where there is none in time.
  func closedRound(within patience: TimeSpan = .seconds(30)) -> WireValue {
    var number: Int?
    _ = eventually(within: patience) {
      let rounds = control.call("round.list", #"{"limit":256}"#)["result"]["rounds"].elements
      let closed = rounds.last { $0["scope"] == scope && $0["state"] == "closed" }
      number = closed?["round"].int
      return number != nil
    }
    guard let number else { return .absent }
    return control.call("round.get", #"{"round":\#(number)}"#)["result"]
  }

  // MARK: - The daemon's end

  /// Kills the daemon as the kernel would, without a word to anybody.
  func killDaemon() {
    daemon.signal(SIGKILL)
    #expect(daemon.wait() == 128 + SIGKILL)
  }

  /// Starts another one in its place.
  func restartDaemon() throws {
    daemon = try DaemonRun(onHost: tree, settings: settings)
    control = try daemon.control()
  }
}
