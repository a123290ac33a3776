// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("PSI trigger")
struct PSITriggerTests {
  @Test("its text is what the kernel reads, and ends in NUL")
  func text() {
    let text = PSITrigger.text(.some, stall: .milliseconds(150), window: .seconds(1))
    #expect(text == Array("some 150000 1000000".utf8) + [0])
    let full = PSITrigger.text(.full, stall: .milliseconds(70), window: .seconds(10))
    #expect(full == Array("full 70000 10000000".utf8) + [0])
  }

  @Test(
    "widens to the next multiple of 2 s, and the stall in proportion",
    arguments: [
      (70, 1_000, 140, 2_000), (150, 500, 600, 2_000), (300, 2_000, 300, 2_000),
      (100, 3_000, 133, 4_000), (1_000, 9_000, 1_111, 10_000), (1, 10_000, 1, 10_000),
    ] as [(UInt64, UInt64, UInt64, UInt64)]
  )
  func widening(stall: UInt64, window: UInt64, wideStall: UInt64, wideWindow: UInt64) {
    let wide = PSITrigger.widened(stall: .milliseconds(stall), window: .milliseconds(window))
    #expect(wide.stall.milliseconds == wideStall)
    #expect(wide.window == .milliseconds(wideWindow))
  }

  @Test("a fixture is refused, and not written to")
  func fixture() throws {
    let tree: FileTree = ["proc/pressure/memory": PSIReaderTests.text]
    let path = tree.path("proc/pressure/memory")
    #expect(throws: TriggerError.notAKernelFile(path)) {
      try PSITrigger(path, kind: .some, stall: .milliseconds(70), window: .seconds(1))
    }
    #expect(try PSIReader.host(tree.kernel) != nil)
  }

  @Test("a file that is not there is named")
  func absent() {
    let path = "/nonexistent/memory.pressure"
    let absent = TriggerError.system(SystemError(call: "open", path: path, errno: 2))
    #expect(throws: absent) {
      try PSITrigger(path, kind: .full, stall: .milliseconds(70), window: .seconds(2))
    }
    #expect(
      "\(absent)" == "open /nonexistent/memory.pressure: ENOENT (No such file or directory)"
    )
    #expect(
      "\(TriggerError.notAKernelFile("/f"))" == "/f: neither on procfs nor on cgroup2"
    )
  }
}

/// Skipped where `PressureGroup.obstacle` says why.
@Suite(
  "PSI trigger, for real",
  .enabled(if: PressureGroup.obstacle == nil, Comment(rawValue: PressureGroup.obstacle ?? ""))
)
struct RealTriggerTests {
  @Test("a fine window is in force, or the next multiple of 2 s")
  func windows() throws {
    let group = try #require(PressureGroup())
    let trigger = try PSITrigger(
      group.pressureFile,
      kind: .some,
      stall: .milliseconds(150),
      window: .seconds(1)
    )
    switch trigger.precision {
    case .asked:
      #expect(trigger.window == .seconds(1))
      #expect(trigger.stall == .milliseconds(150))
    case .widened:
      #expect(trigger.window == .seconds(2))
      #expect(trigger.stall == .milliseconds(300))
    }
    let wide = try PSITrigger(
      group.pressureFile,
      kind: .full,
      stall: .milliseconds(140),
      window: .seconds(2)
    )
    #expect(wide.precision == .asked)
  }

  @Test("a group that is removed twice takes no other group with it")
  func removedTwice() throws {
    let group = try #require(PressureGroup())
    #expect(group.remove())
    let next = try #require(PressureGroup())
    #expect(next.path != group.path)
    #expect(group.remove())
    #expect(unsafe access(next.pressureFile, R_OK) == 0)
  }

  @Test("a group that is removed reports an error, for ever")
  func removedGroup() throws {
    let group = try #require(PressureGroup())
    let trigger = try PSITrigger(
      group.pressureFile,
      kind: .some,
      stall: .milliseconds(100),
      window: .seconds(2)
    )
    var entries = [PollEntry(fd: trigger.raw, events: .pri)]
    #expect(try pollDescriptors(&entries, timeout: 0) == 0)
    #expect(group.remove())
    for _ in 0..<3 {
      #expect(try pollDescriptors(&entries, timeout: 10_000) == 1)
      #expect(entries[0].ready == [.pri, .err])
    }
  }

  @Test("a file of a group that goes away between open and read is absent")
  func vanishes() throws {
    let group = try #require(PressureGroup())
    let files = group.kernel
    #expect(try PSIReader.cgroup(group.path, files) == .zero)
    #expect(group.remove())
    #expect(try PSIReader.cgroup(group.path, files) == nil)
  }

  /// The one member of the group evicts its own file pages and takes them back, which is stall
  /// without any limit; the trigger of the group fires, that of its sibling does not.
  @Test("fires for a group that stalls, and not for its sibling", .timeLimit(.minutes(2)))
  func fires() async throws {
    let group = try #require(PressureGroup())
    let sibling = try #require(PressureGroup())
    let tree = FileTree()
    let trigger = try PSITrigger(
      group.pressureFile,
      kind: .some,
      stall: .milliseconds(100),
      window: .seconds(2)
    )
    let calm = try PSITrigger(
      sibling.pressureFile,
      kind: .some,
      stall: .milliseconds(100),
      window: .seconds(2)
    )
    let load = try ProgramRun(
      tree,
      built: "ucmk-demo",
      [
        "stall", "--cgroup", group.folder, "--file", tree.path("load"), "--bytes", "64M", "--for",
        "60s",
      ]
    )
    let fired = await waitForTrigger(trigger, calm)
    #expect(load.stop() == 128 + SIGTERM, "\(load.errors)")
    let total = try PSIReader.cgroup(group.path, group.kernel)?.some.total ?? .zero
    if fired.isEmpty, total < .milliseconds(100) {
      print("skipped: this kernel counts no stall for pages that were evicted on request")
      return
    }
    #expect(fired == [.pri], "stalled \(total.milliseconds) ms")
    var entries = [PollEntry(fd: calm.raw, events: .pri)]
    #expect(try pollDescriptors(&entries, timeout: 0) == 0)
    #expect(try PSIReader.cgroup(sibling.path, group.kernel)?.some.total == .zero)
  }

  /// What the trigger reports within a minute, waited for in a thread of its own: a test must not
  /// hold a thread that others need.
  private func waitForTrigger(_ trigger: PSITrigger, _ calm: PSITrigger) async -> EpollEvents {
    let raw = trigger.raw
    let events = await withCheckedContinuation {
      (result: CheckedContinuation<EpollEvents, Never>) in
      do {
        let thread = try SmallThread(name: "ucmk-test-wait") {
          var entries = [PollEntry(fd: raw, events: .pri)]
          do throws(SystemError) {
            try pollDescriptors(&entries, timeout: 60_000)
          } catch {
            entries[0].ready = .err
          }
          result.resume(returning: entries[0].ready)
        }
        withExtendedLifetime(thread) {}
      } catch {
        result.resume(returning: .err)
      }
    }
    withExtendedLifetime((trigger, calm)) {}
    return events
  }
}
