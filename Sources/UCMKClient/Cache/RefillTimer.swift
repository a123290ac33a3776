// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Times how long entries that were evicted take to come back.
///
/// Remembers the hashes of evicted keys in 64 places, each key in the one that its hash names, the
/// later one in place of the earlier. A miss of a key that is there notes the time, and its
/// insertion takes the time. So a hit costs nothing, a miss a look at one place, and nothing takes
/// memory: 1 KiB for each shard is made with the cache. Of more keys than there are places some
/// are timed, which is as good as all.
struct RefillTimer: Sendable {
  /// Evicted keys that are remembered; a power of two.
  static let places = 64
  /// What takes longer was no refill: nobody came back for it.
  static let longest = TimeSpan.seconds(60)

  private struct Place: Sendable {
    /// The hash of the evicted key.
    var hash = 0
    /// When it was missed first, in ns; 0 before that, `Place.empty` where no key is.
    var missedAt = Place.empty

    static let empty = UInt64.max
  }

  private var places = [Place](repeating: Place(), count: RefillTimer.places)
  /// What was timed so far.
  private(set) var pace = RefillPace()

  /// Takes note that the key with this hash was evicted.
  mutating func noteEviction(_ hash: Int) {
    places[place(of: hash)] = Place(hash: hash, missedAt: 0)
  }

  /// Takes note of a miss; `clock` is only read where the key is one that was evicted.
  @inline(__always)
  mutating func noteMiss(_ hash: Int, _ clock: () -> MonotonicInstant) {
    let place = place(of: hash)
    guard places[place].hash == hash, places[place].missedAt != Place.empty else { return }
    start(place, at: clock())
  }

  /// Takes note that an entry of `bytes` was put in.
  ///
  /// - Parameters:
  ///   - hash: Of its key.
  ///   - bytes: Its cost.
  ///   - making: How long it took to make, where that was timed itself.
  ///   - clock: Only read where the key was evicted and missed since.
  mutating func noteInsertion(
    _ hash: Int,
    bytes: Int,
    making: TimeSpan?,
    _ clock: () -> MonotonicInstant
  ) {
    let place = place(of: hash)
    let isKnown = places[place].hash == hash && places[place].missedAt != Place.empty
    let missedAt = isKnown ? places[place].missedAt : 0
    if isKnown { places[place] = Place() }
    if let making {
      pace.add(making, bytes: bytes)
    } else if missedAt > 0 {
      let span = clock().since(MonotonicInstant(nanoseconds: missedAt))
      if span <= RefillTimer.longest { pace.add(span, bytes: bytes) }
    }
  }

  /// The first of several misses counts, until so long after it that nobody can be at work on it.
  private mutating func start(_ place: Int, at now: MonotonicInstant) {
    let earlier = MonotonicInstant(nanoseconds: places[place].missedAt)
    guard places[place].missedAt == 0 || now.since(earlier) > RefillTimer.longest else { return }
    places[place].missedAt = now.nanoseconds
  }

  @inline(__always)
  private func place(of hash: Int) -> Int {
    // The bits above those that choose the shard.
    (hash >> 16) & (RefillTimer.places - 1)
  }
}

/// How fast refills are: time over bytes, both fading by a sixteenth with each refill.
///
/// Weighted by bytes, so that a thousand small entries that take a millisecond each do not hide the
/// large one that a shrink is about.
struct RefillPace: Sendable, Equatable {
  /// Refills before which nothing is told: one alone may have met anything.
  static let least: UInt64 = 8

  private var nanoseconds = 0.0, bytes = 0.0
  /// Refills that were timed.
  private(set) var count: UInt64 = 0

  /// Adds one refill; one of no bytes tells nothing.
  mutating func add(_ span: TimeSpan, bytes size: Int) {
    guard size > 0 else { return }
    nanoseconds += Double(span.nanoseconds) - nanoseconds / 16
    bytes += Double(size) - bytes / 16
    count &+= 1
  }

  /// Adds what another shard timed.
  mutating func add(_ other: RefillPace) {
    nanoseconds += other.nanoseconds
    bytes += other.bytes
    count &+= other.count
  }

  /// What a MiB takes, in µs, 0…10^9; nil after too few refills.
  var microsecondsPerMiB: UInt32? {
    guard count >= RefillPace.least, bytes > 0 else { return nil }
    return UInt32(min(nanoseconds / 1_000 * 1_048_576 / bytes, 1_000_000_000))
  }
}
