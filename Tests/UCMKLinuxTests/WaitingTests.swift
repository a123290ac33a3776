// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("epoll set")
struct EpollSetTests {
  private struct Seen: Equatable {
    var token: UInt64
    var events: EpollEvents
  }

  private func ready(_ set: EpollSet, timeout: Int32 = 0) throws -> [Seen] {
    var seen: [Seen] = []
    try set.wait(timeout: timeout) { token, events in
      seen.append(Seen(token: token, events: events))
    }
    return seen
  }

  @Test("reports a member with its token while it is ready")
  func reports() throws {
    let set = try EpollSet()
    let event = try EventFD()
    try set.add(event.raw, .in, token: .max)
    #expect(try ready(set).isEmpty)
    event.signal()
    #expect(try ready(set) == [Seen(token: .max, events: .in)])
    #expect(try ready(set) == [Seen(token: .max, events: .in)])
    event.drain()
    #expect(try ready(set).isEmpty)
  }

  @Test("watches for what it was told last")
  func modifies() throws {
    let set = try EpollSet()
    let (one, other) = try UnixStream.pair(nonblocking: true)
    try set.add(one.raw, .in, token: 1)
    #expect(try ready(set).isEmpty)
    try set.modify(one.raw, [.in, .out], token: 2)
    #expect(try ready(set) == [Seen(token: 2, events: .out)])
    try set.modify(one.raw, [], token: 3)
    #expect(try ready(set).isEmpty)
    try set.remove(one.raw)
    #expect(throws: SystemError(call: "epoll_ctl", errno: ENOENT)) { try set.remove(one.raw) }
    withExtendedLifetime(other) {}
  }

  @Test("reports a peer that left")
  func hangUp() throws {
    let set = try EpollSet()
    var pair: (OwnedDescriptor, OwnedDescriptor)? = try UnixStream.pair(nonblocking: true)
    let kept = try #require(pair?.0)
    try set.add(kept.raw, [.in, .rdhup], token: 5)
    pair = nil
    #expect(try ready(set) == [Seen(token: 5, events: [.in, .rdhup, .hup])])
  }

  @Test("reports an edge once")
  func edges() throws {
    let set = try EpollSet()
    let event = try EventFD()
    try set.add(event.raw, [.in, .edgeTriggered], token: 1)
    event.signal()
    #expect(try ready(set).count == 1)
    #expect(try ready(set).isEmpty)
    event.signal()
    #expect(try ready(set).count == 1)
  }

  @Test("delivers no more than asked for at once, and the rest after")
  func batches() throws {
    let set = try EpollSet()
    let events = try (0..<300).map { _ in try EventFD() }
    for (index, event) in events.enumerated() {
      try set.add(event.raw, [.in, .edgeTriggered], token: UInt64(index))
      event.signal()
    }
    var tokens: [UInt64] = []
    #expect(try set.wait(timeout: 0, limit: 10) { token, _ in tokens.append(token) } == 10)
    #expect(try set.wait(timeout: 0) { token, _ in tokens.append(token) } == 256)
    #expect(try set.wait(timeout: 0) { token, _ in tokens.append(token) } == 34)
    #expect(tokens.sorted() == (0..<300).map { UInt64($0) })
  }

  @Test("nests in another set as one member")
  func nests() throws {
    let inner = try EpollSet()
    let outer = try EpollSet()
    let event = try EventFD()
    try inner.add(event.raw, .in, token: 1)
    try outer.add(inner.raw, .in, token: 2)
    #expect(try ready(outer).isEmpty)
    event.signal()
    #expect(try ready(outer) == [Seen(token: 2, events: .in)])
    #expect(try ready(inner) == [Seen(token: 1, events: .in)])
  }

  @Test("a member may be removed by the handler of an event")
  func removal() throws {
    let set = try EpollSet()
    let event = try EventFD()
    try set.add(event.raw, .in, token: 1)
    event.signal()
    var failure: SystemError?
    try set.wait(timeout: 0) { _, _ in
      do throws(SystemError) { try set.remove(event.raw) } catch { failure = error }
    }
    #expect(failure == nil)
    #expect(try ready(set).isEmpty)
  }

  @Test("refuses a file that cannot be watched, and a second time the same one")
  func refusals() throws {
    let set = try EpollSet()
    let event = try EventFD()
    try set.add(event.raw, .in, token: 1)
    #expect(throws: SystemError(call: "epoll_ctl", errno: EEXIST)) {
      try set.add(event.raw, .in, token: 1)
    }
    let tree: FileTree = ["plain": "x"]
    let plain = unsafe open(tree.path("plain"), O_RDONLY)
    let owned = OwnedDescriptor(plain)
    #expect(throws: SystemError(call: "epoll_ctl", errno: EPERM)) {
      try set.add(owned.raw, .in, token: 1)
    }
  }

  @Test("bits have names")
  func names() {
    #expect("\([.pri, .err] as EpollEvents)" == "PRI|ERR")
    #expect("\([.in, .out, .hup, .rdhup] as EpollEvents)" == "IN|OUT|HUP|RDHUP")
    #expect("\([] as EpollEvents)".isEmpty)
  }
}

@Suite("waking")
struct WakingTests {
  @Test("an event counts its signals until it is drained")
  func events() throws {
    let event = try EventFD()
    #expect(event.drain() == 0)
    event.signal()
    event.signal()
    var entries = [PollEntry(fd: event.raw, events: .in), PollEntry(fd: -1, events: .in)]
    #expect(try pollDescriptors(&entries, timeout: -1) == 1)
    #expect(entries[0].ready == .in)
    #expect(entries[1].ready == [])
    #expect(event.drain() == 2)
    #expect(try pollDescriptors(&entries, timeout: 0) == 0)
    #expect(entries[0].ready == [])
  }

  @Test("a timer fires once, not before its instant")
  func timers() throws {
    let timer = try TimerFD()
    var entries = [PollEntry(fd: timer.raw, events: .in)]
    #expect(try pollDescriptors(&entries, timeout: 0) == 0)
    let due = MonotonicClock.now() + .milliseconds(20)
    try timer.set(at: due)
    #expect(try pollDescriptors(&entries, timeout: 10_000) == 1)
    #expect(MonotonicClock.now() >= due)
    #expect(timer.drain())
    #expect(!timer.drain())
  }

  @Test("a timer for the past fires at once, and one that is unset never")
  func pastTimers() throws {
    let timer = try TimerFD()
    var entries = [PollEntry(fd: timer.raw, events: .in)]
    try timer.set(at: MonotonicInstant(nanoseconds: 0))
    #expect(try pollDescriptors(&entries, timeout: 10_000) == 1)
    try timer.set(at: nil)
    #expect(try pollDescriptors(&entries, timeout: 0) == 0)
    #expect(!timer.drain())
  }

  @Test("clocks go on")
  func clocks() {
    let before = MonotonicClock.now()
    #expect(MonotonicClock.now() >= before)
    #expect(WallClock.microseconds() > 1_700_000_000_000_000)
  }
}

@Suite("process")
struct ProcessSetupTests {
  @Test("a small thread runs its closure, lets it go, and ends")
  func threads() throws {
    var count: ThreadCount? = ThreadCount()
    weak let remains = count
    let event = try EventFD()
    let thread = try SmallThread(name: "ucmk-test") { [count] in
      count?.add()
      event.signal()
    }
    thread.join()
    #expect(count?.value == 1)
    #expect(event.drain() == 1)
    count = nil
    #expect(remains == nil)
  }

  @Test("many small threads run beside each other")
  func manyThreads() throws {
    let count = ThreadCount()
    let threads = try (0..<50).map { index in
      try SmallThread(name: "ucmk-\(index)", stack: 1) { count.add() }
    }
    for thread in threads { thread.join() }
    #expect(count.value == 50)
  }

  @Test("the soft limit of descriptors becomes the hard one")
  func descriptors() throws {
    let limit = try DescriptorLimit.raise()
    var found = rlimit()
    #expect(unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &found) == 0)
    #expect(found.rlim_cur == limit)
    #expect(found.rlim_max == limit)
  }

  @Test("a page is a power of two, and free heap can be handed back")
  func memory() {
    #expect(Page.size >= 4_096)
    #expect(Page.size.nonzeroBitCount == 1)
    MallocTrim.trim()
  }

  @Test("memory can be locked, or the refusal is one of rights")
  func lock() async {
    await #expect(processExitsWith: .success) {
      do throws(SystemError) {
        try MemoryLock.lock(.onFault)
      } catch {
        #expect(error.errno == EPERM || error.errno == ENOMEM, "\(error)")
      }
    }
  }

  @Test("an ignored signal does nothing")
  func ignoredSignals() async {
    await #expect(processExitsWith: .success) {
      try SignalNumber.pipe.ignore()
      raise(SIGPIPE)
    }
  }

  @Test("an owned descriptor is closed with its last reference")
  func descriptorsClose() throws {
    var pair: (OwnedDescriptor, OwnedDescriptor)? = try UnixStream.pair(nonblocking: true)
    var second = pair?.0
    let watcher = try #require(pair?.1)
    var buffer: [UInt8] = [0]
    pair = nil
    #expect(UnixStream.receive(watcher.raw, into: &buffer) == .wouldBlock)
    withExtendedLifetime(second) {}
    second = nil
    #expect(UnixStream.receive(watcher.raw, into: &buffer) == .closed)
  }
}

private final class ThreadCount: Sendable {
  private let count = Atomic<Int>(0)

  var value: Int { count.load(ordering: .acquiring) }

  func add() { count.add(1, ordering: .acquiringAndReleasing) }
}
