// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKModel

@testable import UCMKCore

/// SplitMix64: every random test of the core draws from one of these, made of a printed seed.
struct CoreRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func number(below bound: UInt64) -> UInt64 { next() % bound }

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int(next() % UInt64(elements.count))]
  }

  mutating func chance(_ percent: UInt64) -> Bool { number(below: 100) < percent }
}

/// The seeds of a run: fixed ones, so that a failure comes again, or the one in `$SEED`.
let coreSeeds: [UInt64] = {
  if let text = unsafe getenv("SEED"), let seed = UInt64(unsafe String(cString: text)) {
    return [seed]
  }
  return [1, 2, 3, 5, 8, 13, 21, 34]
}()

/// One instance of the split.
struct SplitInstance {
  var target: UInt64
  var claims: [Claim]

  var capacity: UInt64 { claims.reduce(0) { $0 + $1.cap } }

  /// 1…29 parties of very different sizes and weights, and targets at and around the ends.
  static func random(_ random: inout CoreRandom) -> SplitInstance {
    let claims = (0...random.number(below: 29)).map { _ in Claim.random(&random) }
    let capacity = claims.reduce(0) { $0 + $1.cap }
    let within = random.number(below: capacity + 1)
    return SplitInstance(
      target: random.pick([0, 1, capacity, capacity + 5, within, within, within]),
      claims: claims
    )
  }

  /// What the solver under test makes of it.
  func solved(target other: UInt64? = nil) -> [UInt64] {
    var solver = LevelDown()
    var claims = claims
    _ = solver.split(other ?? target, over: &claims, in: 0..<claims.count)
    return claims.map(\.part)
  }

  /// The same instance without one party.
  func without(_ index: Int) -> SplitInstance {
    var rest = self
    rest.claims.remove(at: index)
    return rest
  }
}

extension Claim {
  static func random(_ random: inout CoreRandom) -> Claim {
    let size = random.pick([
      random.number(below: 1 << 12), random.number(below: 1 << 24), random.number(below: 1 << 34),
    ])
    return Claim(
      size: size,
      cap: random.pick([0, size, random.number(below: size + 1)]),
      weight: random.pick([1, 100, 1 + random.number(below: 10_000)])
    )
  }
}

/// Whether two numbers differ by at most `slack`.
func isClose(_ left: UInt64, _ right: UInt64, within slack: UInt64) -> Bool {
  left > right ? left - right <= slack : right - left <= slack
}
