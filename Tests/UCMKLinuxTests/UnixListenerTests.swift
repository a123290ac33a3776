// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Synchronization
import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("listener")
struct UnixListenerTests {
  private let tree = FileTree()

  @Test("gives its file exactly the mode that is asked for", arguments: [0o666, 0o600, 0o660])
  func modes(mode wanted: UInt32) throws {
    let path = tree.path("socket")
    let listener = try UnixListener(binding: path, mode: wanted)
    #expect(tree.mode("socket") == wanted)
    #expect(listener.path == path)
  }

  @Test("accepts who connects, and then nobody")
  func accepts() throws {
    let path = tree.path("socket")
    let listener = try UnixListener(binding: path, mode: 0o600)
    guard case .wouldBlock = listener.accept() else {
      Issue.record("nobody has connected yet")
      return
    }
    let client = try UnixStream.connect(path, nonblocking: true)
    guard case .connection(let served) = listener.accept() else {
      Issue.record("one has connected")
      return
    }
    #expect(fcntl(served.raw, F_GETFL) & O_NONBLOCK != 0)
    #expect(fcntl(served.raw, F_GETFD) & FD_CLOEXEC != 0)
    #expect(UnixStream.send(client.raw, [1, 2, 3]) == .bytes(3))
    var received = [UInt8](repeating: 0, count: 8)
    #expect(UnixStream.receive(served.raw, into: &received) == .bytes(3))
    #expect(received == [1, 2, 3, 0, 0, 0, 0, 0])
    guard case .wouldBlock = listener.accept() else {
      Issue.record("only one has connected")
      return
    }
  }

  @Test("replaces the socket file of a process that died")
  func stale() throws {
    let path = tree.path("socket")
    // Renamed away while its owner drops it, so that the owner does not find it to remove.
    var dead: UnixListener? = try UnixListener(binding: path, mode: 0o600)
    tree.move("socket", to: "kept")
    withExtendedLifetime(dead) {}
    dead = nil
    tree.move("kept", to: "socket")
    #expect(throws: SystemError(call: "connect", path: path, errno: ECONNREFUSED)) {
      try UnixStream.connect(path, nonblocking: true)
    }
    let listener = try UnixListener(binding: path, mode: 0o644)
    #expect(tree.mode("socket") == 0o644)
    let client = try UnixStream.connect(path, nonblocking: true)
    guard case .connection = listener.accept() else {
      Issue.record("the new listener serves the path")
      return
    }
    withExtendedLifetime(client) {}
  }

  @Test("leaves alone a path at which somebody answers")
  func inUse() throws {
    let path = tree.path("socket")
    let first = try UnixListener(binding: path, mode: 0o600)
    #expect(throws: ListenerError.inUse(path)) {
      try UnixListener(binding: path, mode: 0o600)
    }
    let client = try UnixStream.connect(path, nonblocking: true)
    withExtendedLifetime((first, client)) {}
  }

  @Test("leaves alone a file that is no socket")
  func otherFile() throws {
    tree.write("plain", "text")
    let path = tree.path("plain")
    #expect(throws: ListenerError.badPath(path, reason: "exists and is not a socket")) {
      try UnixListener(binding: path, mode: 0o600)
    }
    #expect(tree.exists("plain"))
  }

  @Test("refuses paths that name no socket")
  func badPaths() {
    #expect(throws: ListenerError.badPath("socket", reason: "a socket path is absolute")) {
      try UnixListener(binding: "socket", mode: 0o600)
    }
    #expect(throws: ListenerError.badPath("", reason: "a socket path is absolute")) {
      try UnixListener(binding: "", mode: 0o600)
    }
    let folder = tree.root + "/"
    #expect(throws: ListenerError.badPath(folder, reason: "is no path of a file")) {
      try UnixListener(binding: folder, mode: 0o600)
    }
    let long = "/" + String(repeating: "x", count: 107)
    #expect(throws: ListenerError.badPath(long, reason: "longer than 107 bytes")) {
      try UnixListener(binding: long, mode: 0o600)
    }
    let below = tree.path("absent/socket")
    #expect(throws: ListenerError.badPath(below, reason: "its folder does not exist")) {
      try UnixListener(binding: below, mode: 0o600)
    }
  }

  @Test("removes its file when it goes, but not another's")
  func removal() throws {
    let path = tree.path("socket")
    var listener: UnixListener? = try UnixListener(binding: path, mode: 0o600)
    #expect(tree.exists("socket"))
    listener = nil
    #expect(!tree.exists("socket"))

    listener = try UnixListener(binding: path, mode: 0o600)
    tree.remove("socket")
    tree.write("socket", "somebody else's")
    withExtendedLifetime(listener) {}
    listener = nil
    #expect(tree.exists("socket"))
  }

  @Test("takes over a socket that was handed in, and leaves its file when it goes")
  func inherited() throws {
    let path = tree.path("socket")
    let manager = try UnixListener(binding: path, mode: 0o600)
    var daemon: UnixListener? = try UnixListener(inherited: dup(manager.raw))
    #expect(daemon?.path == nil)
    let client = try UnixStream.connect(path, nonblocking: true)
    guard case .connection = daemon?.accept() else {
      Issue.record("the handed-in socket accepts")
      return
    }
    daemon = nil
    #expect(tree.exists("socket"))
    withExtendedLifetime(client) {}
  }

  @Test("refuses a descriptor that does not listen")
  func notListening() throws {
    let (one, other) = try UnixStream.pair(nonblocking: true)
    #expect(throws: ListenerError.self) { try UnixListener(inherited: one.raw) }
    let watched = try EventFD()
    #expect(throws: ListenerError.self) { try UnixListener(inherited: watched.raw) }
    // Both are still open: what is refused is not taken over.
    #expect(UnixStream.send(one.raw, [1]) == .bytes(1))
    withExtendedLifetime(other) {}
  }

  @Test("of many that start at one stale file exactly one gets it")
  func race() throws {
    let path = tree.path("socket")
    var dead: UnixListener? = try UnixListener(binding: path, mode: 0o600)
    tree.move("socket", to: "kept")
    withExtendedLifetime(dead) {}
    dead = nil
    tree.move("kept", to: "socket")
    let counts = RaceCounts()
    let isOver = try EventFD()
    try withThreads(8) {
      do throws(ListenerError) {
        let listener = try UnixListener(binding: path, mode: 0o600)
        counts.winners.add(1, ordering: .relaxed)
        // The winner stays until the others have tried.
        var entries = [PollEntry(fd: isOver.raw, events: .in)]
        do throws(SystemError) { try pollDescriptors(&entries, timeout: 20_000) } catch { return }
        withExtendedLifetime(listener) {}
      } catch {
        guard case .inUse = error else { return }
        if counts.losers.add(1, ordering: .relaxed).newValue == 7 { isOver.signal() }
      }
    }
    #expect(counts.winners.load(ordering: .relaxed) == 1)
    #expect(counts.losers.load(ordering: .relaxed) == 7)
  }

  @Test("a file that can be seen can be connected to, from its first moment on")
  func noGap() throws {
    let count = 400
    let root = tree.root
    let step = RaceStep()
    let watcher = try SmallThread(name: "ucmk-watcher", stack: 512 << 10) {
      for index in 0..<count {
        let path = "\(root)/socket-\(index)"
        while unsafe access(path, F_OK) != 0, !step.isOver { sched_yield() }
        do throws(SystemError) {
          withExtendedLifetime(try UnixStream.connect(path, nonblocking: true)) {}
          step.connected.add(1, ordering: .relaxed)
        } catch {
          step.errno.store(error.errno, ordering: .relaxed)
        }
        step.seen.store(index + 1, ordering: .releasing)
      }
    }
    defer {
      step.end.store(true, ordering: .relaxed)
      watcher.join()
      #expect(step.connected.load(ordering: .relaxed) == count)
      #expect(step.errno.load(ordering: .relaxed) == 0)
    }
    for index in 0..<count {
      let listener = try UnixListener(binding: "\(root)/socket-\(index)", mode: 0o600)
      // It stays until it was tried: one that goes refuses, rightly.
      while step.seen.load(ordering: .acquiring) <= index { sched_yield() }
      withExtendedLifetime(listener) {}
    }
  }

  @Test("nothing but its file is left beside it, also where a name of before was in the way")
  func noRest() throws {
    let path = tree.path("only/socket")
    tree.write("only/.socket.\(getpid())", "of a process that had our number")
    let listener = try UnixListener(binding: path, mode: 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: tree.path("only")) == ["socket"])
    let client = try UnixStream.connect(path, nonblocking: true)
    guard case .connection = listener.accept() else {
      Issue.record("the listener serves the path")
      return
    }
    listener.removeFile()
    #expect(try FileManager.default.contentsOfDirectory(atPath: tree.path("only")) == [])
    withExtendedLifetime(client) {}
  }

  @Test("a path as long as an address can be is served, and replaced where it is stale")
  func longest() throws {
    let path = tree.path(String(repeating: "x", count: 107 - tree.path("").utf8.count))
    #expect(path.utf8.count == 107)
    for _ in 0..<2 {
      var listener: UnixListener? = try UnixListener(binding: path, mode: 0o600)
      withExtendedLifetime(try UnixStream.connect(path, nonblocking: true)) {}
      #expect(throws: ListenerError.inUse(path)) {
        try UnixListener(binding: path, mode: 0o600)
      }
      // Renamed away while its owner drops it: it is stale when it is back.
      try FileManager.default.moveItem(atPath: path, toPath: tree.path("kept"))
      withExtendedLifetime(listener) {}
      listener = nil
      try FileManager.default.moveItem(atPath: tree.path("kept"), toPath: path)
    }
  }

  /// Runs `body` in `count` threads at once and waits for them all.
  private func withThreads(
    _ count: Int,
    _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    var threads: [SmallThread] = []
    for index in 0..<count {
      threads.append(try SmallThread(name: "ucmk-\(index)", stack: 512 << 10, body))
    }
    for thread in threads { thread.join() }
  }

  @Test("errors are one line for people")
  func descriptions() {
    #expect("\(ListenerError.inUse("/s"))" == "/s: another process listens there")
    #expect("\(ListenerError.badPath("/s", reason: "is wrong"))" == "/s: is wrong")
    let denied = ListenerError.system(SystemError(call: "bind", path: "/s", errno: EACCES))
    #expect("\(denied)" == "bind /s: EACCES (Permission denied)")
  }
}

private final class RaceStep: Sendable {
  let seen = Atomic<Int>(0), connected = Atomic<Int>(0)
  let errno = Atomic<Int32>(0)
  let end = Atomic<Bool>(false)

  var isOver: Bool { end.load(ordering: .relaxed) }
}

private final class RaceCounts: Sendable {
  let winners = Atomic<Int>(0), losers = Atomic<Int>(0)
}
