// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// All clients together refill at 200 MiB/s where nothing holds them back.
enum Refill {
  static let together = 200 * mebibyte

  /// Lets every client that has room grow at an equal part of `rate`: whatever they refill from is
  /// there for those that need it.
  static func allow(_ rate: Double, on plant: inout HostPlant) {
    var open = 0.0
    for client in plant.clients where client.hasRoom { open += 1 }
    let each = rate / max(1, open)
    for index in plant.clients.indices {
      plant.clients[index].growth = plant.clients[index].hasRoom ? each : 0
    }
  }
}

/// Nobody is asked.
struct NoPolicy: HostPolicy {
  let work = PolicyWork()
  let letter: Character = "·"

  mutating func act(on plant: inout HostPlant) {}
}

/// Everybody gives the same part of what it has at each alarm, and refills 5 s after the last.
struct AlarmPolicy: HostPolicy {
  private(set) var work = PolicyWork()
  let fraction: Double

  private static let rest: UInt64 = 5_000_000_000

  init(fraction: Double) { self.fraction = fraction }

  var letter: Character { "·" }

  mutating func act(on plant: inout HostPlant) {
    let now = plant.clock
    if plant.stall.takeAlarm() != nil {
      for index in plant.clients.indices {
        plant.clients[index].ask(fraction * plant.clients[index].size, at: now)
        work.count(at: now)
      }
    }
    let isFree = work.lastAsked.map { now > $0 + AlarmPolicy.rest } ?? true
    Refill.allow(isFree ? Refill.together : 0, on: &plant)
  }
}

/// What is missing to the high mark is split fairly every 250 ms below the low mark and at each
/// alarm, whether or not it was asked for before.
struct DeficitPolicy: HostPolicy {
  private(set) var work = PolicyWork()
  private var split = FairSplit()

  private static let poll: UInt64 = 250_000_000

  var letter: Character { "·" }

  mutating func act(on plant: inout HostPlant) {
    let now = plant.clock
    let isAlarmed = plant.stall.takeAlarm() != nil
    let isPolled = now % DeficitPolicy.poll == 0 && plant.available < plant.marks.low
    if isAlarmed || isPolled {
      let target = max(0, plant.marks.high - plant.available)
      let sizes = plant.clients.map { client in
        // Where requests are being worked on, what they were to leave.
        client.jobs.isEmpty ? client.size : min(client.size, client.limit ?? client.size)
      }
      for (index, bytes) in split.parts(of: target, sizes: sizes).enumerated() where bytes > 0 {
        plant.clients[index].limit = max(0, plant.clients[index].size - bytes)
        plant.clients[index].ask(bytes, at: now)
        work.count(at: now)
      }
    }
    let mayGrow = plant.available > plant.marks.high
    if mayGrow {
      for index in plant.clients.indices where plant.clients[index].jobs.isEmpty {
        plant.clients[index].limit = nil
      }
    }
    Refill.allow(mayGrow ? Refill.together : 0, on: &plant)
  }
}

/// Equal max-min of what is kept, in fractions.
struct FairSplit: Sendable {
  /// What each gives so that nobody with more keeps less: a level falls until `target` is reached.
  func parts(of target: Double, sizes: [Double]) -> [Double] {
    let sorted = sizes.sorted(by: >)
    var above = 0.0
    for (count, size) in sorted.enumerated() {
      above += size
      let next = count + 1 < sorted.count ? sorted[count + 1] : 0
      // With the level at the next size, the largest so far give this much.
      guard above - Double(count + 1) * next >= target || count + 1 == sorted.count else {
        continue
      }
      let level = max(0, (above - target) / Double(count + 1))
      return sizes.map { max(0, $0 - level) }
    }
    return []
  }
}

/// Every cache is at once as large as the low mark allows; all shrink by the same part.
struct OraclePolicy: HostPolicy {
  let work = PolicyWork()
  let letter: Character = "·"

  mutating func act(on plant: inout HostPlant) {
    let wanted = max(0, min(plant.cacheAtStart, plant.room(leaving: plant.marks.low)))
    let held = plant.cache
    for index in plant.clients.indices {
      let size = plant.clients[index].size
      let part = held > 1 ? size * wanted / held : wanted / Double(plant.clients.count)
      plant.clients[index].set(size: part)
    }
  }
}
