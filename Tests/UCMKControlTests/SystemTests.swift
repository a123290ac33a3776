// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKControl
import UCMKModel

@Suite("files of the host")
struct HostFilesTests {
  @Test("a file is read whole, one that is not there is named by its error number")
  func text() throws {
    let folder = try FakeDaemon.makeFolder()
    let path = folder + "/f"
    try "one\ntwo".write(toFile: path, atomically: false, encoding: .utf8)
    defer {
      do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }
    #expect(try HostFiles.text(path) == "one\ntwo")
    #expect(HostFiles.textIfAny(path) == "one\ntwo")
    #expect(HostFiles.exists(path))
    #expect(HostFiles.names(in: folder) == [".", "..", "f"])
    #expect(throws: HostFiles.SystemError(number: ENOENT)) { try HostFiles.text(folder + "/g") }
    #expect(throws: HostFiles.SystemError(number: EISDIR)) { try HostFiles.text(folder) }
    #expect(HostFiles.textIfAny(folder + "/g") == nil)
    #expect(!HostFiles.exists(folder + "/g"))
    #expect(HostFiles.names(in: folder + "/g") == [])
  }

  @Test("a file without end is cut")
  func endless() throws {
    let count = try HostFiles.text("/dev/zero").utf8.count
    #expect(count >= 1 << 20)
    #expect(count < 1 << 21)
  }
}

@Suite("another program")
struct ChildProgramTests {
  @Test("what it says and how it ends")
  func ends() throws {
    let child = try ChildProgram(path: "/bin/sh", arguments: ["-c", "echo a; echo b >&2; exit 3"])
    #expect(child.output == "a\n")
    #expect(child.errors == "b\n")
    #expect(child.end == .exited(3))
    let killed = try ChildProgram(path: "/bin/sh", arguments: ["-c", "kill -KILL $$"])
    #expect(killed.end == .killed(9))
  }

  @Test("arguments arrive as they are")
  func arguments() throws {
    let child = try ChildProgram(path: "/bin/echo", arguments: ["a b", "*", "'$HOME'", ""])
    #expect(child.output == "a b * '$HOME' \n")
  }

  @Test("one that cannot be run is said so")
  func missing() {
    #expect(
      throws: ControlError.unavailable(
        "/nowhere/ucmkd could not be run: No such file or directory"
      )
    ) { try ChildProgram(path: "/nowhere/ucmkd", arguments: []) }
  }

  @Test("it is looked for in order")
  func locate() {
    #expect(ChildProgram.locate("sh", beside: "/bin", path: "/usr/bin") == "/bin/sh")
    #expect(ChildProgram.locate("sh", beside: nil, path: "/nowhere:/bin") == "/bin/sh")
    #expect(ChildProgram.locate("sh", beside: "/nowhere", path: nil) == nil)
    #expect(ChildProgram.locate("sh", beside: nil, path: "") == nil)
    #expect(ChildProgram.locate("passwd", beside: "/etc", path: nil) == nil)
  }
}

@Suite("where text goes")
struct TextSinkTests {
  @Test("all of it arrives in the file")
  func file() throws {
    let folder = try FakeDaemon.makeFolder()
    let path = folder + "/out"
    defer {
      do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    let sink = FileSink(descriptor: descriptor)
    let long = String(repeating: "ä line\n", count: 50_000)
    sink.write(long)
    sink.write("end")
    sink.write("")
    close(descriptor)
    #expect(sink.failure == nil)
    #expect(try HostFiles.text(path) == long + "end")
  }

  @Test("the first failure is kept, and nothing is written after it")
  func failure() throws {
    let full = unsafe open("/dev/full", O_WRONLY | O_CLOEXEC)
    try #require(full >= 0)
    defer { close(full) }
    let sink = FileSink(descriptor: full)
    #expect(sink.failure == nil)
    sink.write("x")
    #expect(sink.failure == ENOSPC)
    sink.write("y")
    #expect(sink.failure == ENOSPC)
  }

  @Test("memory keeps it in order")
  func memory() {
    let sink = MemorySink()
    sink.write("a")
    sink.write("b")
    #expect(sink.text == "ab")
    #expect(sink.failure == nil)
  }
}

@Suite("the context of the process")
struct ControlContextTests {
  @Test("it knows its own folder, and that a test's output is no terminal or has a width")
  func process() throws {
    let context = ControlContext.process(environment: ["COLUMNS": "91"])
    #expect(context.environment == ["COLUMNS": "91"])
    #expect(HostFiles.exists(try #require(context.programFolder)))
    #expect(context.columns == (context.isTerminal ? 91 : nil))
    #expect(context.wallClock() > 1_700_000_000_000_000)
    #expect(context.host == HostRoots())
  }

  @Test("the clock for deadlines goes on")
  func clock() {
    let first = Clock.monotonic()
    let second = Clock.monotonic()
    #expect(first <= second)
    #expect(first.nanoseconds > 0)
  }

  @Test("errors of the system have their names")
  func names() {
    #expect(systemMessage(ENOENT) == "No such file or directory")
    #expect(systemMessage(ECONNREFUSED) == "Connection refused")
  }

  @Test(
    "each way to end has its exit code",
    arguments: [
      (ControlError.refused(RPCError(code: -32603, text: "x")), 1), (.failed("x"), 1),
      (.usage("x"), 64), (.switchedOff, 69), (.noDaemon(paths: ["/a"], reason: "x"), 69),
      (.silent(method: "a", waited: "1 s"), 69), (.closed(reason: "x"), 69), (.garbage("x"), 69),
      (.unavailable("x"), 69),
    ] as [(ControlError, Int32)]
  )
  func codes(error: ControlError, code: Int32) {
    #expect(error.status.rawValue == code)
    #expect(!error.message.isEmpty)
  }

  @Test("several paths are all named")
  func paths() {
    #expect(
      ControlError.noDaemon(paths: ["/a", "/b"], reason: "Connection refused").message == """
        no daemon at /a or /b: Connection refused
        (start it with `systemctl start ucmkd`, or name its socket with --socket)
        """
    )
  }
}
