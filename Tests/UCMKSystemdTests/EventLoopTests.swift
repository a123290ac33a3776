// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

@testable import UCMKSystemd

@Suite("event loop")
struct EventLoopTests {
  private let loop: EventLoop

  init() throws { loop = try EventLoop() }

  /// Turns the loop as long as something is ready, at most a thousand times.
  private func turns() throws -> Int {
    var count = 0
    while count < 1_000, try loop.turn(timeout: .zero) { count += 1 }
    return count
  }

  @Test("serves a descriptor as long as it is ready, with what it is ready for")
  func io() throws {
    let event = try EventFD()
    var seen: [EpollEvents] = []
    try loop.addIO(event.raw, events: .in) { ready in
      seen.append(ready)
      event.drain()
    }
    #expect(try turns() == 0)
    event.signal()
    #expect(try turns() == 1)
    #expect(seen == [.in])
  }

  @Test("waits for what it was told last, and not while it is switched off")
  func changing() throws {
    let (one, other) = try UnixStream.pair(nonblocking: true)
    var seen: [EpollEvents] = []
    let source = try loop.addIO(one.raw, events: .in) { seen.append($0) }
    source.describe("one end")
    #expect(try !loop.turn(timeout: .zero))
    try source.setEvents([.in, .out])
    #expect(try loop.turn(timeout: .zero))
    try source.setEnabled(false)
    #expect(try !loop.turn(timeout: .zero))
    try source.setEnabled(true)
    try source.setEvents(.in)
    #expect(try !loop.turn(timeout: .zero))
    #expect(UnixStream.send(other.raw, [1]) == .bytes(1))
    #expect(try loop.turn(timeout: .zero))
    #expect(seen == [.out, .in])
  }

  @Test("a smaller priority is served first")
  func priorities() throws {
    let early = try EventFD()
    let late = try EventFD()
    var order: [String] = []
    try loop.addIO(late.raw, events: .in, priority: 10) { _ in
      order.append("late")
      late.drain()
    }
    try loop.addIO(early.raw, events: .in, priority: -10) { _ in
      order.append("early")
      early.drain()
    }
    late.signal()
    early.signal()
    #expect(try turns() == 2)
    #expect(order == ["early", "late"])
  }

  @Test("a source may remove itself, and its descriptor may be closed right after")
  func selfRemoval() throws {
    var event: EventFD? = try EventFD()
    let raw = try #require(event?.raw)
    var source: IOSource?
    var count = 0
    source = try loop.addIO(raw, events: .in) { _ in
      count += 1
      source?.remove()
      event = nil
    }
    event?.signal()
    #expect(try turns() == 1)
    #expect(count == 1)
    #expect(source?.isRemoved == true)
    source?.remove()
    try source?.setEvents(.out)
    try source?.setEnabled(true)
    #expect(try turns() == 0)
  }

  @Test("keeps a source that nobody else keeps, and frees its handler with it")
  func lifetimes() throws {
    let event = try EventFD()
    var token: Token? = Token()
    weak let remains = token
    var source: IOSource? = try loop.addIO(event.raw, events: .in) { [token] _ in
      withExtendedLifetime(token) {}
      event.drain()
    }
    token = nil
    weak let kept = source
    source = nil
    event.signal()
    #expect(try turns() == 1)
    #expect(remains != nil)
    kept?.remove()
    #expect(remains == nil)
  }

  @Test("frees every handler when it goes away, and leaves a harmless source")
  func loopEnds() throws {
    let event = try EventFD()
    var short: EventLoop? = try EventLoop()
    var token: Token? = Token()
    weak let remains = token
    let source = try short?.addIO(event.raw, events: .in) { [token] _ in
      withExtendedLifetime(token) {}
    }
    let timer = try short?.addTimer(at: nil, accuracy: .zero) { [token] in
      withExtendedLifetime(token) {}
    }
    token = nil
    #expect(remains != nil)
    short = nil
    #expect(remains == nil)
    #expect(source?.isRemoved == true)
    #expect(timer?.isRemoved == true)
    try timer?.rearm(at: MonotonicClock.now())
    source?.remove()
  }

  @Test("refuses a descriptor that it cannot watch")
  func refusal() throws {
    let tree: FileTree = ["plain": "x"]
    let plain = OwnedDescriptor(unsafe open(tree.path("plain"), O_RDONLY))
    #expect(throws: SystemError(call: "sd_event_add_io", errno: EPERM)) {
      try loop.addIO(plain.raw, events: .in) { _ in }
    }
    let event = try EventFD()
    try loop.addIO(event.raw, events: .in) { _ in }
    #expect(throws: SystemError(call: "sd_event_add_io", errno: EEXIST)) {
      try loop.addIO(event.raw, events: .in) { _ in }
    }
  }

  @Test("a set of descriptors is one source, drained in one turn")
  func nestedSet() throws {
    let set = try EpollSet()
    let events = try (0..<500).map { _ in try EventFD() }
    for (index, event) in events.enumerated() {
      try set.add(event.raw, .in, token: UInt64(index))
      event.signal()
    }
    var served = 0
    var failure: SystemError?
    try loop.addIO(set.raw, events: .in) { _ in
      do throws(SystemError) {
        try set.wait(timeout: 0) { token, _ in
          events[Int(token)].drain()
          served += 1
        }
      } catch {
        failure = error
      }
    }
    #expect(try turns() == 2, "256 events a batch")
    #expect(served == 500)
    #expect(failure == nil)
  }

  @Test("runs until it is told to exit, and returns the code")
  func exits() throws {
    let event = try EventFD()
    event.signal()
    var failure: SystemError?
    try loop.addIO(event.raw, events: .in) { [loop] _ in
      do throws(SystemError) { try loop.exit(77) } catch { failure = error }
    }
    #expect(try loop.run() == 77)
    #expect(failure == nil)
    #expect(throws: SystemError(call: "sd_event_exit", errno: ESTALE)) { try loop.exit(0) }
  }

  @Test("calls what runs after a turn once for each turn that served something")
  func posts() throws {
    let event = try EventFD()
    var posts = 0
    try loop.addIO(event.raw, events: .in) { _ in event.drain() }
    try loop.addPost { posts += 1 }
    #expect(try turns() == 0)
    #expect(posts == 0)
    event.signal()
    #expect(try turns() == 2)
    #expect(posts == 1)
  }
}

@Suite("timer of the loop")
struct TimerSourceTests {
  private let loop: EventLoop

  init() throws { loop = try EventLoop() }

  @Test("fires once, not before its instant")
  func once() throws {
    let due = MonotonicClock.now() + .milliseconds(15)
    var fired: [MonotonicInstant] = []
    try loop.addTimer(at: due, accuracy: .microseconds(1)) { fired.append(MonotonicClock.now()) }
    while try loop.turn(timeout: .milliseconds(60)) {}
    #expect(fired.count == 1)
    #expect(fired.allSatisfy { $0 >= due })
  }

  @Test("fires again only where it is armed again")
  func rearms() throws {
    var count = 0
    let timer = try loop.addTimer(at: nil, accuracy: .zero) { count += 1 }
    #expect(try !loop.turn(timeout: .zero))
    for expected in 1...3 {
      try timer.rearm(at: MonotonicClock.now())
      #expect(try loop.turn(timeout: .seconds(5)))
      #expect(try !loop.turn(timeout: .zero))
      #expect(count == expected)
    }
    try timer.rearm(at: MonotonicClock.now())
    try timer.disarm()
    #expect(try !loop.turn(timeout: .milliseconds(5)))
    #expect(count == 3)
  }

  @Test("may be armed again and removed by its own handler")
  func inHandler() throws {
    var timer: TimerSource?
    var count = 0
    var failure: SystemError?
    timer = try loop.addTimer(at: MonotonicClock.now(), accuracy: .microseconds(1)) {
      count += 1
      guard count < 5 else {
        timer?.remove()
        return
      }
      do throws(SystemError) { try timer?.rearm(at: MonotonicClock.now()) } catch {
        failure = error
      }
    }
    while try loop.turn(timeout: .milliseconds(50)) {}
    #expect(count == 5)
    #expect(failure == nil)
    #expect(timer?.isRemoved == true)
  }

  @Test("one for later waits, and does not hold up one that is due")
  func later() throws {
    let now = MonotonicClock.now()
    var fired: [String] = []
    try loop.addTimer(at: now + .seconds(3_600), accuracy: .microseconds(1)) {
      fired.append("later")
    }
    try loop.addTimer(at: now, accuracy: .microseconds(1)) { fired.append("due") }
    #expect(try loop.turn(timeout: .seconds(5)))
    #expect(try !loop.turn(timeout: .zero))
    #expect(fired == ["due"])
  }

  @Test("of two that are due at once the one with the smaller priority fires first")
  func priorities() throws {
    let now = MonotonicClock.now()
    var fired: [String] = []
    try loop.addTimer(at: now, accuracy: .microseconds(1), priority: 5) { fired.append("late") }
    try loop.addTimer(at: now, accuracy: .microseconds(1), priority: 1) { fired.append("early") }
    while fired.count < 2, try loop.turn(timeout: .seconds(5)) {}
    #expect(fired == ["early", "late"])
  }
}

@Suite("signal of the loop")
struct SignalSourceTests {
  @Test("comes as a call, and ends nothing")
  func signals() async {
    await #expect(processExitsWith: .success) {
      let loop = try EventLoop()
      var seen: [String] = []
      try loop.addSignal(.hangUp) { seen.append("reload") }
      try loop.addSignal(.user1) { seen.append("dump") }
      try loop.addSignal(.terminate, priority: 10) { seen.append("stop") }
      raise(SIGTERM)
      raise(SIGUSR1)
      while seen.count < 2, try loop.turn(timeout: .seconds(5)) {}
      raise(SIGHUP)
      while seen.count < 3, try loop.turn(timeout: .seconds(5)) {}
      #expect(seen.sorted() == ["dump", "reload", "stop"])
      #expect(seen.last == "reload")
    }
  }
}

@Suite(
  "trigger in the loop",
  .enabled(if: PressureGroup.obstacle == nil, Comment(rawValue: PressureGroup.obstacle ?? ""))
)
struct TriggerInLoopTests {
  @Test("one whose group is removed is served once and never again, where it is removed")
  func removedGroup() throws {
    let loop = try EventLoop()
    let group = try #require(PressureGroup())
    var trigger: PSITrigger? = try PSITrigger(
      group.pressureFile,
      kind: .some,
      stall: .milliseconds(100),
      window: .seconds(2)
    )
    let raw = try #require(trigger?.raw)
    var source: IOSource?
    var seen: [EpollEvents] = []
    source = try loop.addIO(raw, events: .pri) { ready in
      seen.append(ready)
      guard ready.contains(.err) else { return }
      source?.remove()
      trigger = nil
    }
    #expect(try !loop.turn(timeout: .zero))
    #expect(group.remove())
    #expect(try loop.turn(timeout: .seconds(10)))
    for _ in 0..<100 { #expect(try !loop.turn(timeout: .zero)) }
    #expect(seen == [[.pri, .err]])
    #expect(trigger == nil)
  }

  @Test("one that is kept would be served in every turn")
  func spinning() throws {
    let loop = try EventLoop()
    let group = try #require(PressureGroup())
    let trigger = try PSITrigger(
      group.pressureFile,
      kind: .full,
      stall: .milliseconds(100),
      window: .seconds(2)
    )
    var count = 0
    try loop.addIO(trigger.raw, events: .pri) { _ in count += 1 }
    #expect(group.remove())
    for _ in 0..<100 { #expect(try loop.turn(timeout: .seconds(10))) }
    #expect(count == 100)
  }
}

private final class Token {}
