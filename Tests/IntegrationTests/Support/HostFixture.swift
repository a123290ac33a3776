// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import UCMKLinux
import UCMKTestSupport

/// A host written down as files: those of `Tests/Fixtures/proc`, with the memory that a test wants.
enum HostFixture {
  /// 1,000 MiB: marks at 64, 112 and 176 MiB.
  static let capacity = 1_000 << 20

  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

  /// A tree with a calm host in which this process holds `resident` MiB.
  static func make(available: Int = 600, resident: Int = 2_000) throws -> FileTree {
    let tree = FileTree()
    for name in ["pressure/memory", "vmstat", "zoneinfo"] {
      let file = fixtures.appending(path: "proc/\(name)")
      tree.write("proc/\(name)", try String(contentsOf: file, encoding: .utf8))
    }
    memory(tree, available: available)
    process(tree, resident: resident)
    return tree
  }

  /// The text of a file below `Tests/Fixtures`.
  static func text(_ path: String) throws -> String {
    try String(contentsOf: fixtures.appending(path: path), encoding: .utf8)
  }

  /// Changes what is available, in one step, as the kernel does.
  static func memory(_ tree: FileTree, available mebibytes: Int) {
    let lines = [
      "MemTotal:        \(capacity >> 10) kB", "MemFree:             1024 kB",
      "MemAvailable:    \(mebibytes << 10) kB", "Buffers:                0 kB",
      "SwapTotal:              0 kB", "SwapFree:               0 kB",
    ]
    tree.write("proc/meminfo.new", lines.joined(separator: "\n") + "\n")
    tree.move("proc/meminfo.new", to: "proc/meminfo")
  }

  /// Changes what this process holds: the clients of the tests are all in it.
  static func process(_ tree: FileTree, resident mebibytes: Int) {
    let text = "Name:\ttest\nRssAnon:\t\(mebibytes << 10) kB\nRssFile:\t8 kB\nRssShmem:\t0 kB\n"
    tree.makeFolder("proc/\(getpid())")
    tree.write("proc/\(getpid())/status.new", text)
    tree.move("proc/\(getpid())/status.new", to: "proc/\(getpid())/status")
  }
}

/// The receiving end of datagrams, as the service manager has it.
final class NotifySocket {
  private let descriptor: OwnedDescriptor
  /// Every message so far, in order.
  private(set) var messages: [String] = []

  /// Binds to `path`; nil where that cannot be done.
  init?(_ path: String) {
    let type =
      Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
      | Int32(SOCK_CLOEXEC.rawValue)
    let raw = Glibc.socket(AF_UNIX, type, 0)
    guard raw >= 0 else { return nil }
    descriptor = OwnedDescriptor(raw)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = unsafe withUnsafePointer(to: address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.bind(raw, $0, size)
      }
    }
    guard result == 0 else { return nil }
  }

  /// Takes what has come.
  func drain() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe recv(descriptor.raw, &buffer, buffer.count, 0)
      guard count > 0 else { return }
      messages.append(String(decoding: buffer[..<count], as: UTF8.self))
    }
  }

  /// Whether a message came that begins so.
  func heard(_ beginning: String) -> Bool {
    drain()
    return messages.contains { $0.hasPrefix(beginning) }
  }
}
