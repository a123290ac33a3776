// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A request that a client works on.
struct ShrinkJob: Sendable, Equatable {
  /// What it was asked by; nil where nobody waits for an answer.
  var ticket: Ticket?
  /// When it begins to free, in nanoseconds.
  var startsAt: UInt64
  /// What it will still free, and what it freed.
  var due: Double, freed: Double = 0

  /// The round and the attempt of a request.
  struct Ticket: Sendable, Equatable {
    var round: UInt64, attempt: UInt8
  }
}

/// The end of a job that somebody waits for.
struct ShrinkAnswer: Sendable, Equatable {
  var client: Int
  var ticket: ShrinkJob.Ticket
  /// Bytes that it says it freed.
  var claimed: Double
}

/// What a client is like.
struct ClientShape: Sendable, Equatable {
  /// The size at the start, which is also the size it would like.
  var size: Double
  /// The middle of its times from request to the first byte freed, in seconds.
  var latency: Double
  /// The part of what is asked that it gives.
  var fraction = 1.0
  /// What it claims over what it gives.
  var boast = 1.0
  /// What it says could be freed over what could.
  var openness = 1.0
  /// Whether it never answers and never frees.
  var isDead = false
}

/// A program with one cache: it frees when asked, after a while, and grows where it may.
struct SimulatedClient: Sendable {
  let shape: ClientShape
  private(set) var size: Double
  /// Where the broker, or whoever asks, wants it to stay under.
  var limit: Double?
  /// Bytes per second at which it would grow now.
  var growth = 0.0
  private(set) var jobs: [ShrinkJob] = []
  /// All that it freed.
  private(set) var freed = 0.0
  private var chance: Chance

  /// How fast memory is handed back once it begins: 2 GiB/s.
  static let drain = 2 * gibibyte
  /// The deviation of the logarithm of the latency.
  static let spread = 0.5

  init(_ shape: ClientShape, chance: Chance) {
    self.shape = shape
    self.chance = chance
    size = shape.size
  }

  /// What it says could be freed.
  var reclaimable: Double { size * shape.openness }

  /// Whether it would grow if it could.
  var hasRoom: Bool { jobs.isEmpty && size < min(shape.size, limit ?? shape.size) }

  /// Takes a request for `bytes`.
  mutating func ask(_ bytes: Double, at now: UInt64, ticket: ShrinkJob.Ticket? = nil) {
    let latency = shape.latency * exp(SimulatedClient.spread * chance.normal())
    guard !shape.isDead else { return }
    let wait = UInt64(latency * 1e9)
    jobs.append(ShrinkJob(ticket: ticket, startsAt: now + wait, due: bytes * shape.fraction))
  }

  /// Nobody waits for this answer any more; what was begun goes on.
  mutating func cancel(_ ticket: ShrinkJob.Ticket) {
    for index in jobs.indices where jobs[index].ticket == ticket { jobs[index].ticket = nil }
  }

  /// Moves the size at once, as only an oracle can.
  mutating func set(size next: Double) {
    if next < size { freed += size - next }
    size = next
  }

  /// Lets `seconds` pass from `now` on; the answers that became complete are added to `answers`.
  mutating func advance(
    _ seconds: Double,
    from now: UInt64,
    as client: Int,
    _ answers: inout [ShrinkAnswer]
  ) {
    if jobs.isEmpty {
      let ceiling = min(shape.size, limit ?? shape.size)
      if size < ceiling { size += min(growth * seconds, ceiling - size) }
      return
    }
    for index in jobs.indices where jobs[index].startsAt <= now {
      let bytes = min(jobs[index].due, SimulatedClient.drain * seconds, size)
      jobs[index].due -= bytes
      jobs[index].freed += bytes
      size -= bytes
      freed += bytes
      if jobs[index].due <= 1 || size <= 0 { jobs[index].due = 0 }
    }
    jobs.removeAll { job in
      guard job.startsAt <= now, job.due == 0 else { return false }
      if let ticket = job.ticket {
        let claimed = job.freed * shape.boast
        answers.append(ShrinkAnswer(client: client, ticket: ticket, claimed: claimed))
      }
      return true
    }
  }
}
