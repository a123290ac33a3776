// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import UCMKControl
import UCMKLinux
import UCMKModel

/// Real pressure in one cgroup, without a limit and without filling the host.
///
/// It maps a file, touches its pages, has the kernel evict them (`MADV_PAGEOUT`) and touches them
/// again: a page of the working set that comes back from the disk counts as memory stall. Linux
/// 6.18 does so; 6.1 gives no stall for it.
struct StallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stall",
    abstract: "Stall for memory until SIGTERM, so that the cgroup's pressure rises."
  )

  @Option(help: "A cgroup to move into first: the path of its folder.")
  var cgroup: String?

  @Option(help: "Where to make a file for a while; a disk, no tmpfs.")
  var file: String

  @Option(help: "How large the file is.")
  var bytes: SizeArgument

  @Option(name: .customLong("for"), help: "When it ends anyway, such as 60s.")
  var span: DurationArgument

  /// `MADV_RANDOM` and `MADV_PAGEOUT` (madvise(2)).
  private static let randomAccess: Int32 = 1, pageOut: Int32 = 21

  func run() throws {
    if let cgroup { try CgroupFolder(cgroup).enter() }
    let descriptor = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemError(call: "open", path: file, errno: errno) }
    defer { close(descriptor) }
    // Its pages stay as long as the descriptor; the name would outlive a kill.
    _ = unsafe unlink(file)
    let size = Int(bytes.bytes.value)
    try fill(descriptor, size)
    let end = MonotonicClock.now() + span.span
    while MonotonicClock.now() < end {
      let protection = PROT_READ | PROT_WRITE
      let mapped = unsafe mmap(nil, size, protection, MAP_SHARED, descriptor, 0)
      guard let pages = unsafe mapped, unsafe pages != MAP_FAILED else {
        throw SystemError(call: "mmap", path: file, errno: errno)
      }
      _ = unsafe madvise(pages, size, StallCommand.randomAccess)
      for _ in 0..<3 { unsafe touch(pages, size) }
      _ = unsafe madvise(pages, size, StallCommand.pageOut)
      _ = unsafe munmap(pages, size)
    }
  }

  private func fill(_ descriptor: Int32, _ size: Int) throws {
    let block = [UInt8](repeating: 0x5a, count: 1 << 20)
    for _ in 0..<(size >> 20) {
      guard unsafe write(descriptor, block, block.count) == block.count else {
        throw SystemError(call: "write", path: file, errno: errno)
      }
    }
    guard fsync(descriptor) == 0 else {
      throw SystemError(call: "fsync", path: file, errno: errno)
    }
  }

  private func touch(_ pages: UnsafeMutableRawPointer, _ size: Int) {
    for offset in stride(from: 0, to: size, by: Int(Page.size)) {
      _ = unsafe pages.load(fromByteOffset: offset, as: UInt8.self)
    }
  }
}
