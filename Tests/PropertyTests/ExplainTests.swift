// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

/// What `round.get` prints is enough to compute every quota again, and nothing else is used.
@Suite("explained rounds")
struct ExplainTests {
  /// What the rounds of a run had in them.
  struct Coverage {
    var rounds = 0, second = 0, third = 0, inFlight = 0, leftOut = 0, probes = 0
    var ledgers = 0, distrusted = 0, cold = 0, rooms = 0, excluded: Set<String> = []

    mutating func add(_ attempt: ExplainedObject) {
      let clients = attempt.list("clients")
      let caches = clients.flatMap { $0.list("caches") }
      if attempt.number("attempt") == 2 { second += 1 }
      if attempt.number("attempt") == 3 { third += 1 }
      inFlight += caches.count { $0.number("in_flight") > 0 }
      cold += caches.count { $0.number("cold") > 0 }
      leftOut += clients.count { $0.flag("left_out") }
      probes += clients.count { !$0.isNull("probe") }
      ledgers += clients.count { $0.signed("ledger") != 0 }
      distrusted += clients.count { $0.number("trust") < 10_000 }
      rooms += attempt.list("nodes").count { !$0.isNull("room") }
      for client in attempt.list("excluded") { excluded.insert(client.word("reason")) }
    }
  }

  /// Computes a round again, and compares what it says of its requests with those.
  private func check(
    _ round: ExplainedObject,
    _ asked: [ExplainedWorld.Asked: UInt64],
    _ coverage: inout Coverage,
    _ place: String
  ) {
    coverage.rounds += 1
    var sum: UInt64 = 0
    let number = round.number("round")
    for attempt in round.list("attempts") {
      coverage.add(attempt)
      let again = Recomputation(attempt)
      #expect(again.mismatches == [], "\(place), round \(number)")
      #expect(again.compared > 0)
      for client in attempt.list("clients") {
        for cache in client.list("caches") {
          let key = ExplainedWorld.Asked(
            round: number,
            attempt: attempt.number("attempt"),
            client: client.word("session"),
            cache: cache.number("id")
          )
          sum += cache.number("asked")
          #expect(asked[key] ?? 0 == cache.number("asked"), "\(place), \(key)")
        }
      }
    }
    #expect(sum == round.number("asked"), "\(place), round \(number)")
    #expect(round.list("clients").reduce(0) { $0 + $1.number("asked") } == sum, "\(place)")
  }

  private func run(_ rule: QuotaRule, seed: UInt64, worlds: UInt64) throws -> Coverage {
    var coverage = Coverage()
    for step in 0..<worlds {
      let crowd: UInt64 = step % 4 == 3 ? 90 : 9
      var world = ExplainedWorld(seed: seed &* 1_000 &+ step, rule: rule, crowd: crowd)
      for _ in 0..<5 {
        for round in try world.round() {
          let place = "\(rule.name), seed \(seed), world \(step)"
          check(try round.whole(), world.asked, &coverage, place)
        }
      }
    }
    return coverage
  }

  @Test("every quota of every attempt follows from the text alone", arguments: coreSeeds)
  func levelDown(seed: UInt64) throws {
    let coverage = try run(.levelDown, seed: seed, worlds: 16)
    #expect(coverage.rounds >= 40, "\(coverage)")
    #expect(coverage.second > 10 && coverage.third > 3, "\(coverage)")
    #expect(coverage.cold > 0 && coverage.ledgers > 0 && coverage.distrusted > 0, "\(coverage)")
    #expect(coverage.rooms > 0 && coverage.leftOut > 0 && coverage.inFlight > 0, "\(coverage)")
    #expect(coverage.excluded.isSuperset(of: ["out", "level", "nothing-left"]), "\(coverage)")
  }

  @Test(
    "so does every quota of the other rules",
    arguments: [QuotaRule.proportional, .kernel, .band],
    coreSeeds.prefix(4)
  )
  func others(rule: QuotaRule, seed: UInt64) throws {
    let coverage = try run(rule, seed: seed, worlds: 4)
    #expect(coverage.rounds >= 15, "\(coverage)")
  }

  /// The members of an attempt of which none can be another number unnoticed.
  static let sensitive = [
    "target", "capacity", "median_cost_us_per_mib", "children_cap", "size", "cap", "weight",
    "cost", "cold", "fair", "part", "askable", "cost_band", "share", "ask", "asked", "page_size",
  ]

  /// Those that sometimes decide nothing: a target beyond the capacity, a fair part in a round that
  /// leaves nobody out, a page where nothing is asked for.
  static let idle = ["target", "fair", "page_size"]

  @Test("one number that is one off is found", arguments: sensitive)
  func changed(key: String) throws {
    var world = ExplainedWorld(seed: 4, rule: .levelDown, crowd: 12)
    var found = 0
    for _ in 0..<6 {
      for round in try world.round() where round.pages.count == 1 {
        for text in round.changing(key) {
          let attempts = try ExplainedRound(pages: [text]).whole().list("attempts")
          let mismatches = attempts.flatMap { Recomputation($0).mismatches }
          if !mismatches.isEmpty { found += 1 }
          #expect(!mismatches.isEmpty || Self.idle.contains(key), "\(key)")
        }
      }
    }
    #expect(found > 0)
  }

  @Test("a round of hundreds comes in pages that fit a line each, and is whole")
  func pages() throws {
    var world = ExplainedWorld(seed: 11, rule: .levelDown, crowd: 500)
    var coverage = Coverage()
    var longest = 0
    for round in try world.round() {
      longest = max(longest, round.pages.count)
      #expect(round.pages.allSatisfy { $0.utf8.count < 262_144 })
      check(try round.whole(), world.asked, &coverage, "pages")
    }
    #expect(longest > 1)
  }
}
