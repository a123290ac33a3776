// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

import Glibc

/// The clocks of the machine.
package enum Clock {
  /// Now, on `CLOCK_MONOTONIC`: for deadlines.
  package static func monotonic() -> MonotonicInstant {
    MonotonicInstant(nanoseconds: nanoseconds(of: CLOCK_MONOTONIC))
  }

  /// Microseconds since 1970: for people.
  package static func wallMicroseconds() -> Int64 {
    Int64(clamping: nanoseconds(of: CLOCK_REALTIME) / 1_000)
  }

  private static func nanoseconds(of clock: clockid_t) -> UInt64 {
    var time = timespec()
    let outcome = unsafe clock_gettime(clock, &time)
    precondition(outcome == 0, "the kernel has this clock")
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// What the system calls the error `number`, such as `Connection refused`.
package func systemMessage(_ number: Int32) -> String {
  unsafe String(cString: strerror(number))
}
