// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKSystemd
import UCMKTestSupport

@testable import UCMKDaemon

/// A daemon on a stage: a clock that moves only when the test says so, a host written down as
/// files, a registry whose sources fire by hand.
///
/// Nothing here waits. `advance` lets time pass and wakes the daemon whenever it asked for it.
final class DaemonStage {
  /// What the daemon's surroundings share with the test.
  private final class World {
    var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    var records: [LogRecord] = []
    var recorded: [UInt8] = []
    var settings = SettingsOutcome.valid(Settings())
  }

  let tree = FileTree()
  let registry = FakeRegistry()
  let daemon: Daemon
  private let world = World()

  /// 1,000 MiB with marks at 64, 112 and 176 MiB, far from short.
  static let capacity = 1_000 << 20

  init(
    _ settings: Settings = Settings(),
    files: [(String, String)] = [],
    isUserInstance: Bool = false,
    hasPressure: Bool = true,
    behaviour: BehaviourStore? = nil
  ) throws {
    DaemonStage.writeHost(tree, available: 600)
    if !hasPressure { tree.remove("proc/pressure/memory") }
    for (path, text) in files { tree.write(path, text) }
    let surroundings = Daemon.Surroundings(
      files: tree.kernel,
      registry: registry,
      now: { [world] in world.now },
      wallMicroseconds: { 1_700_000_000_000_000 },
      log: { [world] in world.records.append($0) },
      loadSettings: { [world] in world.settings },
      isUserInstance: isUserInstance,
      ownUser: 1_000,
      behaviour: behaviour
    )
    let recorder = Recorder(sink: { [world] bytes in
      world.recorded.append(contentsOf: bytes)
      return true
    })
    daemon = try Daemon(settings: settings, surroundings: surroundings, recorder: recorder)
    daemon.start()
    daemon.finishBatch()
  }

  /// What the next reload finds.
  var nextSettings: SettingsOutcome {
    get { world.settings }
    set { world.settings = newValue }
  }
  /// What was logged so far.
  var log: [LogRecord] { world.records }
  /// What `--record` would have written so far.
  var recorded: [UInt8] { world.recorded }
  /// The daemon's clock.
  var now: MonotonicInstant { world.now }

  // MARK: - The host

  /// Writes the host's memory: MiB available of 1,000.
  func host(available mebibytes: Int) { DaemonStage.writeHost(tree, available: mebibytes) }

  private static func writeHost(_ tree: FileTree, available mebibytes: Int) {
    let lines = [
      "MemTotal:        \(capacity >> 10) kB", "MemFree:         1024 kB",
      "MemAvailable:    \(mebibytes << 10) kB", "SwapTotal:       2048 kB",
      "SwapFree:        1024 kB",
    ]
    tree.write("proc/meminfo", lines.joined(separator: "\n") + "\n")
    let calm = "avg10=0.00 avg60=0.00 avg300=0.00 total=0"
    tree.write("proc/pressure/memory", "some \(calm)\nfull \(calm)\n")
    tree.write("proc/vmstat", "pgscan_kswapd 0\npgscan_direct 0\n")
  }

  /// Writes what a process holds.
  func process(_ number: Int32, resident mebibytes: Int, cgroup: String = "/") {
    let status = "Name:\tx\nRssAnon:\t\(mebibytes << 10) kB\nRssFile:\t1 kB\nRssShmem:\t0 kB\n"
    tree.write("proc/\(number)/status", status)
    tree.write("proc/\(number)/cgroup", "0::\(cgroup)\n")
  }

  // MARK: - Time

  /// Lets time pass, waking the daemon whenever it is due.
  func advance(_ span: TimeSpan) {
    let end = world.now + span
    while let due = daemon.nextWake, due <= end {
      world.now = max(due, world.now)
      daemon.wake()
    }
    world.now = end
    serve()
  }

  /// Has the daemon serve all that has come.
  func serve() {
    for _ in 0..<4 { daemon.serveSockets() }
  }

  // MARK: - Clients

  /// Connects somebody; uid 0 may do everything.
  func connect(uid: UInt32 = 0, pid: Int32 = 100, groups: [UInt32] = []) throws -> WireClient {
    let (near, far) = try UnixStream.pair(nonblocking: true)
    daemon.adopt(
      near,
      from: PeerCredentials(process: ProcessID(pid), uid: uid, gid: uid, groups: groups)
    )
    return WireClient(far) { [unowned self] in serve() }
  }

  /// A member with one cache of as many MiB, whose process holds four times as much.
  func member(_ name: String, mebibytes: Int, pid: Int32 = 100, uid: UInt32 = 0) throws
    -> WireClient
  {
    process(pid, resident: mebibytes * 4)
    let client = try connect(uid: uid, pid: pid)
    client.hello(name)
    client.register("cache", bytes: mebibytes << 20)
    return client
  }

  /// A control connection of uid 0.
  func control(uid: UInt32 = 0) throws -> WireClient {
    let client = try connect(uid: uid, pid: 1)
    client.helloControl()
    return client
  }
}

/// Watches nothing; the test fires.
final class FakeRegistry: SourceRegistry {
  private final class Source: WatchedSource {
    let fd: Int32
    let events: EpollEvents
    let handler: (EpollEvents) -> Void
    private let onRemove: (Source) -> Void

    init(
      _ fd: Int32,
      _ events: EpollEvents,
      _ handler: @escaping (EpollEvents) -> Void,
      _ onRemove: @escaping (Source) -> Void
    ) {
      self.fd = fd
      self.events = events
      self.handler = handler
      self.onRemove = onRemove
    }

    func remove() { onRemove(self) }
  }

  private(set) var added = 0
  private(set) var removed = 0
  private var sources: [Source] = []

  /// What is watched for just these events.
  func descriptors(_ events: EpollEvents) -> [Int32] {
    sources.filter { $0.events == events }.map(\.fd)
  }

  /// How many sources are watched for just these events.
  func count(_ events: EpollEvents) -> Int { descriptors(events).count }

  /// Has every source that is watched for just these events say that they came.
  func fire(_ events: EpollEvents) {
    for source in sources where source.events == events { source.handler(events) }
  }

  func add(
    _ fd: Int32,
    _ events: EpollEvents,
    _ handler: @escaping (EpollEvents) -> Void
  ) throws(SystemError) -> any WatchedSource {
    added += 1
    let source = Source(fd, events, handler) { [unowned self] source in
      removed += 1
      sources.removeAll { $0 === source }
    }
    sources.append(source)
    return source
  }
}

extension WireValue {
  /// The code of an error answer.
  var code: Int? { self["error"]["code"].int }
  /// The data of an error answer.
  var data: WireValue { self["error"]["data"] }
}
