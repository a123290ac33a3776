// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// How short memory is, in the four steps that people and programs are told.
///
/// The numbers are those that low-memory-monitor and `GMemoryMonitor` use on the bus, spaced so
/// that steps can be put between them.
public enum PressureLevel: UInt8, Sendable, Hashable, Comparable, CaseIterable {
  /// Nothing is asked of anybody.
  case none = 0
  /// Memory gets short: cheap caches shrink.
  case low = 50
  /// Tasks stall: every cache shrinks, floors are honoured.
  case medium = 100
  /// All tasks stall at once: floors no longer count.
  case critical = 255

  /// Orders by the number.
  public static func < (left: PressureLevel, right: PressureLevel) -> Bool {
    left.rawValue < right.rawValue
  }

  /// The next calmer level; `none` stays.
  public var oneStepDown: PressureLevel {
    switch self {
    case .none, .low: .none
    case .medium: .low
    case .critical: .medium
    }
  }

  /// The next more urgent level; `critical` stays.
  public var oneStepUp: PressureLevel {
    switch self {
    case .none: .low
    case .low: .medium
    case .medium, .critical: .critical
    }
  }

  /// The word used on the wire, in the configuration and for people.
  public var name: String {
    switch self {
    case .none: "none"
    case .low: "low"
    case .medium: "medium"
    case .critical: "critical"
    }
  }

  /// The level that `name` names, or nil for any other word.
  public init?(name: String) {
    for level in PressureLevel.allCases where level.name == name {
      self = level
      return
    }
    return nil
  }
}
