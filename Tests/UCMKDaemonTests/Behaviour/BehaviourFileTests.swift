// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKSystemd
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("The state file")
struct BehaviourTextTests {
  private static let time: UInt64 = 1_700_000_000_000_000
  private static let entries = [
    BehaviourTable.Entry(
      key: "1000 imgd exe:/usr/bin/imgd \"\n",
      memory: RememberedBehaviour(
        trust: Permyriad(4_321),
        fellShort: true,
        ledger: -1_234_567,
        keepsMemory: true,
        measuredRounds: 3
      )
    ),
    BehaviourTable.Entry(key: "0 b unit:b.service", memory: .blank),
  ]
  private static let text = BehaviourText.write(entries, at: time)

  private func fault(_ bytes: [UInt8], at now: UInt64 = time) -> String? {
    do throws(BehaviourText.Fault) {
      _ = try BehaviourText.read(bytes, at: now)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test("brings back what was written")
  func roundTrip() throws {
    #expect(try BehaviourText.read(Self.text, at: Self.time) == Self.entries)
    let empty = BehaviourText.write([], at: Self.time)
    #expect(try BehaviourText.read(empty, at: Self.time) == [])
  }

  @Test("a file that does not know of measured rounds is read, and nothing is known of them")
  func earlier() throws {
    let text = String(decoding: Self.text, as: UTF8.self)
    let older = text.replacing(#","measured_rounds":3"#, with: "")
      .replacing(#","measured_rounds":0"#, with: "")
    #expect(!older.contains("measured_rounds"))
    let entries = try BehaviourText.read(Array(older.utf8), at: Self.time)
    #expect(entries.map(\.memory.measuredRounds) == [0, 0])
    #expect(entries[0].memory.ledger == -1_234_567)
  }

  @Test("cut off at any byte is no state file")
  func truncated() {
    for count in Self.text.indices {
      #expect(fault(Array(Self.text[..<count])) != nil, "\(count) bytes")
    }
    #expect(fault(Self.text + [10]) != nil)
  }

  @Test("with any byte turned is read as something in range or not at all")
  func damaged() {
    for index in Self.text.indices {
      var bytes = Self.text
      bytes[index] ^= 0x15
      guard fault(bytes) == nil else { continue }
      let entries = (try? BehaviourText.read(bytes, at: Self.time)) ?? []
      #expect(entries.count <= 2, "byte \(index)")
    }
  }

  @Test("of another version, too old, from the future or too large is not read")
  func refused() {
    let head = String(decoding: Self.text, as: UTF8.self)
    let other = head.replacing("\"ucmkd_behaviour\":1", with: "\"ucmkd_behaviour\":2")
    #expect(fault(Array(other.utf8)) == "wanted: version 1")
    let week = BehaviourText.ageMaximum
    #expect(fault(Self.text, at: Self.time + week) == nil)
    #expect(fault(Self.text, at: Self.time + week + 1) == "wanted: a file of the last seven days")
    #expect(fault(Self.text, at: Self.time - week - 1) != nil)
    let large = [UInt8](repeating: 32, count: BehaviourText.sizeMaximum + 1)
    #expect(fault(large) == "it is too large")
    let many = #"{"ucmkd_behaviour":1,"time_us":\#(Self.time),"entries":4097}"# + "\n"
    #expect(fault(Array(many.utf8)) == "wanted: at most 4096 entries")
  }
}

@Suite("Behaviour over a restart")
struct BehaviourRestartTests {
  private func shirk(_ stage: DaemonStage) throws -> WireClient {
    let member = try stage.member("idle", mebibytes: 100, pid: 7)
    let root = try stage.control()
    _ = root.call("trigger", #"{"bytes":20971520,"wait":false}"#)
    let shrink = try #require(member.next("shrink"))
    // It claims all; its process stays as large as it was.
    member.comply(with: shrink, size: 100 << 20)
    stage.advance(.seconds(2))
    return member
  }

  private func trust(_ stage: DaemonStage) throws -> Int? {
    let root = try stage.control()
    return root.call("client.list")["result"]["clients"][0]["trust"].int
  }

  @Test("the trust in a program is written down at the end and known again")
  func restart() throws {
    let tree = FileTree()
    tree.write("state/here", "")
    let store = BehaviourStore(folder: "\(tree.root)/state")
    let first = try DaemonStage(behaviour: store)
    let shirker = try shirk(first)
    #expect(try trust(first) == 4_900)
    first.daemon.stop()
    first.daemon.finishBehaviour(within: .seconds(60))
    withExtendedLifetime(shirker) {}
    let second = try DaemonStage(behaviour: store)
    let member = try second.member("idle", mebibytes: 100, pid: 8)
    #expect(try trust(second) == 4_900)
    withExtendedLifetime(member) {}
    // Another program is another program.
    let third = try DaemonStage(behaviour: store)
    let other = try third.member("other", mebibytes: 100, pid: 8)
    #expect(try trust(third) == 7_000)
    withExtendedLifetime(other) {}
  }

  @Test("of two processes of one program the one that shirks counts, whichever goes last")
  func siblings() throws {
    for shirkerGoesFirst in [true, false] {
      let tree = FileTree()
      tree.makeFolder("state")
      let store = BehaviourStore(folder: "\(tree.root)/state")
      let first = try DaemonStage(behaviour: store)
      var shirker: WireClient? = try shirk(first)
      var sibling: WireClient? = try first.member("idle", mebibytes: 1, pid: 9)
      if shirkerGoesFirst { shirker = nil } else { sibling = nil }
      first.serve()
      if shirkerGoesFirst { sibling = nil } else { shirker = nil }
      first.serve()
      withExtendedLifetime((shirker, sibling)) {}
      first.daemon.stop()
      first.daemon.finishBehaviour(within: .seconds(60))
      let second = try DaemonStage(behaviour: store)
      let member = try second.member("idle", mebibytes: 100, pid: 8)
      #expect(try trust(second) == 4_900)
      withExtendedLifetime(member) {}
    }
  }

  @Test("it is written down once a minute while it changes")
  func periodic() throws {
    let tree = FileTree()
    tree.write("state/here", "")
    let store = BehaviourStore(folder: "\(tree.root)/state")
    let stage = try DaemonStage(behaviour: store)
    let shirker = try shirk(stage)
    #expect(try store.read() == nil)
    stage.advance(.seconds(90))
    #expect(stage.daemon.behaviourWriter?.finish(within: .seconds(60)) == true)
    withExtendedLifetime(shirker) {}
    #expect(try store.read() != nil)
  }

  @Test("a broken file is told once and ignored")
  func broken() throws {
    let tree = FileTree()
    tree.write("state/behaviour", "{\"ucmkd_behaviour\":1")
    let stage = try DaemonStage(behaviour: BehaviourStore(folder: "\(tree.root)/state"))
    let told = stage.log.filter { $0.message == "what clients did is forgotten" }
    #expect(told.count == 1)
    #expect(told.first?.level == .warning)
  }

  @Test("a folder that is not there is told once and stops nothing")
  func noFolder() throws {
    let stage = try DaemonStage(behaviour: BehaviourStore(folder: "/nowhere/at/all"))
    let shirker = try shirk(stage)
    for _ in 0..<5 {
      stage.advance(.seconds(60))
      #expect(stage.daemon.behaviourWriter?.finish(within: .seconds(60)) == true)
    }
    withExtendedLifetime(shirker) {}
    let told = stage.log.filter { $0.message == "what clients did cannot be written down" }
    #expect(told.count == 1)
  }
}
