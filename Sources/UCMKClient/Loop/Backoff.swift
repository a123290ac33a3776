// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// How long to wait between attempts to connect: twice as long each time, and never the same for
/// two clients, so that a daemon that starts again does not meet them all at once.
package struct Backoff: Sendable {
  private let shortest: TimeSpan
  private let longest: TimeSpan
  private var ceiling: TimeSpan
  private var random: UInt64

  /// - Parameters:
  ///   - range: The shortest and the longest wait.
  ///   - seed: Differs from client to client.
  package init(_ range: ClosedRange<TimeSpan>, seed: UInt64) {
    shortest = range.lowerBound
    longest = range.upperBound
    ceiling = range.lowerBound
    random = seed | 1
  }

  /// The next wait: between the shortest and a ceiling that doubles up to the longest.
  package mutating func next() -> TimeSpan {
    ceiling = min(ceiling + ceiling, longest)
    let room = ceiling.nanoseconds - min(shortest, ceiling).nanoseconds
    return shortest + TimeSpan(nanoseconds: room == 0 ? 0 : draw() % room)
  }

  /// Up to `span` and half of it more: for a wait that the daemon named.
  package mutating func jittered(_ span: TimeSpan) -> TimeSpan {
    let room = span.nanoseconds / 2
    return span + TimeSpan(nanoseconds: room == 0 ? 0 : draw() % room)
  }

  /// The connection stood: the next wait is a short one again.
  package mutating func reset() { ceiling = shortest }

  private mutating func draw() -> UInt64 {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    return random
  }
}
