// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
package import UCMKLinux

/// A folder of files in a temporary place: a fake `/proc` and cgroup hierarchy written as a
/// literal, gone when nothing refers to it any more.
///
///     let tree = FileTree(["proc/meminfo": "MemTotal: 1 kB\n", "cgroup/a/memory.max": "max\n"])
///     try MemInfoReader.sizes(tree.kernel)
///
/// A test that cannot write to its temporary folder can say nothing, so failures trap.
package final class FileTree: ExpressibleByDictionaryLiteral, Sendable {
  /// The folder; absolute, short enough for a socket path below it.
  package let root: String

  /// Makes a tree with these files: paths below the root, and what they hold.
  package convenience init(_ files: KeyValuePairs<String, String> = [:]) {
    self.init(files.map { ($0.key, $0.value) })
  }

  /// Makes a tree with these files: paths below the root, and what they hold.
  package convenience init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements)
  }

  private init(_ files: [(String, String)]) {
    let parent = Environment.value("TMPDIR") ?? "/tmp"
    var template = Array("\(parent)/ucmk-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { characters in
      unsafe characters.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
    }
    precondition(made, "a test needs a temporary folder in \(parent)")
    root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    makeFolder("proc")
    makeFolder("cgroup")
    for (path, text) in files { write(path, text) }
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: root)
    } catch {
      preconditionFailure("a test's temporary folder cannot be removed: \(error)")
    }
  }

  /// The path of what lies at `path` below the root.
  package func path(_ path: String) -> String { "\(root)/\(path)" }

  /// The fake `/proc`, for `--proc`.
  package var proc: String { path("proc") }

  /// The fake v2 hierarchy, for `--cgroup`.
  package var cgroup: String { path("cgroup") }

  /// A new reader of both.
  package var kernel: KernelFiles { KernelFiles(proc: proc, cgroup: cgroup) }

  /// Writes a file, making the folders above it.
  ///
  /// What was there is replaced.
  package func write(_ path: String, _ text: String) {
    let parts = path.split(separator: "/")
    if parts.count > 1 { makeFolder(parts.dropLast().joined(separator: "/")) }
    do {
      try text.write(toFile: self.path(path), atomically: false, encoding: .utf8)
    } catch {
      preconditionFailure("a test's file \(path) cannot be written: \(error)")
    }
  }

  /// Makes a folder, and those above it.
  package func makeFolder(_ path: String) {
    do {
      try FileManager.default.createDirectory(
        atPath: self.path(path),
        withIntermediateDirectories: true
      )
    } catch {
      preconditionFailure("a test's folder \(path) cannot be made: \(error)")
    }
  }

  /// Makes a FIFO.
  package func makeFIFO(_ path: String) {
    precondition(unsafe mkfifo(self.path(path), 0o600) == 0, "a test's FIFO cannot be made")
  }

  /// Makes a symbolic link to `target`.
  package func makeLink(_ path: String, to target: String) {
    precondition(unsafe symlink(target, self.path(path)) == 0, "a test's link cannot be made")
  }

  /// Whether anything lies at `path`.
  package func exists(_ path: String) -> Bool {
    unsafe access(self.path(path), F_OK) == 0
  }

  /// The permissions of what lies at `path`; 0 where nothing does.
  package func mode(_ path: String) -> UInt32 {
    var status = stat()
    return unsafe lstat(self.path(path), &status) == 0 ? status.st_mode & 0o7777 : 0
  }

  /// Renames a file.
  package func move(_ path: String, to target: String) {
    let result = unsafe rename(self.path(path), self.path(target))
    precondition(result == 0, "a test's file \(path) cannot be renamed")
  }

  /// Removes a file, or a folder with all that is in it.
  package func remove(_ path: String) {
    do {
      try FileManager.default.removeItem(atPath: self.path(path))
    } catch {
      preconditionFailure("a test's file \(path) cannot be removed: \(error)")
    }
  }
}
