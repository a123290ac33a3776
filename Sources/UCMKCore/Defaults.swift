// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// Every default of the policy, once, with its reason and source.
///
/// The manual page, the sample file and the documents state the same numbers; a test compares
/// them with these.
package enum Defaults {
  /// 5 %, 8 % and 12 % of the capacity: above the kernel's own marks, so that clients are asked
  /// before kswapd works, and a band of 3 % that a hundred clients free in one round.
  package static let watermarks = WatermarkSettings(
    low: .part(.percent(5)),
    high: .part(.percent(8)),
    grow: .part(.percent(12)),
    isExplicit: false
  )

  /// Clamps of the default low watermark.
  package static let lowMinimum = ByteCount.mebibytes(64), lowMaximum = ByteCount.gibibytes(4)
  /// Clamps of the default distance from low to high.
  package static let bandMinimum = ByteCount.mebibytes(48), bandMaximum = ByteCount.gibibytes(2)
  /// Clamps of the default distance from high to grow.
  package static let growMinimum = ByteCount.mebibytes(64), growMaximum = ByteCount.gibibytes(3)

  /// 70 and 150 ms of some, 70 ms of full in 1 s: near Android's lmkd, the example of `psi.rst`
  /// and low-memory-monitor; far below systemd-oomd's 60 % for 30 s.
  package static let thresholds = PressureThresholds(
    low: StallThreshold(isFull: false, stall: .milliseconds(70), window: .seconds(1)),
    medium: StallThreshold(isFull: false, stall: .milliseconds(150), window: .seconds(1)),
    critical: StallThreshold(isFull: true, stall: .milliseconds(70), window: .seconds(1))
  )

  /// How long a calmer reading must last before the level falls one step: PSI lags about 2 s.
  package static let dwell = TimeSpan.seconds(2)
  /// How often a domain is read while it is short, at critical, and close to its low watermark.
  package static let pollActive = TimeSpan.milliseconds(250)
  package static let pollCritical = TimeSpan.milliseconds(100)
  package static let pollNear = TimeSpan.seconds(1)
  /// How seldom it is read while it is far from short and clients hold memory that could go; with
  /// nothing to ask for, it is not read at all.
  package static let pollFar = TimeSpan.seconds(5)
  /// Far is from this part of the capacity on: where more is taken at once, the kernel's alarm is
  /// what tells.
  package static let farAway = Permyriad.percent(25)
  /// In between it is read as soon as it could have come to the low watermark, if it fell by this
  /// part of the capacity each second (on 16 GiB, 5 GiB/s).
  package static let fallExpected = Permyriad.percent(32)
  /// The same while it falls steadily.
  package static let fallExpectedFilling = Permyriad.percent(50)

  /// The longest deadline of an automatic request, and that at critical.
  package static let deadline = TimeSpan.seconds(2), deadlineCritical = TimeSpan.milliseconds(500)
  /// So long after nothing more comes of asking a domain is exhausted that is critical still.
  package static let exhaustedAfter = TimeSpan.seconds(5)
  /// So long after it became critical it is in any case: systemd-oomd acts after 20 to 30 s.
  package static let ladderMaximum = TimeSpan.seconds(15)
  /// People are told of it no more often than this.
  package static let exhaustedSpacing = TimeSpan.seconds(60)
  /// From the last answer to the second measurement: counters of the kernel lag.
  package static let settle = TimeSpan.milliseconds(200)
  /// A target below the larger of 8 MiB and 0.1 % of the capacity is not worth a round.
  package static let deadBand = ByteCount.mebibytes(8), deadBandPart = Permyriad(10)
  /// No automatic round asks for more than 25 % of the capacity.
  package static let targetMaximum = Permyriad.percent(25)
  /// How far ahead the fill rate is extrapolated: poll, answer and settling together.
  ///
  /// In simulation (`docs/decisions/0007`) 2 s keep memory no farther from the low watermark where
  /// clients answer in time, and hold 1 % less cache.
  package static let lead = TimeSpan.seconds(1)
  /// How long the limits of a round last before caches may grow again (OpenZFS: `arc_grow_retry`).
  package static let hold = TimeSpan.seconds(5)
  /// The longest such wait: it doubles where growing led into a shortage within `growthBlame`, and
  /// halves with each quiet `holdHalfLife`.
  package static let holdMaximum = TimeSpan.seconds(300)
  package static let growthBlame = TimeSpan.seconds(20), holdHalfLife = TimeSpan.seconds(60)
  /// Caches may grow by this many bytes a second at first, by so much more with every reading, and
  /// by at most so many.
  package static let growRate = ByteCount.mebibytes(40), growStep = ByteCount.mebibytes(20)
  package static let growRateMaximum = ByteCount.mebibytes(400)
  /// A permit below this is not worth a message.
  package static let growLeast = ByteCount(256 << 10)
  /// After so long all limits are lifted, whatever is withheld: nobody was short.
  package static let growPatience = TimeSpan.seconds(60)
  /// The set point of stall while a domain recovers: 1 % of time.
  package static let stallSetPoint = Permyriad.percent(1)
  /// How long a disconnected client may come back to its caches.
  package static let resume = TimeSpan.seconds(10)
  /// At most this much of a cache may be declared as its floor.
  package static let floorMaximum = Permyriad.percent(25)
  /// The cost band: what a client declares counts from half to twice the median.
  package static let costMinimum = Permyriad.percent(50), costMaximum = Permyriad.percent(200)
  /// The cost band where the administrator or a measurement vouches for the cost: an eighth to
  /// eight times the median.
  package static let vouchedCostMinimum = Permyriad(1_250), vouchedCostMaximum = Permyriad(80_000)
  /// The part of what a client holds, as a divisor, that it may owe before its cost counts no more.
  package static let declaredCredit: UInt64 = 16
  /// How many times as much a byte in use weighs as a cold one: a tax of 87.5 %.
  ///
  /// VMware ESX takes 75 %, for pages that it has to guess are idle; with that, one mix of Zipf
  /// caches in ten loses more than under a common LRU (14.2 against 12.1 times the least loss),
  /// with this not (10.1).
  package static let idleTax: UInt64 = 8
  /// An automatic round asks nobody for less: a request costs its client more than that is worth
  /// (the batch of 128 pages of the kernel's shrinkers, halved).
  package static let quotaMinimum = ByteCount.kibibytes(256)
  /// Clients that one automatic request at low wakes at most (the herd that mem_notify met).
  package static let herdMaximum = 64
  /// Requests of one round at most: ask, ask others for the rest, ask one level up.
  package static let attemptsMaximum: UInt8 = 3
  /// What a client is trusted with at first, the least it can fall to, and how little less than
  /// asked counts as all.
  package static let trustOfNewcomer = Permyriad.percent(70)
  package static let trustMinimum = Permyriad.percent(5), trustTolerance = Permyriad.percent(90)
  /// A request below this teaches nothing: the kernel adds up the resident pages of a thread in
  /// batches of 64 (`proc_pid_status.5`: inaccurate).
  package static let trustLeast = ByteCount.mebibytes(1)
  /// All asks of one attempt together are at most this many times the target.
  package static let overAskMaximum: UInt64 = 2
  /// For so long after it came, an automatic round below critical asks a client only where the
  /// others cannot give enough.
  package static let newcomer = TimeSpan.seconds(2)
  /// In this time half of what a client gave or owes is forgotten.
  package static let ledgerHalfLife = TimeSpan.seconds(600)
  /// After so many timeouts in a row a client is left out, for so long at first and at most.
  package static let breakerTimeouts: UInt8 = 3
  package static let breakerSpan = TimeSpan.seconds(30), breakerSpanMaximum = TimeSpan.seconds(600)
  /// What it is asked for after that, until it gives something again.
  package static let breakerProbe = ByteCount.mebibytes(1)
  /// The allocator keeps memory where a claim is above twice what was measured and this much more,
  /// so many rounds running.
  package static let memoryKeptGap = ByteCount.mebibytes(8), memoryKeptRounds: UInt8 = 3
  /// What part of such a client's caps is expected of it.
  package static let memoryKeptYield = Permyriad.percent(25)
  /// A measured refill cost counts in the wide band after so many measured rounds, with such trust.
  ///
  /// Then what the client says agrees with what is seen. Three, as for the allocator; the trust is
  /// what counts as giving all.
  package static let vouchRounds: UInt8 = 3, vouchTrust = trustTolerance
  /// Closed rounds that are remembered, and how many client rows of theirs.
  package static let roundsKept = 256, roundRowsKept = 8_192
  /// Rounds remembered for each client.
  package static let historyKept = 32
}
