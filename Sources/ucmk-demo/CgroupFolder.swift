// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKLinux
import UCMKModel

/// A cgroup of the demonstration's own, as a folder of the v2 hierarchy.
struct CgroupFolder {
  let path: String

  init(_ path: String) { self.path = path }

  /// A cgroup below this one.
  func child(_ name: String) -> CgroupFolder { CgroupFolder("\(path)/\(name)") }

  func make() throws(SystemError) {
    guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
      throw SystemError(call: "mkdir", path: path, errno: errno)
    }
  }

  /// Removes it and what is below it; everything in it has ended.
  func remove() {
    for name in ["photos", "search", "packages", "demand", "shop", "supervisor"] {
      _ = unsafe rmdir("\(path)/\(name)")
    }
    _ = unsafe rmdir(path)
  }

  /// Moves this process into it.
  func enter() throws(SystemError) { try write("cgroup.procs", "0") }

  func write(_ name: String, _ text: String) throws(SystemError) {
    let file = "\(path)/\(name)"
    let descriptor = unsafe open(file, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(call: "open", path: file, errno: errno) }
    defer { _ = close(descriptor) }
    let bytes = Array(text.utf8)
    guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw SystemError(call: "write", path: file, errno: errno)
    }
  }

  func read(_ name: String) -> String? {
    let descriptor = unsafe open("\(path)/\(name)", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { _ = close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { return nil }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }

  /// The number behind `key` in a file of keys and numbers.
  func number(_ key: String, in name: String) -> UInt64? {
    for line in (read(name) ?? "").split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == key { return UInt64(words[1]) }
    }
    return nil
  }

  /// `memory.current`.
  var current: UInt64 {
    (read("memory.current")?.split(separator: "\n").first).flatMap { UInt64($0) } ?? 0
  }

  /// The cgroup of this process in the v2 hierarchy.
  ///
  /// - Throws: Where there is none, or memory is not accounted in it.
  static func own() throws -> CgroupFolder {
    guard let mount = try CgroupMount.find(), mount.hasMemoryController else {
      throw DemoProblem("no v2 hierarchy with the memory controller on this host")
    }
    let files = KernelFiles(cgroup: mount.path)
    guard let path = try PeerCgroup.path(ofProcess: .init(getpid()), files) else {
      throw DemoProblem("this process is in no v2 cgroup")
    }
    return CgroupFolder(path == "/" ? mount.path : mount.path + path)
  }
}

/// Why there can be no demonstration, for people.
struct DemoProblem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
