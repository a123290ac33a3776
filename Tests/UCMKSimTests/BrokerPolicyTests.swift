// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel

@testable import UCMKSim

@Suite("The core on a plant")
struct BrokerPolicyTests {
  /// A quiet host of 16 GiB with three clients of 1 GiB that answer after about 0.1 s.
  private func plant(
    fraction: Double = 1,
    latency: Double = 0.1,
    isDead: Bool = false
  ) -> HostPlant {
    let client = ClientShape(
      size: gibibyte,
      latency: latency,
      fraction: fraction,
      isDead: isDead
    )
    var shape = HostShape(clients: [client, client, client])
    shape.noise = 0
    return HostPlant(shape, seed: 1)
  }

  /// Lets seconds pass with a demand that leaves so many GiB available of full caches.
  private func pass(
    _ seconds: Double,
    leaving gibibytes: Double,
    _ plant: inout HostPlant,
    _ policy: inout BrokerPolicy
  ) -> String {
    var states = ""
    let demand = 0.13 * plant.capacity - gibibytes * gibibyte
    for _ in 0..<Int(seconds * 20) {
      plant.sense(demand: demand, elapsed: HostPlant.step)
      policy.act(on: &plant)
      plant.advance(HostPlant.step)
      if states.last != policy.letter { states.append(policy.letter) }
    }
    return states
  }

  @Test("every client is registered with what it holds")
  func joins() {
    let policy = BrokerPolicy(on: plant())
    #expect(policy.broker.totals.clients == 3)
    #expect(policy.broker.totals.registered == .gibibytes(3))
    #expect(policy.broker.totals.reclaimable == .gibibytes(3))
    #expect(policy.nextWake != nil)
    #expect(policy.work == PolicyWork())
  }

  @Test("nothing is asked while there is plenty")
  func calm() {
    var plant = plant()
    var policy = BrokerPolicy(on: plant)
    #expect(pass(30, leaving: 2, &plant, &policy) == "·")
    #expect(policy.work.asks == 0)
    #expect(plant.cache == 3 * gibibyte)
  }

  @Test("below the low mark clients are asked, and what they give fills to the high mark")
  func relieves() {
    var plant = plant()
    var policy = BrokerPolicy(on: plant)
    let states = pass(12, leaving: 0.7, &plant, &policy)
    #expect(states.contains("R") && states.contains("h"))
    #expect(policy.work.asks >= 1)
    #expect(plant.available >= plant.marks.high - 16 * mebibyte)
    #expect(plant.available < plant.marks.high + 64 * mebibyte)
    let sums = policy.broker.totals
    #expect(sums.measured == sums.claimed && sums.rounds >= 1)
    #expect(abs(Double(sums.measured.value) - (3 * gibibyte - plant.cache)) < 16 * mebibyte)
  }

  @Test("limits hold the caches down until memory is plenty again")
  func holds() {
    var plant = plant()
    var policy = BrokerPolicy(on: plant)
    _ = pass(12, leaving: 0.7, &plant, &policy)
    let held = plant.cache
    _ = pass(20, leaving: 0.7, &plant, &policy)
    #expect(abs(plant.cache - held) < 64 * mebibyte)
    #expect(plant.clients.contains { $0.limit != nil })
    _ = pass(120, leaving: 2, &plant, &policy)
    #expect(plant.cache == 3 * gibibyte)
    #expect(plant.clients.allSatisfy { $0.limit == nil })
  }

  @Test("clients that give a third are asked again")
  func lossy() {
    var plant = plant(fraction: 0.3)
    var policy = BrokerPolicy(on: plant)
    _ = pass(30, leaving: 0.7, &plant, &policy)
    #expect(policy.work.asks > 3)
    #expect(plant.available > plant.marks.low)
  }

  @Test("dead clients time out and nothing hangs")
  func dead() {
    var plant = plant(isDead: true)
    var policy = BrokerPolicy(on: plant)
    _ = pass(30, leaving: 0.7, &plant, &policy)
    #expect(policy.broker.totals.timeouts > 0)
    #expect(plant.cache == 3 * gibibyte)
    #expect(policy.state != .round || policy.nextWake != nil)
  }

  @Test("an alarm with little memory starts a round by trigger")
  func alarms() {
    var plant = plant(latency: 0.4)
    var policy = BrokerPolicy(on: plant)
    _ = pass(6, leaving: 0.05, &plant, &policy)
    #expect(plant.stall.someTotal > 0.05)
    #expect(policy.broker.totals.rounds > 0)
    #expect(plant.available > plant.marks.kernel)
  }

  @Test("a boaster is measured, not believed")
  func boasts() {
    var shape = HostShape(clients: [ClientShape(size: gibibyte, latency: 0.1, boast: 3)])
    shape.noise = 0
    var plant = HostPlant(shape, seed: 1)
    var policy = BrokerPolicy(on: plant)
    _ = pass(12, leaving: 0.7, &plant, &policy)
    let sums = policy.broker.totals
    #expect(sums.measured < sums.claimed)
    #expect(plant.available > plant.marks.low)
  }
}
