// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKLinux
import UCMKModel

/// A program that was started, with pipes to its input and from its output.
final class ChildProcess {
  let process: pid_t
  private let input: OwnedDescriptor
  private let output: OwnedDescriptor
  private var read: [UInt8] = []
  private(set) var hasEnded = false

  /// Starts `program` with the arguments; its standard error is ours, or goes to `log`.
  init(_ program: String, _ arguments: [String], log: String? = nil) throws(SystemError) {
    let (childInput, ownInput) = try ChildProcess.pipe()
    let (ownOutput, childOutput) = try ChildProcess.pipe()
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, childInput.raw, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, childOutput.raw, 1)
    if let log {
      let flags = O_WRONLY | O_CREAT | O_APPEND
      unsafe posix_spawn_file_actions_addopen(&actions, 2, log, flags, 0o644)
    }
    var vector: [UnsafeMutablePointer<CChar>?] = unsafe ([program] + arguments).map { text in
      unsafe strdup(text)
    }
    unsafe vector.append(nil)
    defer { unsafe vector.forEach { unsafe free($0) } }
    var started: pid_t = 0
    let result = unsafe posix_spawn(&started, program, &actions, nil, vector, environ)
    guard result == 0 else {
      throw SystemError(call: "posix_spawn", path: program, errno: result)
    }
    process = started
    input = ownInput
    output = ownOutput
  }

  /// Writes to its input.
  func say(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return unsafe write(input.raw, bytes, bytes.count) == bytes.count
  }

  /// Waits for the next line of its output; nil when it ended or the time is over.
  func line(within milliseconds: Int32) -> String? {
    let deadline = MonotonicClock.now() + .milliseconds(UInt64(milliseconds))
    while true {
      if let end = read.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: read[..<end], as: UTF8.self)
        read.removeSubrange(...end)
        return line
      }
      let left = deadline.since(MonotonicClock.now()).milliseconds
      var entry = pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0)
      guard left > 0, unsafe poll(&entry, 1, Int32(left)) > 0 else { return nil }
      var chunk = [UInt8](repeating: 0, count: 4096)
      let count = unsafe Glibc.read(output.raw, &chunk, chunk.count)
      guard count > 0 else { return nil }
      read.append(contentsOf: chunk[..<count])
    }
  }

  /// Whether it still runs.
  var isRunning: Bool {
    guard !hasEnded else { return false }
    if waitpid(process, nil, WNOHANG) == process { hasEnded = true }
    return !hasEnded
  }

  /// Ends it, politely first.
  func stop() {
    guard isRunning else { return }
    kill(process, SIGTERM)
    for _ in 0..<200 where isRunning { usleep(10_000) }
    guard isRunning else { return }
    kill(process, SIGKILL)
    _ = waitpid(process, nil, 0)
    hasEnded = true
  }

  deinit { stop() }

  private static func pipe() throws(SystemError) -> (OwnedDescriptor, OwnedDescriptor) {
    var ends: [Int32] = [-1, -1]
    guard unsafe Glibc.pipe(&ends) == 0 else { throw SystemError(call: "pipe", errno: errno) }
    let pair = (OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1]))
    try pair.0.setNonblocking(false)
    try pair.1.setNonblocking(false)
    return pair
  }
}

/// Lines for whoever started this program; buffered output would come too late.
enum ChildOutput {
  static func tell(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe write(1, bytes, bytes.count)
  }
}
