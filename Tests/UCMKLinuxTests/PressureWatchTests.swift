// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("pressure watch")
struct PressureWatchTests {
  private let tree = FileTree()

  private func watch(_ path: String, write: String? = nil) throws -> PressureWatch {
    try #require(try PressureWatchEnvironment(watch: path, write: write).open())
  }

  /// Whether the descriptor is ready now, for what the source says it waits for.
  private func ready(_ watch: PressureWatch) throws -> EpollEvents {
    var entries = [PollEntry(fd: watch.raw, events: watch.events)]
    try pollDescriptors(&entries, timeout: 0)
    return entries[0].ready
  }

  @Test(
    "variables say unset, off or what to watch",
    arguments: [
      (nil, nil, .unset), (nil, "eA==", .unset), ("", nil, .off), ("/dev/null", "eA==", .off),
      ("/p", nil, .watch(path: "/p", initial: [])),
      ("/p", "", .watch(path: "/p", initial: [])),
      (
        "/p", "c29tZSAyMDAwMDAgMjAwMDAwMAA=",
        .watch(path: "/p", initial: Array("some 200000 2000000\0".utf8))
      ),
    ] as [(String?, String?, PressureWatchEnvironment)]
  )
  func variables(path: String?, write: String?, expected: PressureWatchEnvironment) throws {
    #expect(try PressureWatchEnvironment(watch: path, write: write) == expected)
  }

  @Test(
    "a path that is not absolute and normal is refused",
    arguments: ["p", "./p", "/a//p", "/a/../p", "/a/.", "/a/", "/", "//p"]
  )
  func badPaths(path: String) {
    #expect(throws: PressureWatchError.badPath(path)) {
      try PressureWatchEnvironment(watch: path, write: nil)
    }
  }

  @Test(
    "text that is no Base64 is refused",
    arguments: ["x", "====", "e===", "e!==", "eA=A", "eA"]
  )
  func badText(text: String) {
    #expect(throws: PressureWatchError.badBase64(text)) {
      try PressureWatchEnvironment(watch: "/p", write: text)
    }
  }

  @Test(
    "Base64 of every length",
    arguments: [
      ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"),
      ("Zm9vYmE=", "fooba"), ("Zm9vYmFy", "foobar"), ("+/+/", "\u{fb}\u{ff}\u{bf}"),
    ]
  )
  func base64(text: String, expected: String) {
    let bytes = expected.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    #expect(Base64.decode(text) == bytes)
  }

  @Test("any number of bytes in a FIFO are one event, and its writers may come and go")
  func fifo() throws {
    tree.makeFIFO("fifo")
    let source = try watch(tree.path("fifo"))
    #expect(source.kind == .fifo)
    #expect(source.events == .in)
    #expect(try ready(source) == [])
    #expect(source.drain(.in) == .nothing)
    for _ in 0..<2 {
      let writer = OwnedDescriptor(unsafe open(tree.path("fifo"), O_WRONLY | O_NONBLOCK))
      StandardStream.write([1, 2, 3], to: writer.raw)
      StandardStream.write([4], to: writer.raw)
      #expect(try ready(source) == .in)
      #expect(source.drain(.in) == .event)
      #expect(try ready(source) == [])
    }
    #expect(try ready(source) == [], "no writer is left, and that is no event")
  }

  @Test("what is written to a FIFO at the start does not come back as an event")
  func fifoEcho() throws {
    tree.makeFIFO("fifo")
    let early = OwnedDescriptor(unsafe open(tree.path("fifo"), O_RDWR | O_NONBLOCK))
    let source = try watch(tree.path("fifo"), write: "c29tZQA=")
    #expect(try ready(source) == [])
    StandardStream.write([1], to: early.raw)
    let second = try watch(tree.path("fifo"), write: "c29tZQA=")
    #expect(try ready(second) == .in, "what another wrote before stays an event")
    #expect(second.drain(.in) == .event)
  }

  @Test("a socket gets the text first, its bytes are events, its end is the end")
  func socket() throws {
    let path = tree.path("socket")
    let listener = try UnixListener(binding: path, mode: 0o600)
    let source = try watch(path, write: "c29tZQA=")
    #expect(source.kind == .socket)
    guard case .connection(let manager) = listener.accept() else {
      Issue.record("the source connects")
      return
    }
    var received = [UInt8](repeating: 9, count: 8)
    #expect(UnixStream.receive(manager.raw, into: &received) == .bytes(5))
    #expect(received[0..<5] == [0x73, 0x6f, 0x6d, 0x65, 0])
    #expect(try ready(source) == [])
    #expect(UnixStream.send(manager.raw, [10, 10]) == .bytes(2))
    #expect(source.drain(try ready(source)) == .event)
    #expect(source.drain(.in) == .nothing)
    #expect(UnixStream.send(manager.raw, [10]) == .bytes(1))
    try UnixStream.finishSending(manager.raw)
    #expect(source.drain(try ready(source)) == .event, "the last event is not lost")
    #expect(source.drain(try ready(source)) == .ended)
  }

  @Test("a regular file that is no PSI file would never fire, and is refused")
  func regularFile() {
    tree.write("plain", "x")
    let path = tree.path("plain")
    #expect(throws: PressureWatchError.notAPressureFile(path)) { try watch(path, write: "c28A") }
    #expect(throws: PressureWatchError.self) { try watch(tree.proc) }
  }

  @Test("what is not there, or refuses, is an error that names it")
  func absent() throws {
    let path = tree.path("absent")
    let missing = PressureWatchError.system(SystemError(call: "stat", path: path, errno: ENOENT))
    #expect(throws: missing) { try watch(path) }
    #expect("\(missing)".hasPrefix("stat \(path): ENOENT"))
    #expect(
      "\(PressureWatchError.badPath("x"))"
        == "MEMORY_PRESSURE_WATCH=x: wanted an absolute path without `.` and `..`"
    )
  }

  @Test(
    "a PSI file gets the trigger, and ends with its group",
    .enabled(if: PressureGroup.obstacle == nil, Comment(rawValue: PressureGroup.obstacle ?? ""))
  )
  func psiFile() throws {
    let group = try #require(PressureGroup())
    let source = try watch(group.pressureFile, write: "c29tZSAyMDAwMDAgMjAwMDAwMAA=")
    #expect(source.kind == .psi)
    #expect(source.events == .pri)
    #expect(try ready(source) == [])
    #expect(source.drain([]) == .nothing)
    #expect(source.drain(.pri) == .event)
    #expect(group.remove())
    #expect(source.drain(try ready(source)) == .ended)
  }

  @Test("reads this process's variables")
  func ownVariables() async {
    await #expect(processExitsWith: .success) {
      unsafe setenv("MEMORY_PRESSURE_WATCH", "/x/y", 1)
      unsafe setenv("MEMORY_PRESSURE_WRITE", "eA==", 1)
      let set = try PressureWatchEnvironment()
      #expect(set == .watch(path: "/x/y", initial: [0x78]))
      unsafe unsetenv("MEMORY_PRESSURE_WATCH")
      let unset = try PressureWatchEnvironment()
      let source = try unset.open()
      #expect(unset == .unset)
      #expect(source == nil)
    }
  }
}
