// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// One MiB and one GiB in bytes, for the plant, which counts in fractions.
let mebibyte = 0x1p20, gibibyte = 0x1p30

/// How the memory of everything but the caches moves over two minutes.
///
/// On the host of `HostShape.study` 13 % of 16 GiB (2.08 GiB) are free while the demand is zero.
package enum Scenario: String, Sendable, CaseIterable {
  /// 1.6 GiB at once after 5 s, nearly all of it given back after 60 s.
  case step
  /// 60 MiB/s from 5 s on up to 3 GiB, nearly all of it given back after 90 s.
  case ramp
  /// 1.4 GiB and 1 GiB more or less with a period of 75 s.
  case sine
  /// 1.2 GiB, and every 40 s for 6 s 0.8 GiB more.
  case spike

  /// Bytes in use beside the caches and the base at `seconds` after the start.
  func demand(at seconds: Double) -> Double {
    switch self {
    case .step:
      if seconds < 5 { return 0 }
      return (seconds < 60 ? 1.6 : 0.2) * gibibyte
    case .ramp:
      guard seconds < 90 else { return 0.2 * gibibyte }
      return min(3 * gibibyte, max(0, seconds - 5) * 60 * mebibyte)
    case .sine:
      return (1.4 + sin(seconds / 12)) * gibibyte
    case .spike:
      let isUp = seconds > 8 && seconds.truncatingRemainder(dividingBy: 40) < 6
      return (isUp ? 2.0 : 1.2) * gibibyte
    }
  }
}

/// What makes the clients of a run worse than usual.
package enum Stress: String, Sendable, CaseIterable {
  /// Nothing.
  case none
  /// Every answer takes five times as long.
  case slow = "latency-x5"
  /// Everybody gives 30 % of what is asked, and says so.
  case lossy = "give-30"
  /// Both.
  case both

  /// How much longer answers take.
  var latencyFactor: Double { self == .slow || self == .both ? 5 : 1 }

  /// The part of what is asked that everybody gives; nil leaves it to chance.
  var fraction: Double? { self == .lossy || self == .both ? 0.3 : nil }
}
