// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// Rules for v2 paths, such as `/system.slice/foo.service`.
package enum CgroupPath {
  /// Whether `path` can be put behind the root of the hierarchy: it begins with `/`, has no empty,
  /// `.` or `..` component, no NUL and no line feed, and does not end in `/` unless it is `/`.
  package static func isValid(_ path: some StringProtocol) -> Bool {
    var bytes = path.utf8.makeIterator()
    guard bytes.next() == UInt8(ascii: "/") else { return false }
    if path.utf8.count == 1 { return true }
    var length = 0
    var onlyDots = true
    while let byte = bytes.next() {
      switch byte {
      case 0, UInt8(ascii: "\n"): return false
      case UInt8(ascii: "/"):
        guard length > 0, !(onlyDots && length <= 2) else { return false }
        (length, onlyDots) = (0, true)
      default:
        length += 1
        onlyDots = onlyDots && byte == UInt8(ascii: ".")
      }
    }
    return length > 0 && !(onlyDots && length <= 2)
  }

  /// The path one level up; nil at the root.
  package static func parent(of path: Substring) -> Substring? {
    guard path.utf8.count > 1, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
      return nil
    }
    return slash == path.utf8.startIndex ? "/" : path[..<slash]
  }
}

/// Finds the cgroup of a process.
package enum PeerCgroup {
  /// The v2 path from the text of `/proc/PID/cgroup` (its `0::` line).
  ///
  /// - Returns: nil where there is no such line, or its path cannot be reached from here: outside
  ///   the daemon's cgroup namespace (`/../…`), or removed.
  package static func parse(_ text: Span<UInt8>) -> String? {
    var position = 0
    while var line = TextScanner.nextLine(text, &position) {
      guard TextScanner.skip("0::", text, &line) else { continue }
      let path = TextScanner.string(text, line)
      // The kernel marks a removed group so; no process of it can be asked for anything.
      if path.utf8.count > 10, path.hasSuffix(" (deleted)") { return nil }
      return CgroupPath.isValid(path) ? path : nil
    }
    return nil
  }

  /// The v2 path of a process.
  ///
  /// - Returns: nil as for `parse`, and where the process is gone or no v2 root is known.
  package static func path(
    ofProcess process: ProcessID,
    _ files: KernelFiles
  ) throws(SystemError) -> String? {
    guard files.cgroup != nil else { return nil }
    return try files.read(.process(process, "cgroup"), parse)
  }
}
