// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
package import Glibc
package import UCMKLinux
package import UCMKModel

/// One run of a program, such as those of this package.
///
/// What it prints goes to files. It is killed with the object at the latest.
package final class ProgramRun {
  /// Its number.
  package let pid: pid_t
  private let tree: FileTree
  private let name: String
  private var status: Int32?

  /// Where the program of this package was built, beside the bundle of the tests; nil where it was
  /// not.
  package static func built(_ name: String) -> String? {
    var path = [CChar](repeating: 0, count: 4_096)
    let count = unsafe readlink("/proc/self/exe", &path, path.count - 1)
    guard count > 0 else { return nil }
    let own = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let candidates = [own, CommandLine.arguments[0]].compactMap { text in
      text.utf8.lastIndex(of: UInt8(ascii: "/")).map { "\(text[..<$0])/\(name)" }
    }
    return candidates.first { unsafe access($0, X_OK) == 0 }
  }

  /// Starts the program at `executable`.
  ///
  /// It finds `PATH`, `HOME` and `environment`; its standard input is `input`, or nothing.
  package init(
    _ tree: FileTree,
    _ executable: String,
    _ arguments: [String],
    environment: [String] = [],
    input: OwnedDescriptor? = nil
  ) throws {
    self.tree = tree
    name = "run-\(ProgramRun.next(tree))"
    pid = try Spawn.start(
      executable,
      arguments,
      environment: ["PATH=/usr/bin:/bin", "HOME=\(tree.root)"] + environment,
      streams: (input, tree.path("\(name).out"), tree.path("\(name).err"))
    )
  }

  /// Starts the program of this package.
  package convenience init(
    _ tree: FileTree,
    built name: String,
    _ arguments: [String],
    environment: [String] = []
  ) throws {
    guard let executable = ProgramRun.built(name) else { throw NotBuilt(name: name) }
    try self.init(tree, executable, arguments, environment: environment)
  }

  deinit {
    guard status == nil else { return }
    kill(pid, SIGKILL)
    _ = wait()
  }

  private static func next(_ tree: FileTree) -> Int {
    var number = 1
    while tree.exists("run-\(number).err") { number += 1 }
    tree.write("run-\(number).err", "")
    return number
  }

  /// Sends it a signal.
  package func signal(_ number: Int32) { kill(pid, number) }

  // MARK: - What it says

  /// What it printed so far.
  package var output: String { text(tree.path("\(name).out")) }
  /// What it complained of so far.
  package var errors: String { text(tree.path("\(name).err")) }

  // MARK: - What the kernel says of it

  /// Bytes of memory that are its own: `RssAnon` and `RssShmem` of `/proc/PID/status`; zero once
  /// it is gone.
  package var memory: Int { (number("RssAnon") + number("RssShmem")) << 10 }

  /// How often it slept of its own accord: each time it waited for something counts once.
  package var voluntarySwitches: Int { number("voluntary_ctxt_switches") }

  /// Whether it is stopped, as by SIGSTOP.
  package var isStopped: Bool {
    text("/proc/\(pid)/status").split(separator: "\n").contains { $0.hasPrefix("State:\tT") }
  }

  private func number(_ key: String) -> Int {
    for line in text("/proc/\(pid)/status").split(separator: "\n") {
      let words = line.split { $0 == ":" || $0 == " " || $0 == "\t" }
      if words.count > 1, words[0] == key { return Int(words[1]) ?? 0 }
    }
    return 0
  }

  private func text(_ path: String) -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      return ""
    }
  }

  // MARK: - Waiting for it

  /// Its exit code; 128 and the signal where one killed it; nil where it still runs after the time.
  package func wait(within patience: TimeSpan = WireClient.patience) -> Int32? {
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
  package func stop() -> Int32? {
    signal(SIGTERM)
    return wait()
  }
}

/// A program of this package was not built.
package struct NotBuilt: Error {
  /// The program.
  package var name: String
}

/// Asks again and again until `condition` holds or the time is over.
package func eventually(
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
