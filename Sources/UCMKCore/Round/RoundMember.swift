// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// A set of the attempts 1…8 of a round.
struct AttemptSet: Sendable, Equatable {
  private var bits: UInt8 = 0

  /// Whether no attempt is in it.
  var isEmpty: Bool { bits == 0 }

  /// Whether `attempt` is in it; false for a number that no attempt has.
  func contains(_ attempt: UInt8) -> Bool {
    (1...8).contains(attempt) && bits & (1 << (attempt - 1)) != 0
  }

  /// Adds an attempt.
  mutating func insert(_ attempt: UInt8) {
    precondition((1...8).contains(attempt), "attempts are numbered from 1 to 8")
    bits |= 1 << (attempt - 1)
  }

  /// Takes an attempt out.
  mutating func remove(_ attempt: UInt8) {
    if contains(attempt) { bits &= ~(1 << (attempt - 1)) }
  }

  /// Takes all out.
  mutating func removeAll() { bits = 0 }
}

/// One client of the scope of an open round, asked or not.
struct RoundMember: Sendable {
  /// The client, and its label, process and cgroup when the round was opened.
  let client: ClientID
  let name: String
  let process: ProcessID
  let cgroup: String?
  /// Its caches, in `OpenRound.caches`.
  let caches: Range<Int>

  /// What the first split gives everybody before anybody is left out.
  var fair = ByteCount.zero
  /// What the first split gives it, and its size, cap and weight in it.
  var part = ByteCount.zero, size = ByteCount.zero, cap = ByteCount.zero, weight: UInt64 = 0
  /// More of that split: what is cold and what it costs, what it owes since it was left out, where
  /// it stands in `OpenRound.nodes`, and the level of its caches.
  var cold = ByteCount.zero, cost: UInt64 = 0, deferred = ByteCount.zero
  var node: Int?, level: LevelFraction?
  /// Bytes in targets over all attempts, what it says it freed, what was seen.
  var asked = ByteCount.zero, claimed = ByteCount.zero, measured = ByteCount.zero
  /// The attempts in which it was asked, those it answered, those still unanswered.
  var askedIn = AttemptSet(), answeredIn = AttemptSet(), unanswered = AttemptSet()
  /// When it was first asked and when it last answered.
  var firstAsked: MonotonicInstant?, lastAnswered: MonotonicInstant?
  /// Whether an answer came after its deadline, it refused, it disconnected.
  var isLate = false, refused = false, isGone = false
  /// Whether it is asked for nothing more in this round.
  var isOut = false

  /// How its part in the round ends.
  var outcome: RoundOutcome {
    if isGone { return .gone }
    if isLate { return .late }
    if !answeredIn.isEmpty { return claimed >= asked ? .done : .partial }
    return refused ? .refused : .silent
  }

  /// From the first request to the last answer.
  var took: TimeSpan {
    guard let firstAsked, let lastAnswered else { return .zero }
    return lastAnswered.since(firstAsked)
  }
}

/// One cache of a member.
struct RoundCache: Sendable {
  /// The cache.
  let id: CacheID
  let name: String
  /// What it was, and from what its part was computed when it was first asked.
  var inputs: QuotaInputs
  /// What the first split gives it.
  var part = ByteCount.zero
  /// Bytes in targets over all attempts, and what the client says it freed.
  var asked = ByteCount.zero, claimed = ByteCount.zero
  /// The bytes of the last target, and those that count as in flight because of it.
  var lastTarget = ByteCount.zero, pending = ByteCount.zero
  /// The attempts in which it was a target, and those for which the client reported.
  var askedIn = AttemptSet(), reportedIn = AttemptSet()
  /// Whether the client says that no more can come of it.
  var isExhausted = false

  /// What counts as freed while the round decides whether to ask others: a cache cannot have given
  /// more than it held, whatever is claimed.
  var credited: ByteCount { min(claimed, max(asked, inputs.bytes)) }
}

/// One process behind the clients asked in a round: the ruler for their claims.
struct RoundProcess: Sendable {
  /// The process.
  let process: ProcessID
  /// Bytes of all caches of its sessions in the round.
  var bytes: UInt128 = 0
  /// What its sessions claim, once the round measures.
  var claimed: UInt128 = 0
  /// What the shares given so far leave of a byte, in parts of `claimed`.
  private var fraction: UInt128 = 0
  /// Before the first request and after the last answer; the outer nil: not read (yet).
  var before: ProcessReading??, after: ProcessReading??
  /// When it was read before.
  private(set) var readAt: MonotonicInstant?
  /// What had fallen by then and may still count in rounds that were there already.
  private var fallenBefore = ByteCount.zero
  /// What of its fall counted in rounds that ran beside this one and are over.
  private(set) var countedElsewhere = ByteCount.zero
  /// Whether another round waits for an answer of it: then nothing that nobody claims counts.
  var isShared = false

  /// Makes a process of which nothing was read.
  init(process: ProcessID) { self.process = process }

  /// Whether it was read before and after.
  var isMeasured: Bool { (before ?? nil) != nil && (after ?? nil) != nil }

  /// By how much the process shrank.
  ///
  /// `LazyFree` counts only where both readings have it. Where the cgroup of the process fell by
  /// more than the process, it is the better witness.
  var fall: ByteCount {
    guard let before = before ?? nil, let after = after ?? nil else { return .zero }
    return RoundProcess.fall(from: before, to: after)
  }

  /// By how much a process shrank from one reading to another.
  private static func fall(from before: ProcessReading, to after: ProcessReading) -> ByteCount {
    let hasLazyFree = before.lazyFree != nil && after.lazyFree != nil
    let own = hasLazyFree ? before.held - after.held : before.resident - after.resident
    guard let group = before.soleCgroupCurrent, let left = after.soleCgroupCurrent else {
      return own
    }
    return max(own, group - left)
  }

  /// What of the fall counts: what did not count elsewhere, at most 5 % above what all sessions
  /// together claim, since what nobody claims may have other causes.
  var credible: ByteCount {
    let slack = isShared ? 0 : claimed / 20
    return min(fall - countedElsewhere, ByteCount(UInt64(clamping: claimed + slack)))
  }

  /// Takes note of what counted in another round that is over now.
  ///
  /// What fell before this round read the process is none of its own; whatever counted beyond that
  /// fell under the eyes of both.
  mutating func leave(to other: RoundProcess) {
    var counted = other.credible
    guard let readAt, let otherReadAt = other.readAt else { return }
    if otherReadAt < readAt {
      let earlier = min(counted, fallenBefore)
      fallenBefore -= earlier
      counted -= earlier
    }
    countedElsewhere += counted
  }

  /// Takes the first reading.
  ///
  /// - Parameters:
  ///   - reading: The reading; nil where the process is gone.
  ///   - now: When it was taken.
  ///   - fallenBefore: What had fallen by then and may still count in other rounds.
  mutating func begin(
    _ reading: ProcessReading?,
    at now: MonotonicInstant,
    fallenBefore: ByteCount
  ) {
    before = .some(reading)
    readAt = now
    self.fallenBefore = fallenBefore
  }

  /// What fell since its first reading and counted nowhere yet.
  func uncounted(at reading: ProcessReading?) -> ByteCount {
    guard let before = before ?? nil, let reading else { return .zero }
    return RoundProcess.fall(from: before, to: reading) - countedElsewhere
  }

  /// What of the fall counts as given by the next session, with this claim: in proportion to the
  /// claims.
  ///
  /// Fractions of bytes are carried on to the session after it, so that the shares of all sessions
  /// add up to `credible` exactly, and each is less than a byte away from its own proportion.
  mutating func takeMeasured(of claim: ByteCount) -> ByteCount {
    guard claimed > 0 else { return .zero }
    let product = UInt128(credible.value) * UInt128(claim.value)
    let (sum, overflow) = product.addingReportingOverflow(fraction)
    // Only beyond 2^63 bytes, where one byte more or less is no matter.
    let (quotient, rest) = (overflow ? product : sum).quotientAndRemainder(dividingBy: claimed)
    fraction = rest
    return ByteCount(UInt64(clamping: quotient))
  }

  /// The part of what was read of the process that falls to a cache of `bytes`, in proportion.
  func measuredSize(of bytes: ByteCount) -> ByteCount? {
    guard let before = before ?? nil else { return nil }
    guard self.bytes > 0 else { return .zero }
    let part = UInt128(before.held.value) * UInt128(bytes.value) / self.bytes
    return ByteCount(UInt64(clamping: part))
  }
}
