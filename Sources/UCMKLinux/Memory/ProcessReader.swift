// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux
package import UCMKModel

/// Reads what is known of one process: the ruler by which its claims are checked.
package enum ProcessReader {
  /// `RssAnon` + `RssShmem` in the text of `/proc/PID/status`; nil where `RssAnon` is missing (a
  /// kernel thread, a process that is exiting, a half-written file).
  package static func parseResident(_ text: Span<UInt8>) -> ByteCount? {
    var anonymous: ByteCount?
    var position = 0
    while let line = TextScanner.nextLine(text, &position) {
      if let value = TextScanner.value(of: "RssAnon", text, line: line) {
        anonymous = .kibibytes(value)
      } else if let value = TextScanner.value(of: "RssShmem", text, line: line) {
        // `RssShmem` follows `RssAnon`: without it the text was cut.
        return anonymous.map { $0 + .kibibytes(value) }
      }
    }
    return nil
  }

  /// `LazyFree` in the text of `/proc/PID/smaps_rollup`.
  package static func parseLazyFree(_ text: Span<UInt8>) -> ByteCount? {
    var position = 0
    while let line = TextScanner.nextLine(text, &position) {
      if let value = TextScanner.value(of: "LazyFree", text, line: line) {
        return .kibibytes(value)
      }
    }
    return nil
  }

  /// The start time in the text of `/proc/PID/stat`: field 22, in clock ticks since boot.
  ///
  /// The name in field 2 may hold spaces and parentheses, so fields are counted from the last
  /// closing one.
  package static func parseStartTime(_ text: Span<UInt8>) -> UInt64? {
    var position = 0
    guard let line = TextScanner.nextLine(text, &position) else { return nil }
    var rest = line
    for index in line.reversed() where text[index] == UInt8(ascii: ")") {
      rest = (index + 1)..<line.upperBound
      break
    }
    guard rest != line else { return nil }
    for _ in 3..<22 {
      TextScanner.skipBlanks(text, &rest)
      var end = rest.lowerBound
      while end < rest.upperBound, text[end] != UInt8(ascii: " ") { end += 1 }
      rest = end..<rest.upperBound
    }
    TextScanner.skipBlanks(text, &rest)
    return TextScanner.number(text, &rest)
  }

  /// The one process in the text of `cgroup.procs`; nil where there is none or more than one.
  package static func parseSoleMember(_ text: Span<UInt8>) -> ProcessID? {
    guard let number = TextScanner.soleNumber(text), let pid = Int32(exactly: number) else {
      return nil
    }
    return ProcessID(pid)
  }

  /// Whether a reading also walks the page tables for pages that were given back lazily.
  package enum Depth: Sendable {
    /// `status` only: microseconds.
    case status
    /// Also `smaps_rollup`: up to milliseconds for a large process, and it needs the right to
    /// trace the process.
    case lazyFree
  }

  /// What is known of a process at this moment.
  ///
  /// - Parameters:
  ///   - process: Which process.
  ///   - cgroup: Its v2 path, if known.
  ///   - depth: What to read.
  ///   - files: Where to read.
  /// - Returns: nil where the process is gone or has no memory of its own. `lazyFree` is nil where
  ///   it was not asked for or may not be read.
  /// - Throws: What a file that should be readable failed with.
  package static func reading(
    of process: ProcessID,
    cgroup: String? = nil,
    depth: Depth = .status,
    _ files: KernelFiles
  ) throws(SystemError) -> ProcessReading? {
    guard let resident = try files.read(.process(process, "status"), parseResident) else {
      return nil
    }
    return ProcessReading(
      resident: resident,
      lazyFree: depth == .lazyFree ? try lazyFree(of: process, files) : nil,
      soleCgroupCurrent: try cgroup.flatMap { path throws(SystemError) in
        try soleCgroupCurrent(of: process, in: path, files)
      }
    )
  }

  /// When a process started, in clock ticks since boot.
  ///
  /// With the process id it names a process for good: ids are used again, start times differ.
  package static func startTime(
    of process: ProcessID,
    _ files: KernelFiles
  ) throws(SystemError) -> UInt64? {
    try files.read(.process(process, "stat"), parseStartTime)
  }

  /// The path of a process's executable, in its own mount namespace; nil where the process is gone
  /// or has none.
  ///
  /// The mark of an executable that was replaced since is left out.
  ///
  /// - Throws: EACCES where the process may not be looked at.
  package static func executable(
    of process: ProcessID,
    _ files: KernelFiles
  ) throws(SystemError) -> String? {
    guard let path = files.text(of: .process(process, "exe")) else { return nil }
    var target = [UInt8](repeating: 0, count: 4096)
    let length = unsafe target.withUnsafeMutableBytes { bytes in
      unsafe ucmk_readlink(path, bytes.baseAddress, bytes.count)
    }
    if length < 0, KernelFiles.isAbsence(Int32(clamping: -length)) { return nil }
    try SystemError.check(length, "readlink", path)
    let text = String(decoding: target[..<length], as: UTF8.self)
    let mark = " (deleted)"
    return text.hasSuffix(mark) ? String(text.dropLast(mark.count)) : text
  }

  /// `LazyFree` of a process; nil also where the daemon may not read it, which is the normal state
  /// of another user's process.
  private static func lazyFree(
    of process: ProcessID,
    _ files: KernelFiles
  ) throws(SystemError) -> ByteCount? {
    do {
      return try files.read(.process(process, "smaps_rollup"), parseLazyFree)
    } catch {
      guard error.isPermission else { throw error }
      return nil
    }
  }

  /// `memory.current` of `path`, where `process` is its one member.
  private static func soleCgroupCurrent(
    of process: ProcessID,
    in path: String,
    _ files: KernelFiles
  ) throws(SystemError) -> ByteCount? {
    guard try files.read(.cgroup(path, "cgroup.procs"), parseSoleMember) == process else {
      return nil
    }
    return try files.read(.cgroup(path, "memory.current"), CgroupMemoryReader.parseLimit)
  }
}
