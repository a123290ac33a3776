// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import UCMKControl
import UCMKLinux
import UCMKModel

/// Real demand: a program that needs memory and keeps it, as much as it is told on its input.
struct DemandCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demand",
    abstract: "Take memory as told on standard input: a number of bytes a line; 0 ends.",
    discussion: """
      Each line is how many more bytes to take, in the units of --bytes (64M). What is taken is \
      written to, page by page. "free" gives everything back.
      """
  )

  @Option(help: "A cgroup to move into first: the path of its folder.")
  var cgroup: String?

  @Option(help: "Take this much at once, before anything is read.")
  var bytes: SizeArgument?

  func run() throws {
    if let cgroup { try CgroupFolder(cgroup).enter() }
    var held: [AnonymousMemory] = []
    if let bytes { held.append(try AnonymousMemory(touching: Int(bytes.bytes.value))) }
    while let line = readLine() {
      if line == "free" {
        held.removeAll()
      } else if let more = SizeArgument(argument: line) {
        if more.bytes == .zero { return }
        held.append(try AnonymousMemory(touching: Int(more.bytes.value)))
      } else {
        throw ValidationError("a line wants a size such as 8M, or free: \(line)")
      }
      ChildOutput.tell("held\n")
    }
  }
}

/// `MADV_POPULATE_WRITE` of `linux/mman.h`, newer than some headers.
private let populateForWriting: Int32 = 23

/// Anonymous memory that was written to, so that it really is there.
@safe final class AnonymousMemory {
  private let memory: UnsafeMutableRawBufferPointer

  init(touching count: Int) throws {
    let start = unsafe mmap(
      nil,
      count,
      PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS,
      -1,
      0
    )
    guard let start = unsafe start, unsafe start != MAP_FAILED else {
      throw SystemError(call: "mmap", errno: errno)
    }
    unsafe memory = UnsafeMutableRawBufferPointer(start: start, count: count)
    // In one call where the kernel can (Linux 5.14): fault by fault, a slow machine would be asked
    // to make room before it stalls.
    if unsafe madvise(start, count, populateForWriting) == 0 { return }
    for offset in stride(from: 0, to: count, by: Int(Page.size)) {
      let byte = UInt8(truncatingIfNeeded: offset >> 12) | 1
      unsafe memory.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }
  }

  deinit { _ = unsafe munmap(memory.baseAddress, memory.count) }
}
