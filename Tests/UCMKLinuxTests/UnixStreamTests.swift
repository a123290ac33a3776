// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("stream")
struct UnixStreamTests {
  @Test("fills up, drains, and says so")
  func flow() throws {
    let (one, other) = try UnixStream.pair(nonblocking: true)
    var buffer = [UInt8](repeating: 7, count: 65_536)
    #expect(UnixStream.receive(other.raw, into: &buffer) == .wouldBlock)
    var sent = 0
    while case .bytes(let count) = UnixStream.send(one.raw, buffer) { sent += count }
    #expect(sent > 0)
    #expect(UnixStream.send(one.raw, buffer) == .wouldBlock)
    var received = 0
    while case .bytes(let count) = UnixStream.receive(other.raw, into: &buffer) {
      received += count
    }
    #expect(received == sent)
  }

  @Test("sends from a place in an array, and receives to one")
  func offsets() throws {
    let (one, other) = try UnixStream.pair(nonblocking: true)
    #expect(UnixStream.send(one.raw, [1, 2, 3, 4], from: 2) == .bytes(2))
    #expect(UnixStream.send(one.raw, [1], from: 1) == .bytes(0))
    var received: [UInt8] = [9, 9, 9, 9]
    #expect(UnixStream.receive(other.raw, into: &received, at: 1) == .bytes(2))
    #expect(received == [9, 3, 4, 9])
  }

  @Test("sends and receives spans")
  func spans() throws {
    let (one, other) = try UnixStream.pair(nonblocking: true)
    let bytes: [UInt8] = [1, 2, 3, 4]
    #expect(UnixStream.send(one.raw, bytes.span.extracting(1..<3)) == .bytes(2))
    var received: [UInt8] = [0, 0, 0]
    var room = received.mutableSpan
    #expect(UnixStream.receive(other.raw, into: &room) == .bytes(2))
    #expect(received == [2, 3, 0])
  }

  @Test("a peer that is gone is closed, not an error and not a signal")
  func closed() throws {
    var pair: (OwnedDescriptor, OwnedDescriptor)? = try UnixStream.pair(nonblocking: true)
    let kept = try #require(pair?.0)
    #expect(UnixStream.send(kept.raw, [1]) == .bytes(1))
    pair = nil
    var buffer: [UInt8] = [0]
    // Unread bytes at the other end make the close a reset.
    #expect(UnixStream.receive(kept.raw, into: &buffer) == .closed)
    #expect(UnixStream.receive(kept.raw, into: &buffer) == .closed)
    #expect(UnixStream.send(kept.raw, [1]) == .closed)
  }

  @Test("a half-closed stream still delivers the other way")
  func halfClosed() throws {
    let (one, other) = try UnixStream.pair(nonblocking: true)
    try UnixStream.finishSending(one.raw)
    var buffer: [UInt8] = [0]
    #expect(UnixStream.receive(other.raw, into: &buffer) == .closed)
    #expect(UnixStream.send(other.raw, [5]) == .bytes(1))
    #expect(UnixStream.receive(one.raw, into: &buffer) == .bytes(1))
    #expect(buffer == [5])
  }

  @Test("a descriptor that is no socket fails with its errno")
  func failed() throws {
    let watched = try EventFD()
    #expect(UnixStream.send(watched.raw, [1]) == .failed(ENOTSOCK))
    var buffer: [UInt8] = [0]
    #expect(UnixStream.receive(watched.raw, into: &buffer) == .failed(ENOTSOCK))
  }

  @Test("connecting to nobody names the path and the reason")
  func connecting() {
    let tree = FileTree()
    let absent = tree.path("absent")
    #expect(throws: SystemError(call: "connect", path: absent, errno: ENOENT)) {
      try UnixStream.connect(absent, nonblocking: true)
    }
    let long = "/" + String(repeating: "x", count: 107)
    #expect(throws: SystemError(call: "connect", path: long, errno: ENAMETOOLONG)) {
      try UnixStream.connect(long, nonblocking: true)
    }
    for bad in ["", "/a\u{0}b"] {
      #expect(throws: SystemError(call: "connect", path: bad, errno: EINVAL)) {
        try UnixStream.connect(bad, nonblocking: true)
      }
    }
  }
}

@Suite("peer")
struct PeerCredentialsTests {
  @Test("is who the kernel says")
  func credentials() throws {
    let (one, other) = try UnixStream.pair(nonblocking: true)
    let peer = try PeerCredentials(of: one.raw)
    #expect(peer.process == ProcessID(getpid()))
    #expect(peer.uid == geteuid())
    #expect(peer.gid == getegid())
    #expect(peer.isMember(of: getegid()))
    #expect(!peer.isMember(of: 4_294_967_000))
    withExtendedLifetime(other) {}
  }

  @Test("comes with a descriptor of the process where the kernel has it")
  func pidfd() throws {
    let path = FileTree()
    let listener = try UnixListener(binding: path.path("socket"), mode: 0o600)
    let client = try UnixStream.connect(path.path("socket"), nonblocking: true)
    guard case .connection(let served) = listener.accept() else {
      Issue.record("one has connected")
      return
    }
    let peer = try PeerCredentials(of: served.raw)
    if let pidfd = peer.pidfd {
      var entries = [PollEntry(fd: pidfd.raw, events: .in)]
      #expect(try pollDescriptors(&entries, timeout: 0) == 0, "this process lives")
    }
    withExtendedLifetime(client) {}
  }

  @Test("of what is no socket is an error")
  func notASocket() throws {
    let watched = try EventFD()
    #expect(throws: SystemError(call: "getsockopt", errno: ENOTSOCK)) {
      try PeerCredentials(of: watched.raw)
    }
  }

  @Test("groups are looked up by name, number and member")
  func groups() throws {
    #expect(try Groups.id(named: "root") == 0)
    #expect(try Groups.id(named: "no-such-group-here") == nil)
    #expect(try Groups.id(named: "") == nil)
    #expect(try Groups.contains(uid: 0, gid: 0, group: "root"))
    #expect(try Groups.contains(uid: 4_294_967_000, gid: 77, group: 77))
    #expect(try !Groups.contains(uid: 4_294_967_000, gid: 77, group: 78))
    #expect(try !Groups.contains(uid: 0, gid: 0, group: "no-such-group-here"))
  }
}
