// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux
package import UCMKModel

/// The clock of deadlines and dwell: `CLOCK_MONOTONIC`, which stands still during a suspend.
package enum MonotonicClock {
  /// The present moment.
  package static func now() -> MonotonicInstant {
    MonotonicInstant(nanoseconds: ucmk_monotonic_ns())
  }
}

/// The clock of people: `CLOCK_REALTIME`, which may jump.
package enum WallClock {
  /// Microseconds since 1970-01-01 00:00 UTC.
  package static func microseconds() -> UInt64 { ucmk_wall_us() }
}
