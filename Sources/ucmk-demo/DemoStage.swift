// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKControl
import UCMKLinux
import UCMKModel

/// Everything that the demonstration starts and makes, and how it is taken down again.
final class DemoStage {
  /// One program with a cache.
  struct Player {
    let name: String
    let bytes: UInt64
    /// Microseconds to rebuild a MiB.
    let cost: UInt32
  }

  /// Pictures are dear to make again, search results cheap: they give back in that proportion.
  static let players = [
    Player(name: "photos", bytes: 96 << 20, cost: 20_000),
    Player(name: "search", bytes: 64 << 20, cost: 10_000),
    Player(name: "packages", bytes: 48 << 20, cost: 5_000),
  ]

  /// What three programs and their caches take, and room for the demand to begin with.
  static let high: UInt64 = 296 << 20
  /// Above it the kernel would have to kill: nobody gave back in time.
  static let maximum: UInt64 = 392 << 20

  /// The daemon's settings, so that it reads none of this host.
  ///
  /// A round at critical waits 500 ms, which programs in a virtual machine under emulation miss; so
  /// that level is left to stalls of whole windows, and rounds have their 2 s.
  static let settings = "[Pressure]\nCritical=full 1s/1s\n"

  let group: CgroupFolder
  let socket: String
  let demand: ChildProcess
  private let base: CgroupFolder
  private let folder: String
  private let scratch: String
  private var children: [ChildProcess] = []

  init(folder: String) throws {
    self.folder = folder
    base = try CgroupFolder.own()
    group = base.child("shop")
    scratch = try DemoStage.makeScratch()
    socket = "\(scratch)/ucmkd.sock"
    // A group that passes on its controllers holds no process of its own (cgroup-v2.rst, "No
    // Internal Process Constraint").
    let supervisor = base.child("supervisor")
    try supervisor.make()
    try supervisor.enter()
    try base.write("cgroup.subtree_control", "+memory")
    try group.make()
    try group.write("cgroup.subtree_control", "+memory")
    try group.write("memory.high", "\(DemoStage.high)")
    try group.write("memory.max", "\(DemoStage.maximum)")
    // Swap would hide the shortage behind a slower disk; not every kernel has the file.
    if group.read("memory.swap.max") != nil { try group.write("memory.swap.max", "0") }
    let demandGroup = group.child("demand")
    try demandGroup.make()
    demand = try ChildProcess(
      "\(folder)/ucmk-demo",
      ["demand", "--cgroup", demandGroup.path]
    )
  }

  /// Starts the daemon and the programs; returns when every cache is full.
  func start() throws {
    let settings = "\(scratch)/ucmkd.conf"
    try ChildProcess.writeFile(settings, DemoStage.settings)
    children.append(
      try ChildProcess(
        "\(folder)/ucmkd",
        ["--socket", socket, "--config", settings],
        log: "\(scratch)/ucmkd.log"
      )
    )
    try wait("the daemon's socket", seconds: 30) { unsafe access(socket, F_OK) == 0 }
    for player in DemoStage.players {
      let own = group.child(player.name)
      try own.make()
      let child = try ChildProcess(
        "\(folder)/ucmk-demo",
        [
          "client", "--name", player.name, "--bytes", "\(player.bytes)", "--cost",
          "\(player.cost)", "--socket", socket, "--cgroup", own.path,
        ]
      )
      children.append(child)
    }
    for (player, child) in zip(DemoStage.players, children.dropFirst()) {
      guard child.line(within: 30_000) == "full" else {
        throw DemoProblem("\(player.name) could not fill its cache")
      }
    }
  }

  /// Waits until `isTrue`, looking again every 50 ms.
  func wait(_ what: String, seconds: UInt64, _ isTrue: () throws -> Bool) throws {
    let deadline = MonotonicClock.now() + .seconds(seconds)
    while try !isTrue() {
      guard MonotonicClock.now() < deadline else {
        throw DemoProblem("\(what) did not come within \(seconds) s")
      }
      usleep(50_000)
    }
  }

  /// Ends every program and removes every group and file that was made.
  func clear() {
    demand.stop()
    for child in children.reversed() { child.stop() }
    for player in DemoStage.players { group.child(player.name).remove() }
    group.remove()
    _ = unsafe unlink("\(scratch)/ucmkd.conf")
    _ = unsafe unlink("\(scratch)/ucmkd.log")
    _ = unsafe unlink(socket)
    _ = unsafe rmdir(scratch)
  }

  private static func makeScratch() throws -> String {
    var template = Array("/tmp/ucmk-demo-XXXXXX\0".utf8CString.dropLast())
    guard let path = unsafe mkdtemp(&template) else {
      throw SystemError(call: "mkdtemp", errno: errno)
    }
    return unsafe String(cString: path)
  }
}

extension ChildProcess {
  /// Writes a new file.
  static func writeFile(_ path: String, _ text: String) throws(SystemError) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw SystemError(call: "open", path: path, errno: errno) }
    defer { _ = close(file) }
    let bytes = Array(text.utf8)
    guard unsafe write(file, bytes, bytes.count) == bytes.count else {
      throw SystemError(call: "write", path: path, errno: errno)
    }
  }
}
