// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// How many bytes a domain should get back: the deficit to its high watermark.
///
///     target = ( high - available          what is missing now
///              + min(fill rate × lead, high - low)   what will be missing when it arrives
///              - yield × bytes in flight   what was asked for and is still to come
///              ) / yield + what lasting stall adds
///
/// The third term keeps a slow answer from being asked for again at every poll; the cap of the
/// second bounds the price of a wrong trend. Between the bytes that clients free and the rise of
/// available memory lies the yield.
struct DeficitTarget: Sendable, Equatable {
  /// The size of the domain.
  var capacity: ByteCount
  /// What can still be had.
  var available: ByteCount
  /// The domain's marks.
  var marks: Watermarks
  /// What will be used up within `Defaults.lead`.
  var growth: ByteCount
  /// Asked for and not yet answered, in this domain.
  var inFlight: ByteCount
  /// The rise of available memory for each byte given: 25 %…100 %.
  var yield = Permyriad.one
  /// Added while tasks go on stalling.
  var boost = ByteCount.zero

  /// What is missing to the high watermark, without looking ahead.
  var deficit: ByteCount { (marks.high - available) - inFlight }

  /// Whether memory is below the low watermark, or will be before an answer could help.
  var isShort: Bool { available < marks.low || available - growth < marks.low }

  /// What an automatic round asks for; zero where a round is not worth it.
  var bytes: ByteCount {
    let missing =
      (marks.high + min(growth, marks.high - marks.low)) - available - yield.of(inFlight)
    let wanted = yield.whole(ofPart: missing) + boost
    let bounded = min(wanted, Defaults.targetMaximum.of(capacity), capacity)
    return bounded < DeficitTarget.deadBand(of: capacity) ? .zero : bounded
  }

  /// The target below which a round costs more than it brings.
  ///
  /// In a domain below 256 MiB it is a thirty-second of the capacity: its whole band may be
  /// smaller than 8 MiB.
  static func deadBand(of capacity: ByteCount) -> ByteCount {
    max(
      min(Defaults.deadBand, ByteCount(capacity.value / 32)),
      Defaults.deadBandPart.of(capacity)
    )
  }
}
