// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Whether a client's allocator keeps what its caches give up.
///
/// Such a client claims much more than can be measured, round after round: more than twice as much
/// and more than 8 MiB, three rounds running. A round in which most of its claim is seen ends it.
struct MemoryKept: Sendable, Equatable {
  /// Rounds in a row in which it looked like it.
  private(set) var rounds: UInt8 = 0
  /// Whether it is so.
  private(set) var isKept = false
  /// Whether people were told: once for each client.
  private(set) var isTold = false

  /// Makes the state of a client that nothing is known of.
  init() {}

  /// Makes what was remembered of an earlier run, of which people were told then.
  init(isKept: Bool) {
    self.isKept = isKept
    isTold = isKept
    rounds = isKept ? Defaults.memoryKeptRounds : 0
  }

  /// Takes note of a round; returns whether people are to be told.
  mutating func observe(claimed: ByteCount, measured: ByteCount) -> Bool {
    // A small claim tells nothing either way.
    guard claimed > Defaults.memoryKeptGap else { return false }
    guard claimed > measured + measured, claimed - measured > Defaults.memoryKeptGap else {
      rounds = 0
      isKept = false
      return false
    }
    rounds = min(rounds + 1, Defaults.memoryKeptRounds)
    guard rounds == Defaults.memoryKeptRounds else { return false }
    isKept = true
    defer { isTold = true }
    return !isTold
  }
}
