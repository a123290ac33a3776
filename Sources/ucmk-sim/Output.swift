// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import UCMKControl
import UCMKSim

/// Where results and progress go.
enum Output {
  /// Writes `text` to a file, or to standard output where `path` is nil.
  static func write(_ text: String, to path: String?) throws {
    guard let path else {
      FileSink(descriptor: STDOUT_FILENO).write(text)
      return
    }
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure("\(path) cannot be opened: error \(errno)") }
    defer { _ = close(file) }
    let sink = FileSink(descriptor: file)
    sink.write(text)
    if let error = sink.failure { throw failure("\(path) cannot be written: error \(error)") }
  }

  /// Writes lines to standard output.
  static func print(_ lines: [String]) throws {
    try write(lines.map { $0 + "\n" }.joined(), to: nil)
  }

  /// Says on standard error how far it is, after each of `parts` parts of the whole.
  static func progress(_ name: String, of count: Int, parts: Int = 20) -> @Sendable (Int) -> Void {
    { done in
      guard done == count || done * parts / count != (done - 1) * parts / count else { return }
      FileSink(descriptor: STDERR_FILENO).write("\(name): \(done) of \(count)\n")
    }
  }

  /// All bytes of a file.
  static func read(_ path: String) throws -> [UInt8] {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure("\(path) cannot be opened: error \(errno)", code: 69) }
    defer { _ = close(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe block.withUnsafeMutableBytes { room in
        unsafe Glibc.read(file, room.baseAddress, room.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("\(path) cannot be read: error \(errno)") }
      guard count > 0 else { return bytes }
      bytes += block[..<count]
    }
  }

  /// Says what went wrong; the error ends the process with `code`.
  static func failure(_ text: String, code: Int32 = 71) -> any Error {
    FileSink(descriptor: STDERR_FILENO).write("ucmk-sim: \(text)\n")
    return ExitCode(code)
  }
}

extension PolicyName: ExpressibleByArgument {}
extension Scenario: ExpressibleByArgument {}
extension Stress: ExpressibleByArgument {}
