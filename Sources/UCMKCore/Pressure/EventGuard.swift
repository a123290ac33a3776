// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// The second look before stall counts as a shortage that caches can cure.
///
/// Tasks also stall on compaction, on `memory.high` of a neighbour, or did so a moment ago. So a
/// reading must show that stall went on, and that memory is scarce or reclaim at work.
enum EventGuard {
  /// Whether the domain is short or the kernel moved pages since the reading before.
  static func isCurable(
    _ reading: DomainReading,
    after previous: DomainReading?,
    marks: Watermarks
  ) -> Bool {
    if reading.available < marks.high { return true }
    return rose(reading.reclaimScanned, above: previous?.reclaimScanned)
      || rose(reading.refaults, above: previous?.refaults)
  }

  /// Whether stall speaks for taking more than is missing.
  ///
  /// Where memory is above the high watermark and nothing that was dropped came back since the
  /// reading before, tasks stall for another reason: compaction, or `memory.high` of a neighbour. A
  /// host that does not count refaults cannot say so.
  static func speaksForMore(
    _ reading: DomainReading,
    after previous: DomainReading?,
    marks: Watermarks
  ) -> Bool {
    if reading.available < marks.high { return true }
    guard let refaults = reading.refaults, let before = previous?.refaults else { return true }
    return refaults > before
  }

  /// Whether an alarm stands after the reading that was taken because of it.
  static func confirms(
    _ source: AlarmSource,
    by reading: DomainReading,
    after previous: DomainReading?,
    marks: Watermarks
  ) -> Bool {
    switch source {
    case .trigger, .average:
      guard stallGrew(reading.pressure, since: previous?.pressure) else { return false }
    case .watch:
      break
    }
    return isCurable(reading, after: previous, marks: marks)
  }

  /// Whether stall went on; also where there is nothing to compare.
  private static func stallGrew(
    _ pressure: PressureReading?,
    since previous: PressureReading?
  ) -> Bool {
    guard let pressure, let previous else { return true }
    return pressure.some.total > previous.some.total || pressure.full.total > previous.full.total
  }

  private static func rose(_ counter: UInt64?, above previous: UInt64?) -> Bool {
    guard let counter, let previous else { return false }
    return counter > previous
  }
}
