// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UCMKSim

@Suite("Plant")
struct PlantTests {
  @Test(
    "the demands have the heights of the study",
    arguments: [
      (Scenario.step, 4.9, 0.0), (.step, 5, 1.6), (.step, 59, 1.6), (.step, 61, 0.2),
      (.ramp, 5, 0), (.ramp, 22.066_666_666_666_666, 1), (.ramp, 80, 3), (.ramp, 90, 0.2),
      (.sine, 0, 1.4), (.sine, 18.849_555_921_538_76, 2.4), (.spike, 1, 1.2), (.spike, 41, 2),
      (.spike, 47, 1.2),
    ]
  )
  func demands(scenario: Scenario, seconds: Double, gibibytes: Double) {
    #expect(abs(scenario.demand(at: seconds) / gibibyte - gibibytes) < 1e-9)
  }

  @Test("a study host has eight clients that differ between seeds and not between runs")
  func shapes() {
    let one = HostShape.study(seed: 1, stress: .none)
    #expect(one.clients == HostShape.study(seed: 1, stress: .none).clients)
    #expect(one.clients != HostShape.study(seed: 2, stress: .none).clients)
    #expect(one.clients.count == 8)
    for client in one.clients {
      #expect([0.25, 0.5, 1, 2].contains(client.size / gibibyte))
      #expect(client.latency >= 0.02 && client.latency < 0.6)
      #expect([1, 0.8, 0.5].contains(client.fraction))
    }
  }

  @Test("stress makes the same clients slower or meaner")
  func stress() {
    let usual = HostShape.study(seed: 9, stress: .none).clients
    let slow = HostShape.study(seed: 9, stress: .slow).clients
    let both = HostShape.study(seed: 9, stress: .both).clients
    for (index, client) in usual.enumerated() {
      #expect(slow[index].size == client.size)
      #expect(slow[index].latency == 5 * client.latency)
      #expect(slow[index].fraction == client.fraction)
      #expect(both[index].fraction == 0.3)
    }
  }

  @Test("available memory, demand, caches and base add up to the capacity")
  func balance() {
    var shape = HostShape.study(seed: 3, stress: .none)
    shape.noise = 0
    var plant = HostPlant(shape, seed: 3)
    #expect(plant.available == 0.13 * plant.capacity)
    plant.sense(demand: gibibyte, elapsed: HostPlant.step)
    #expect(abs(plant.available - (0.13 * plant.capacity - gibibyte)) < 1)
    plant.clients[0].set(size: 0)
    plant.sense(demand: gibibyte, elapsed: HostPlant.step)
    let freed = shape.clients[0].size
    #expect(abs(plant.available - (0.13 * plant.capacity - gibibyte + freed)) < 1)
    #expect(abs(plant.room(leaving: plant.available) - plant.cache) < 1)
  }

  @Test(
    "noise has its deviation, in fine steps and in coarse ones",
    arguments: [
      HostPlant.step, 5_000_000_000,
    ]
  )
  func noise(step: UInt64) {
    var plant = HostPlant(HostShape.study(seed: 4, stress: .none), seed: 4)
    var squares = 0.0
    let count = step == HostPlant.step ? 100_000 : 5_000
    for _ in 0..<count {
      plant.sense(demand: 0, elapsed: step)
      squares += plant.used * plant.used
      plant.advance(step)
    }
    let deviation = (squares / Double(count)).squareRoot() / mebibyte
    #expect(abs(deviation - 30) < 2, "\(deviation)")
  }
}

@Suite("Simulated clients")
struct SimulatedClientTests {
  private static let shape = ClientShape(size: gibibyte, latency: 0.1)
  private var client = SimulatedClient(shape, chance: Chance(seed: 1))
  private var answers: [ShrinkAnswer] = []

  private mutating func pass(_ seconds: Double, from: Double) {
    var now = from
    while now < from + seconds - 0.01 {
      client.advance(0.05, from: UInt64(now * 1e9), as: 3, &answers)
      now += 0.05
    }
  }

  @Test("frees what is asked after its latency, and answers once it is done")
  mutating func frees() {
    let ticket = ShrinkJob.Ticket(round: 4, attempt: 1)
    client.ask(256 * mebibyte, at: 0, ticket: ticket)
    let start = Double(client.jobs[0].startsAt) / 1e9
    #expect(start > 0.01 && start < 1)
    pass(0.05, from: 0)
    #expect(start < 0.05 || client.size == gibibyte)
    pass(2, from: 0.05)
    #expect(abs(client.size - 768 * mebibyte) < 2)
    #expect(abs(client.freed - 256 * mebibyte) < 2)
    #expect(client.jobs.isEmpty)
    #expect(answers.count == 1)
    #expect(answers[0].client == 3 && answers[0].ticket == ticket)
    #expect(abs(answers[0].claimed - 256 * mebibyte) < 2)
  }

  @Test("a mean client gives its part and claims no more")
  mutating func mean() {
    var shape = SimulatedClientTests.shape
    shape.fraction = 0.3
    client = SimulatedClient(shape, chance: Chance(seed: 1))
    client.ask(100 * mebibyte, at: 0, ticket: .init(round: 1, attempt: 1))
    pass(2, from: 0)
    #expect(abs(client.freed - 30 * mebibyte) < 2)
    #expect(abs(answers[0].claimed - 30 * mebibyte) < 2)
  }

  @Test("a boaster claims more than it gives")
  mutating func boasts() {
    var shape = SimulatedClientTests.shape
    shape.boast = 2
    client = SimulatedClient(shape, chance: Chance(seed: 1))
    client.ask(100 * mebibyte, at: 0, ticket: .init(round: 1, attempt: 1))
    pass(2, from: 0)
    #expect(abs(client.freed - 100 * mebibyte) < 2)
    #expect(abs(answers[0].claimed - 200 * mebibyte) < 4)
  }

  @Test("a dead client never answers and keeps all")
  mutating func dead() {
    var shape = SimulatedClientTests.shape
    shape.isDead = true
    client = SimulatedClient(shape, chance: Chance(seed: 1))
    client.ask(100 * mebibyte, at: 0, ticket: .init(round: 1, attempt: 1))
    pass(5, from: 0)
    #expect(client.size == gibibyte && answers.isEmpty && client.jobs.isEmpty)
  }

  @Test("nobody hears of a request that was cancelled, but the memory is given")
  mutating func cancelled() {
    let ticket = ShrinkJob.Ticket(round: 2, attempt: 2)
    client.ask(100 * mebibyte, at: 0, ticket: ticket)
    client.cancel(ShrinkJob.Ticket(round: 2, attempt: 1))
    #expect(client.jobs[0].ticket == ticket)
    client.cancel(ticket)
    pass(2, from: 0)
    #expect(answers.isEmpty)
    #expect(abs(client.freed - 100 * mebibyte) < 2)
  }

  @Test("never gives more than it has")
  mutating func empties() {
    client.ask(3 * gibibyte, at: 0, ticket: .init(round: 1, attempt: 1))
    pass(3, from: 0)
    #expect(client.size == 0)
    #expect(client.freed == gibibyte)
    #expect(client.jobs.isEmpty && answers.count == 1)
  }

  @Test("grows at its rate up to its limit, and up to its first size without one")
  mutating func grows() {
    client.set(size: 0)
    client.growth = 100 * mebibyte
    client.limit = 30 * mebibyte
    pass(0.2, from: 0)
    #expect(abs(client.size - 20 * mebibyte) < 1)
    pass(1, from: 0.2)
    #expect(client.size == 30 * mebibyte)
    client.limit = nil
    pass(20, from: 1.2)
    #expect(client.size == gibibyte)
  }

  @Test("a limit below the size takes nothing by itself, and a job stops growth")
  mutating func holds() {
    client.growth = 100 * mebibyte
    client.limit = 10 * mebibyte
    pass(1, from: 0)
    #expect(client.size == gibibyte)
    client.limit = nil
    client.ask(0, at: 0)
    client.set(size: 0.5 * gibibyte)
    client.advance(0.05, from: 0, as: 0, &answers)
    #expect(client.size == 0.5 * gibibyte)
  }
}
