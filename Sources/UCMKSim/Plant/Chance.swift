// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Random numbers that are the same for the same seed.
///
/// SplitMix64 (Steele, Lea, Flood, 2014). Whatever draws has a stream of its own, so that a policy
/// that asks more often does not change the demand or the noise that it is tried on.
struct Chance: Sendable {
  private var state: UInt64

  /// Makes the stream `stream` of the generator that begins at `seed`.
  init(seed: UInt64, stream: UInt64 = 0) {
    state = seed
    for _ in 0..<2 { state = next() ^ (stream &* 0xD1B5_4A32_D192_ED03) }
  }

  /// The next 64 bits.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// Evenly distributed in 0..<1: 53 bits.
  mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Evenly distributed between two bounds.
  mutating func between(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * fraction()
  }

  /// One of the choices, each as likely as the others.
  mutating func choice<Element>(of choices: [Element]) -> Element {
    precondition(!choices.isEmpty, "there is something to choose from")
    return choices[Int(next() % UInt64(choices.count))]
  }

  /// Normally distributed around zero with deviation one (Box and Muller, 1958).
  mutating func normal() -> Double {
    let radius = sqrt(-2 * log(1 - fraction()))
    return radius * cos(2 * Double.pi * fraction())
  }

  /// The time until the next of events that come `rate` times in a unit of time.
  mutating func waiting(rate: Double) -> Double { -log(1 - fraction()) / rate }
}
