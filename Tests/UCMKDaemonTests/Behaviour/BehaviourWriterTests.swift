// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKSystemd
import UCMKTestSupport

@testable import UCMKDaemon

/// A disk that takes nothing: a FIFO lies where the new state file would be written.
private struct StuckDisk {
  let tree = FileTree()
  let store: BehaviourStore
  private static let beside = "state/behaviour.new"

  init() {
    tree.makeFolder("state")
    tree.makeFIFO(StuckDisk.beside)
    store = BehaviourStore(folder: tree.path("state"))
  }

  /// The other end of the FIFO; whoever writes goes on up to 64 KiB.
  func open() throws -> OwnedDescriptor {
    let file = unsafe Glibc.open(tree.path(StuckDisk.beside), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    try #require(file >= 0)
    return OwnedDescriptor(file)
  }

  /// The next write finds a disk that works.
  func repair() { tree.remove(StuckDisk.beside) }

  /// Reads until nobody writes any more.
  func drain(_ file: borrowing OwnedDescriptor, until isOver: () -> Bool) {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while !isOver() {
      let count = unsafe chunk.withUnsafeMutableBytes { buffer in
        unsafe read(file.raw, buffer.baseAddress, buffer.count)
      }
      if count <= 0 { usleep(1_000) }
    }
  }
}

@Suite("The state file is written beside the loop")
struct BehaviourWriterTests {
  private static let time: UInt64 = 1_700_000_000_000_000
  private static let patience = TimeSpan.seconds(60)

  private func snapshot(_ name: String, count: Int = 1) -> BehaviourWriter.Snapshot {
    let entries = (0..<count).map {
      BehaviourTable.Entry(key: "0 \(name)\($0) exe:/usr/bin/\(name)", memory: .blank)
    }
    return BehaviourWriter.Snapshot(entries: entries, microseconds: Self.time)
  }

  private func keys(_ store: BehaviourStore) throws -> [String] {
    let bytes = try #require(try store.read())
    return try BehaviourText.read(bytes, at: Self.time).map(\.key)
  }

  @Test("what is handed over is on the disk when it is done, again and again")
  func sequence() throws {
    let tree = FileTree()
    let store = BehaviourStore(folder: tree.root)
    let writer = try BehaviourWriter(store)
    #expect(writer.finish(within: .zero), "nothing is to be written")
    #expect(writer.takeOutcome() == nil)
    for name in ["a", "b", "c"] {
      try writer.hand(snapshot(name))
      #expect(writer.finish(within: Self.patience))
      #expect(writer.takeOutcome() == .written)
      #expect(writer.takeOutcome() == nil)
      #expect(try keys(store) == ["0 \(name)0 exe:/usr/bin/\(name)"])
    }
    #expect(!tree.exists("behaviour.new"))
  }

  @Test("while the disk hangs nobody waits, and of what comes only the newest is written")
  func newestWins() throws {
    let disk = StuckDisk()
    let writer = try BehaviourWriter(disk.store)
    let other = try disk.open()
    // More than the FIFO takes: the write is under way and cannot end.
    try writer.hand(snapshot("first", count: 2_000))
    #expect(eventually { isReadable(other.raw) })
    disk.repair()
    for name in ["second", "third", "last"] { try writer.hand(snapshot(name)) }
    #expect(!writer.finish(within: .milliseconds(20)))
    #expect(writer.isWriting)
    #expect(try disk.store.read() == nil)
    disk.drain(other) { !writer.isWriting }
    #expect(writer.finish(within: Self.patience))
    #expect(try keys(disk.store) == ["0 last0 exe:/usr/bin/last"])
    #expect(writer.takeOutcome() == .written)
  }

  @Test("a folder that is not there is an outcome, and the next write is tried")
  func failure() throws {
    let tree = FileTree()
    let writer = try BehaviourWriter(BehaviourStore(folder: tree.path("state")))
    try writer.hand(snapshot("a"))
    #expect(writer.finish(within: Self.patience))
    let path = tree.path("state/behaviour.new")
    #expect(
      writer.takeOutcome() == .failed(SystemError(call: "open", path: path, errno: ENOENT))
    )
    tree.makeFolder("state")
    try writer.hand(snapshot("a"))
    #expect(writer.finish(within: Self.patience))
    #expect(writer.takeOutcome() == .written)
  }

  @Test("one of another kind than a file is refused and not taken for written")
  func fifo() throws {
    let disk = StuckDisk()
    let writer = try BehaviourWriter(disk.store)
    let other = try disk.open()
    try writer.hand(snapshot("a"))
    #expect(writer.finish(within: Self.patience))
    withExtendedLifetime(other) {}
    guard case .failed(let error) = writer.takeOutcome() else {
      Issue.record("a FIFO has no place on a disk")
      return
    }
    #expect(error.call == "fsync")
    #expect(try disk.store.read() == nil)
  }
}

@Suite("A disk that hangs")
struct StuckDiskTests {
  private static let stuck = "the disk does not take what clients did"
  private static let failed = "what clients did cannot be written down"

  private func messages(_ stage: DaemonStage) -> [String] {
    stage.log.filter { $0.message == Self.stuck || $0.message == Self.failed }.map(\.message)
  }

  /// One round in which a client claims all and frees nothing.
  ///
  /// - Returns: The client and the round; later the client is silent and leaves.
  private func shirk(_ stage: DaemonStage) throws -> (WireClient, WireValue) {
    let member = try stage.member("idle", mebibytes: 100, pid: 7)
    let root = try stage.control()
    let id = root.request("trigger", #"{"bytes":20971520}"#)
    let shrink = try #require(member.next("shrink"))
    member.comply(with: shrink, size: 100 << 20)
    stage.advance(.seconds(2))
    return (member, root.answer(to: id)["result"])
  }

  @Test("stops no round and no answer, is told once, and takes the newest state later")
  func served() throws {
    let disk = StuckDisk()
    let stage = try DaemonStage(behaviour: disk.store)
    #expect(try shirk(stage).1["state"] == "closed")
    stage.advance(.seconds(61))
    let writer = try #require(stage.daemon.behaviourWriter)
    #expect(writer.isWriting)
    // Rounds end, questions are answered.
    for _ in 0..<3 {
      let (member, round) = try shirk(stage)
      #expect(round["state"] == "closed")
      let root = try stage.control()
      #expect(root.call("daemon.status")["result"]["counts"]["clients"] == 1)
      withExtendedLifetime(member) {}
      stage.advance(.seconds(60))
    }
    #expect(messages(stage) == [Self.stuck])
    let other = try disk.open()
    #expect(writer.finish(within: .seconds(60)))
    withExtendedLifetime(other) {}
    disk.repair()
    stage.advance(.seconds(61))
    #expect(writer.finish(within: .seconds(60)))
    let bytes = try #require(try disk.store.read())
    let entries = try BehaviourText.read(bytes, at: 1_700_000_000_000_000)
    // Seven tenths of seven tenths, once for each of four rounds.
    #expect(entries.map(\.memory.trust) == [Permyriad(1_681)])
    #expect(messages(stage) == [Self.stuck], "a disk that works again is told from then on")
  }

  @Test("does not hold up the end of the daemon for longer than the limit")
  func end() throws {
    let disk = StuckDisk()
    let stage = try DaemonStage(behaviour: disk.store)
    let member = try shirk(stage).0
    stage.daemon.stop()
    #expect(member.next("shutdown") != nil, "clients are told before the disk is waited for")
    stage.daemon.finishBehaviour(within: .milliseconds(20))
    #expect(messages(stage) == [Self.stuck])
    let other = try disk.open()
    stage.daemon.finishBehaviour(within: .seconds(60))
    withExtendedLifetime(other) {}
  }
}
