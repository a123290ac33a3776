// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKControl
import UCMKLinux
import UCMKModel

/// What happens, second by second, and what is seen of it.
///
/// Demand grows slowly first, so that the watermark asks before anybody stalls; then at once, so
/// that the kernel itself reports the stall; then it goes, and caches grow again.
final class DemoStory {
  private let stage: DemoStage
  private let mode: String
  private let connection: ControlConnection
  private var report: DemoReport
  private var seen: Set<Int64> = []
  private let started = MonotonicClock.now()
  private var held: UInt64 = 0

  /// The slow part: steps of 4 MiB, twice a second.
  private static let slowStep: UInt64 = 4 << 20, slowSteps = 15
  /// The sudden part, twice: all the room below the limit, and 3 % of the limit above it.
  ///
  /// The kernel throttles whoever takes that for a second or two, those who answer meanwhile for
  /// about 60 ms: the penalty of each 64 pages grows with the square of the overage, and at 10 % it
  /// is longer than the deadline of a critical round (`mm/memcontrol.c`).
  private static let bursts = 2, excess = DemoStage.high / 32

  init(_ stage: DemoStage, mode: String) throws {
    self.stage = stage
    self.mode = mode
    try stage.start()
    connection = try ControlConnection(paths: [stage.socket], patience: .seconds(5))
    report = DemoReport(mode: mode)
  }

  func tell() throws -> DemoReport {
    ChildOutput.tell(
      "three caches in a group of \(Quantity.size(Int64(DemoStage.high))), and demand that grows\n"
    )
    try stage.wait("the programs' registration", seconds: 60) {
      try look() == DemoStage.players.count
    }
    report.begin()
    try show("full")
    for step in 1...DemoStory.slowSteps {
      try grow(DemoStory.slowStep)
      try pause(milliseconds: 500, showing: step.isMultiple(of: 2) ? "demand grows" : nil)
    }
    for _ in 0..<DemoStory.bursts {
      let current = stage.group.current
      try grow((current < DemoStage.high ? DemoStage.high - current : 0) + DemoStory.excess)
      for _ in 0..<4 { try pause(milliseconds: 1_000, showing: "demand jumps") }
    }
    guard stage.demand.say("free\n"), stage.demand.line(within: 20_000) == "held" else {
      throw DemoProblem("the demand did not end")
    }
    held = 0
    for _ in 0..<12 { try pause(milliseconds: 1_000, showing: "demand is gone") }
    report.oomKills = stage.group.number("oom_kill", in: "memory.events") ?? 0
    return report
  }

  // MARK: - Demand

  private func grow(_ bytes: UInt64) throws {
    guard stage.demand.say("\(bytes)\n"), stage.demand.line(within: 20_000) == "held" else {
      throw DemoProblem("the demand could not get its memory")
    }
    held += bytes
  }

  private func pause(milliseconds: UInt32, showing phase: String?) throws {
    usleep(milliseconds * 1_000)
    try look()
    if let phase { try show(phase) }
  }

  // MARK: - Looking

  /// Takes in what changed; returns how many clients there are.
  @discardableResult
  private func look() throws -> Int {
    let status = try connection.call("daemon.status")
    let clients = try connection.call("client.list")["clients"].items
    for client in clients { report.note(client) }
    report.note(status: status)
    let rounds = try connection.call("round.list", ["limit": 256])["rounds"].items
    for round in rounds.reversed() where round["state"].string == "closed" {
      guard let number = round["round"].integer, seen.insert(number).inserted else { continue }
      report.note(round: try connection.call("round.get", ["round": .integer(number)]))
    }
    return clients.count
  }

  // MARK: - Showing

  private func show(_ phase: String) throws {
    let seconds = MonotonicClock.now().since(started).milliseconds / 1_000
    let used = stage.group.current
    var table = Table([
      .words("client"), .numbers("cache"), .numbers("quota"), .numbers("claimed"),
      .numbers("measured"), .words("level"),
    ])
    for client in report.clients {
      table.add([
        Table.Cell(client.name), size(client.end), size(client.lastPart), size(client.claimed),
        size(client.measured), Table.Cell(report.level),
      ])
    }
    var text = "\n\(seconds) s, \(phase): demand \(Quantity.size(Int64(held))), "
    text += "group \(Quantity.size(Int64(used))) of \(Quantity.size(Int64(DemoStage.high))), "
    text += "rounds \(report.rounds)\n"
    for line in table.lines(.plain, width: nil) { text += "  \(line)\n" }
    ChildOutput.tell(text)
  }

  private func size(_ bytes: Int64) -> Table.Cell { Table.Cell(Quantity.size(bytes)) }
}
