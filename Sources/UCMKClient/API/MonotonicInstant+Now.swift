// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

internal import UCMKLinux
public import UCMKModel

extension MonotonicInstant {
  /// The present moment on `CLOCK_MONOTONIC`, which ``ShrinkRequest/deadline`` is measured on.
  public static var now: MonotonicInstant { MonotonicClock.now() }
}
