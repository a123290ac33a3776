// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// Where the v2 hierarchy is, and whether memory is accounted there.
package struct CgroupMount: Sendable, Hashable {
  /// The mount point, such as `/sys/fs/cgroup`, or `/sys/fs/cgroup/unified` on a hybrid host.
  package var path: String
  /// Whether the memory controller belongs to this hierarchy (`cgroup.controllers`).
  ///
  /// Where it does not, its groups have PSI files and no `memory.*` sizes.
  package var hasMemoryController: Bool

  /// Makes a mount.
  package init(path: String, hasMemoryController: Bool) {
    self.path = path
    self.hasMemoryController = hasMemoryController
  }

  /// The v2 mount of this process, by `self/mountinfo` below `proc`; nil where there is none.
  package static func find(proc: String = "/proc") throws(SystemError) -> CgroupMount? {
    let files = KernelFiles(proc: proc, cgroup: nil)
    guard let path = try files.read(.proc("self/mountinfo"), parse) else { return nil }
    return try at(path)
  }

  /// The v2 hierarchy whose root is `path` (`--cgroup`).
  package static func at(_ path: String) throws(SystemError) -> CgroupMount {
    let files = KernelFiles(cgroup: path)
    let controls = try files.read(.cgroup("/", "cgroup.controllers"), listsMemory)
    return CgroupMount(path: path, hasMemoryController: controls ?? false)
  }

  /// The mount point of a v2 hierarchy in the text of `mountinfo` (proc(5)).
  ///
  /// A host may show it several times (bind mounts of containers): the first that shows the whole
  /// hierarchy wins, else the first.
  package static func parse(_ text: Span<UInt8>) -> String? {
    var partial: String?
    var position = 0
    while let line = TextScanner.nextLine(text, &position) {
      guard let mount = mountPoint(text, line) else { continue }
      if mount.isWhole { return mount.path }
      partial = partial ?? mount.path
    }
    return partial
  }

  /// The fields of a line are `id parent device root point options [optional…] - type …`.
  private static func mountPoint(
    _ text: Span<UInt8>,
    _ line: Range<Int>
  ) -> (path: String, isWhole: Bool)? {
    var rest = line
    var fields: [Range<Int>] = []
    while let field = word(text, &rest) {
      if field.count == 1, text[field.lowerBound] == UInt8(ascii: "-") { break }
      fields.append(field)
    }
    guard fields.count >= 6, let type = word(text, &rest) else { return nil }
    guard TextScanner.string(text, type) == "cgroup2" else { return nil }
    let root = fields[3]
    return (
      unescaped(text, fields[4]), root.count == 1 && text[root.lowerBound] == UInt8(ascii: "/")
    )
  }

  private static func word(_ text: Span<UInt8>, _ rest: inout Range<Int>) -> Range<Int>? {
    TextScanner.skipBlanks(text, &rest)
    var end = rest.lowerBound
    while end < rest.upperBound, text[end] != UInt8(ascii: " ") { end += 1 }
    guard end > rest.lowerBound else { return nil }
    defer { rest = end..<rest.upperBound }
    return rest.lowerBound..<end
  }

  /// `mountinfo` writes space, tab, line feed and backslash as a backslash and three octal digits.
  private static func unescaped(_ text: Span<UInt8>, _ range: Range<Int>) -> String {
    var bytes: [UInt8] = []
    var position = range.lowerBound
    while position < range.upperBound {
      if text[position] == UInt8(ascii: "\\"), position + 3 < range.upperBound {
        var code: UInt64 = 0
        for offset in 1...3 { code = code * 8 + (TextScanner.digit(text[position + offset]) ?? 0) }
        bytes.append(UInt8(truncatingIfNeeded: code))
        position += 4
      } else {
        bytes.append(text[position])
        position += 1
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func listsMemory(_ text: Span<UInt8>) -> Bool? {
    var position = 0
    guard var rest = TextScanner.nextLine(text, &position) else { return nil }
    while let name = word(text, &rest) {
      if TextScanner.string(text, name) == "memory" { return true }
    }
    return false
  }
}
