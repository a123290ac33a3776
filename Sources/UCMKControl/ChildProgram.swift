// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Another program, run to its end, with what it wrote.
package struct ChildProgram {
  /// How it ended.
  package enum End: Sendable, Hashable {
    /// By itself, with this exit code.
    case exited(Int32)
    /// By this signal.
    case killed(Int32)
  }

  /// What it wrote to standard output.
  package private(set) var output = ""
  /// What it wrote to standard error.
  package private(set) var errors = ""
  /// How it ended.
  package let end: End

  /// Runs `path` with `arguments` (without the name itself) and this process's environment.
  ///
  /// Both outputs are read to their ends before it is waited for, so that neither can fill up.
  package init(path: String, arguments: [String]) throws(ControlError) {
    let (output, errors) = (try Pipe(), try Pipe())
    let child = try ChildProgram.spawn(path, arguments, output, errors)
    output.closeWriter()
    errors.closeWriter()
    let texts = try ChildProgram.drain([output.reader, errors.reader])
    end = try ChildProgram.wait(child)
    self.output = texts[0]
    self.errors = texts[1]
  }

  /// Where the program `name` lies: in `folder`, else in a folder of `path`, which is a value of
  /// `PATH`; nil where it is in none.
  package static func locate(_ name: String, beside folder: String?, path: String?) -> String? {
    let listed = (path ?? "").split(separator: ":").map { String($0) }
    return ((folder.map { [$0] } ?? []) + listed).map { "\($0)/\(name)" }
      .first { unsafe access($0, X_OK) == 0 }
  }

  private static func spawn(
    _ path: String,
    _ arguments: [String],
    _ output: Pipe,
    _ errors: Pipe
  ) throws(ControlError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, output.writer, STDOUT_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, errors.writer, STDERR_FILENO)
    var words = unsafe ([path] + arguments).map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { unsafe words.forEach { unsafe free($0) } }
    var child = pid_t()
    let outcome = unsafe posix_spawn(&child, path, &actions, nil, &words, environ)
    guard outcome == 0 else {
      throw .unavailable("\(path) could not be run: \(systemMessage(outcome))")
    }
    return child
  }

  private static func drain(_ readers: [Int32]) throws(ControlError) -> [String] {
    var collected = [[UInt8]](repeating: [], count: readers.count)
    var open = readers
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while open.contains(where: { $0 >= 0 }) {
      // poll(2) passes over negative descriptors.
      var requests = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      let ready = unsafe poll(&requests, nfds_t(requests.count), -1)
      guard ready >= 0 || errno == EINTR else { throw .unavailable(systemMessage(errno)) }
      for index in requests.indices where ready > 0 && requests[index].revents != 0 {
        let count = unsafe buffer.withUnsafeMutableBytes { room in
          unsafe read(open[index], room.baseAddress, room.count)
        }
        if count > 0 {
          collected[index] += buffer[..<count]
        } else if count == 0 || errno != EINTR {
          open[index] = -1
        }
      }
    }
    return collected.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func wait(_ child: pid_t) throws(ControlError) -> End {
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { throw .unavailable(systemMessage(errno)) }
    }
    // The layout of wait(2): the signal in the low seven bits, the exit code in the next byte.
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal)
  }
}

/// A pipe whose ends are closed with it; no other program inherits them.
private final class Pipe {
  let reader: Int32
  private(set) var writer: Int32

  init() throws(ControlError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else {
      throw .unavailable("no pipe: \(systemMessage(errno))")
    }
    for end in ends {
      let outcome = fcntl(end, F_SETFD, FD_CLOEXEC)
      precondition(outcome == 0, "an open descriptor has flags")
    }
    (reader, writer) = (ends[0], ends[1])
  }

  func closeWriter() {
    if writer >= 0 { close(writer) }
    writer = -1
  }

  deinit {
    close(reader)
    closeWriter()
  }
}
