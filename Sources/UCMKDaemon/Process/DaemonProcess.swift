// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKLinux
import UCMKModel
import UCMKSystemd

/// The process: from the arguments to the exit code.
package enum DaemonProcess {
  /// Runs the program.
  ///
  /// - Parameter arguments: Those behind the program's name.
  /// - Returns: The exit code, one of `ExitCode`.
  package static func run(_ arguments: [String]) -> Int32 {
    let options: DaemonOptions
    do throws(DaemonOptions.Problem) {
      options = try DaemonOptions(arguments)
    } catch {
      tell("ucmkd: \(error.text)\n", on: 2)
      return ExitCode.usage.rawValue
    }
    do {
      switch options.command {
      case .serve:
        MallocLayout.separateLargeBlocks()
        return try DaemonServer(options).run()
      case .check: return try SelfCheck(options).run { tell($0, on: 1) }.rawValue
      case .replay(let file): return try replay(file).rawValue
      case .version:
        tell("ucmkd \(Daemon.version)\n", on: 1)
      case .help: tell(DaemonOptions.help, on: 1)
      }
      return ExitCode.stopped.rawValue
    } catch {
      tell(error)
      return error.code.rawValue
    }
  }

  /// To the journal with the id under which the catalog explains the exit codes, else a line each.
  private static func tell(_ problem: StartProblem) {
    let destination = Journal.Destination.detected()
    let journal = Journal(identifier: "ucmkd", destination: destination) { _ in
      LogMessage.doesNotStart.id
    }
    for line in problem.text.split(separator: "\n") {
      switch destination {
      case .journal:
        let fields = [("exit_code", "\(problem.code.rawValue)"), ("reason", String(line))]
        journal.send(.error, "ucmkd: \(line)", fields: fields)
      case .lines: tell("ucmkd: \(line)\n", on: 2)
      }
    }
  }

  /// Writes text; what cannot be written is lost.
  static func tell(_ text: String, on fd: Int32) { write(Array(text.utf8), to: fd) }

  /// Writes all bytes; false where it cannot.
  @discardableResult
  static func write(_ bytes: [UInt8], to fd: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(fd, buffer.baseAddress?.advanced(by: sent), buffer.count - sent)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  // MARK: - Replay

  private static func replay(_ file: String) throws(StartProblem) -> ExitCode {
    let recording = try read(file)
    var replay = Replay()
    do throws(Replay.Fault) {
      try replay.run(recording) { write($0, to: 1) }
    } catch {
      throw StartProblem(
        .configuration,
        "\(file): broken at offset \(error.offset): wanted \(error.wanted)"
      )
    }
    return .stopped
  }

  private static func read(_ file: String) throws(StartProblem) -> [UInt8] {
    let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw StartProblem(.configuration, "\(file): \(reason(errno))")
    }
    defer { _ = close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 256 << 10)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw StartProblem(.configuration, "\(file): \(reason(errno))") }
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }

  /// The words of the C library for an errno.
  static func reason(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }
}
