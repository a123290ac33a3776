// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The level-down split of one crowd without clients, caches or cgroups: for measurements.
package struct BareSplit: Sendable {
  private var claims: [Claim] = []
  private var solver = LevelDown()

  /// Makes an empty crowd with room for `count` parties.
  package init(room count: Int) {
    claims.makeRoom(for: count)
    solver.reserve(count)
  }

  /// Adds a party of `size` bytes of which `cap` could go, with a weight of 1…2^32-1.
  package mutating func add(size: UInt64, cap: UInt64, weight: UInt64) {
    claims.append(Claim(size: size, cap: min(cap, size), weight: weight))
  }

  /// Splits `target` bytes over everybody and returns what was given.
  package mutating func run(_ target: UInt64) -> UInt64 {
    solver.split(target, over: &claims, in: 0..<claims.count)
  }
}
