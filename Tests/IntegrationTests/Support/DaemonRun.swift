// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import UCMKLinux
import UCMKModel
import UCMKTestSupport

/// One run of the real `ucmkd`, on a socket and below roots of its own.
///
/// What it prints goes to files. It ends with the object at the latest.
final class DaemonRun {
  let tree: FileTree
  let pid: pid_t
  private let name: String
  private var status: Int32?

  /// Where `ucmkd` was built: beside the bundle of the tests.
  static let executable: String? = {
    var path = [CChar](repeating: 0, count: 4_096)
    let count = unsafe readlink("/proc/self/exe", &path, path.count - 1)
    guard count > 0 else { return nil }
    let own = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let candidates = [own, CommandLine.arguments[0]].compactMap { text in
      text.utf8.lastIndex(of: UInt8(ascii: "/")).map { "\(text[..<$0])/ucmkd" }
    }
    return candidates.first { unsafe access($0, X_OK) == 0 }
  }()

  /// Starts `ucmkd` with these arguments alone, or `program` in its place.
  ///
  /// It finds `PATH`, `HOME` and `environment`; its standard input is `input`, or nothing.
  init(
    _ tree: FileTree,
    bare arguments: [String],
    environment: [String] = [],
    program: String? = nil,
    input: OwnedDescriptor? = nil
  ) throws {
    guard let executable = program ?? DaemonRun.executable else { throw NoDaemon() }
    self.tree = tree
    name = "run-\(DaemonRun.next(tree))"
    pid = try Spawn.start(
      executable,
      arguments,
      environment: ["PATH=/usr/bin:/bin", "HOME=\(tree.root)"] + environment,
      streams: (input, tree.path("\(name).out"), tree.path("\(name).err"))
    )
  }

  /// Starts a user's instance on `tree`'s own roots and waits until it serves.
  convenience init(
    _ tree: FileTree,
    _ more: [String] = [],
    environment: [String] = []
  ) throws {
    let arguments = DaemonRun.usual(tree) + more
    try self.init(tree, bare: arguments, environment: environment)
    try waitUntilServing()
  }

  deinit {
    guard status == nil else { return }
    kill(pid, SIGKILL)
    _ = wait()
  }

  /// The arguments of a user's instance on `tree`'s own roots.
  static func usual(_ tree: FileTree) -> [String] {
    if !tree.exists("ucmkd.conf") { tree.write("ucmkd.conf", "") }
    return [
      "--user", "--config", tree.path("ucmkd.conf"), "--socket", tree.path("s"), "--proc",
      tree.proc, "--cgroup", tree.cgroup,
    ]
  }

  private static func next(_ tree: FileTree) -> Int {
    var number = 1
    while tree.exists("run-\(number).err") { number += 1 }
    tree.write("run-\(number).err", "")
    return number
  }

  // MARK: - Talking to it

  /// A new connection.
  func connect() throws -> WireClient { try WireClient(connectingTo: tree.path("s")) }

  /// A connection that said hello as one who looks and changes things.
  func control() throws -> WireClient {
    let client = try connect()
    client.helloControl()
    return client
  }

  /// A member with one cache.
  func member(_ name: String, bytes: Int) throws -> WireClient {
    let client = try connect()
    client.hello(name)
    client.register("cache", bytes: bytes)
    return client
  }

  func signal(_ number: Int32) { kill(pid, number) }

  /// What it printed so far.
  var output: String { text("out") }
  /// What it complained of so far.
  var errors: String { text("err") }

  private func text(_ ending: String) -> String {
    do {
      return try String(contentsOfFile: tree.path("\(name).\(ending)"), encoding: .utf8)
    } catch {
      return ""
    }
  }

  // MARK: - Waiting for it

  /// Its exit code; 128 and the signal where one killed it; nil where it still runs after the time.
  func wait(within patience: TimeSpan = WireClient.patience) -> Int32? {
    if let status { return status }
    _ = eventually(within: patience) {
      var result: Int32 = 0
      guard unsafe waitpid(pid, &result, WNOHANG) == pid else { return false }
      status = result & 0x7f == 0 ? result >> 8 & 0xff : 128 + result & 0x7f
      return true
    }
    return status
  }

  /// Ends it in order and returns its exit code.
  func stop() -> Int32? {
    signal(SIGTERM)
    return wait()
  }

  private func waitUntilServing() throws {
    let isServing = eventually {
      if wait(within: .zero) != nil { return true }
      do throws(SystemError) {
        withExtendedLifetime(try UnixStream.connect(tree.path("s"), nonblocking: true)) {}
        return true
      } catch {
        return false
      }
    }
    guard isServing, status == nil else { throw NotServing(errors: errors) }
  }
}

/// The daemon was not built.
struct NoDaemon: Error {}
/// The daemon does not serve.
struct NotServing: Error { var errors: String }

/// Asks again and again until `condition` holds or the time is over.
func eventually(
  within patience: TimeSpan = WireClient.patience,
  _ condition: () throws -> Bool
) rethrows -> Bool {
  let end = MonotonicClock.now() + patience
  while true {
    if try condition() { return true }
    guard MonotonicClock.now() < end else { return false }
    poll(nil, 0, 5)
  }
}

/// posix_spawn(3) with arrays.
private enum Spawn {
  static func start(
    _ executable: String,
    _ arguments: [String],
    environment: [String],
    streams: (input: OwnedDescriptor?, output: String, errors: String)
  ) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    if let input = streams.input {
      unsafe posix_spawn_file_actions_adddup2(&actions, input.raw, 0)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    unsafe posix_spawn_file_actions_addopen(&actions, 1, streams.output, flags, 0o600)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, streams.errors, flags, 0o600)
    // The runner of the tests may have blocked or ignored what the daemon waits for.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var (none, all) = (sigset_t(), sigset_t())
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    let both = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
    unsafe posix_spawnattr_setflags(&attributes, both)
    var child = pid_t()
    let result = unsafe withTexts([executable] + arguments) { words in
      unsafe withTexts(environment) { variables in
        unsafe posix_spawn(&child, executable, &actions, &attributes, words, variables)
      }
    }
    guard result == 0 else { throw SystemError(call: "posix_spawn", errno: result) }
    return child
  }

  private static func withTexts<Value>(
    _ texts: [String],
    _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
  ) -> Value {
    var copies = unsafe texts.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    unsafe copies.append(nil)
    return unsafe body(copies)
  }
}
