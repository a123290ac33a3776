// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

@testable import UCMKSystemd

/// Each test runs in a process of its own: the environment belongs to a whole process.
@Suite("service manager")
struct ServiceManagerTests {
  @Test("hears each message as it is specified")
  func notifications() async {
    await #expect(processExitsWith: .success) {
      let tree = FileTree()
      let manager = try #require(DatagramSocket(tree.path("notify")))
      unsafe setenv("NOTIFY_SOCKET", tree.path("notify"), 1)
      try ServiceManager.notifyReady(status: "ok\nMAINPID=1")
      try ServiceManager.notifyReloading(at: MonotonicInstant(nanoseconds: 5_000_999))
      try ServiceManager.notifyStatus("level none")
      try ServiceManager.notifyWatchdog()
      try ServiceManager.notifyStopping()
      let wasSent = try ServiceManager.notify("X_UCMK=1")
      #expect(wasSent)
      #expect(manager.receive() == "READY=1\nSTATUS=ok MAINPID=1")
      #expect(manager.receive() == "RELOADING=1\nMONOTONIC_USEC=5000")
      #expect(manager.receive() == "STATUS=level none")
      #expect(manager.receive() == "WATCHDOG=1")
      #expect(manager.receive() == "STOPPING=1")
      #expect(manager.receive() == "X_UCMK=1")
      #expect(manager.receive() == nil)
    }
  }

  @Test("none is a normal state, one that is gone an error")
  func absent() async {
    await #expect(processExitsWith: .success) {
      unsafe unsetenv("NOTIFY_SOCKET")
      let wasSent = try ServiceManager.notify("READY=1")
      #expect(!wasSent)
      unsafe setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1)
      #expect(throws: SystemError(call: "sd_notify", errno: ENOENT)) {
        try ServiceManager.notify("READY=1")
      }
    }
  }

  @Test("says how often it wants to hear from the daemon")
  func watchdog() async {
    await #expect(processExitsWith: .success) {
      unsafe unsetenv("WATCHDOG_USEC")
      let none = try ServiceManager.watchdogInterval()
      #expect(none == nil)
      unsafe setenv("WATCHDOG_USEC", "30000000", 1)
      unsafe setenv("WATCHDOG_PID", "\(getpid())", 1)
      let own = try ServiceManager.watchdogInterval()
      #expect(own == .seconds(30))
      unsafe setenv("WATCHDOG_PID", "1", 1)
      let foreign = try ServiceManager.watchdogInterval()
      #expect(foreign == nil)
      unsafe unsetenv("WATCHDOG_PID")
      unsafe setenv("WATCHDOG_USEC", "often", 1)
      #expect(throws: SystemError(call: "sd_watchdog_enabled", errno: EINVAL)) {
        try ServiceManager.watchdogInterval()
      }
    }
  }

  @Test("hands in sockets by name, once")
  func listenDescriptors() async {
    await #expect(processExitsWith: .success) {
      let tree = FileTree()
      let path = tree.path("socket")
      let listener = try UnixListener(binding: path, mode: 0o600)
      // The numbers may serve this process already; they are put back at the end.
      let kept = (fcntl(3, F_DUPFD, 16), fcntl(4, F_DUPFD, 16))
      dup2(listener.raw, 3)
      dup2(listener.raw, 4)
      defer {
        if kept.0 >= 0 { dup2(kept.0, 3) }
        if kept.1 >= 0 { dup2(kept.1, 4) }
      }
      unsafe setenv("LISTEN_PID", "\(getpid())", 1)
      unsafe setenv("LISTEN_FDS", "2", 1)
      unsafe setenv("LISTEN_FDNAMES", "ucmkd.socket:control", 1)
      let first = try ServiceManager.listenDescriptors()
      let second = try ServiceManager.listenDescriptors()
      let isClosedOnExec = fcntl(3, F_GETFD) & FD_CLOEXEC != 0
      let isSocket = ServiceManager.isListeningSocket(3)
      // A listener is bound beside its path, before its file is moved there.
      let bound = tree.path(".socket.\(getpid())")
      let isOurs = ServiceManager.isListeningSocket(3, path: bound)
      let isOther = ServiceManager.isListeningSocket(3, path: path + "x")
      #expect(first.map(\.fd) == [3, 4])
      #expect(first.map(\.name) == ["ucmkd.socket", "control"])
      #expect(second.isEmpty)
      #expect(isClosedOnExec)
      #expect(isSocket && isOurs && !isOther)
    }
  }

  @Test("hands in nothing to a process that it did not start")
  func foreignDescriptors() async {
    await #expect(processExitsWith: .success) {
      unsafe setenv("LISTEN_PID", "1", 1)
      unsafe setenv("LISTEN_FDS", "1", 1)
      let found = try ServiceManager.listenDescriptors()
      #expect(found.isEmpty)
    }
  }

  @Test("is there or not, as its folder says")
  func booted() {
    #expect(ServiceManager.booted() == (unsafe access("/run/systemd/system", F_OK) == 0))
  }

  @Test("a timer of the loop keeps the watchdog quiet, turn by turn")
  func watchdogTimer() async {
    await #expect(processExitsWith: .success) {
      let tree = FileTree()
      let manager = try #require(DatagramSocket(tree.path("notify")))
      unsafe setenv("NOTIFY_SOCKET", tree.path("notify"), 1)
      unsafe setenv("WATCHDOG_USEC", "20000", 1)
      let interval = try #require(try ServiceManager.watchdogInterval())
      let half = TimeSpan(nanoseconds: interval.nanoseconds / 2)
      let loop = try EventLoop()
      var timer: TimerSource?
      var count = 0
      timer = try loop.addTimer(at: MonotonicClock.now(), accuracy: .milliseconds(1)) {
        do throws(SystemError) {
          try ServiceManager.notifyWatchdog()
          try timer?.rearm(at: MonotonicClock.now() + half)
        } catch {
          return
        }
        count += 1
      }
      while count < 3, try loop.turn(timeout: .seconds(5)) {}
      for _ in 0..<3 { #expect(manager.receive() == "WATCHDOG=1") }
      #expect(manager.receive() == nil)
    }
  }
}

/// The receiving end of datagrams, as the service manager and the journal have it.
final class DatagramSocket {
  private let descriptor: OwnedDescriptor

  /// Binds to `path`; nil where that cannot be done.
  init?(_ path: String) {
    let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
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

  /// The next datagram; nil where none waits.
  func receive() -> String? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe recv(descriptor.raw, &buffer, buffer.count, 0)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }
}
