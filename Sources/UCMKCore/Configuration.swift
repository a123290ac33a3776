// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// Validated settings as values; `Defaults` states each default once.
package struct Configuration: Sendable, Equatable {
  /// Watermarks of the host, and of every domain without its own.
  package var watermarks = Defaults.watermarks
  /// Stall thresholds of every domain without its own.
  package var thresholds = Defaults.thresholds
  /// What the administrator says of single domains, in file order.
  package var domains: [DomainSettings] = []
  /// How the target is split.
  package var quota = QuotaRule.levelDown

  /// Makes the defaults.
  package init() {}
}

/// A size in bytes or as a part of the domain's capacity.
package enum Amount: Sendable, Equatable {
  /// Bytes.
  case bytes(ByteCount)
  /// A part of the capacity.
  case part(Permyriad)

  /// The bytes that this is of `capacity`.
  package func resolved(of capacity: ByteCount) -> ByteCount {
    switch self {
    case .bytes(let bytes): bytes
    case .part(let part): part.of(capacity)
    }
  }
}

/// Below `low` a round starts, at `high` it has done enough, above `grow` caches may grow.
package struct WatermarkSettings: Sendable, Equatable {
  /// Available memory below which a round starts.
  package var low: Amount
  /// Available memory at which it has done enough.
  package var high: Amount
  /// Available memory above which caches may grow.
  package var grow: Amount
  /// Whether the administrator wrote any of them: then they stand as written, without the clamps
  /// of the defaults.
  package var isExplicit: Bool

  /// Makes watermarks.
  package init(low: Amount, high: Amount, grow: Amount, isExplicit: Bool) {
    self.low = low
    self.high = high
    self.grow = grow
    self.isExplicit = isExplicit
  }
}

/// Stall time within a window, `some` or `full`.
package struct StallThreshold: Sendable, Equatable {
  /// All tasks at once, or at least one.
  package var isFull: Bool
  /// How much of the window.
  package var stall: TimeSpan
  /// The window: 500 ms…10 s.
  package var window: TimeSpan

  /// Makes a threshold.
  package init(isFull: Bool, stall: TimeSpan, window: TimeSpan) {
    self.isFull = isFull
    self.stall = stall
    self.window = window
  }
}

/// From which stall on a domain is at which level.
package struct PressureThresholds: Sendable, Equatable {
  /// The threshold of each level.
  package var low: StallThreshold, medium: StallThreshold, critical: StallThreshold

  /// Makes thresholds.
  package init(low: StallThreshold, medium: StallThreshold, critical: StallThreshold) {
    self.low = low
    self.medium = medium
    self.critical = critical
  }
}

/// What the administrator says of one domain.
package struct DomainSettings: Sendable, Equatable {
  /// The domain.
  package var domain: DomainID
  /// A budget instead of a kernel limit.
  package var capacity: ByteCount?
  /// Its own watermarks, where given.
  package var watermarks: WatermarkSettings?
  /// Its own thresholds, where given.
  package var thresholds: PressureThresholds?

  /// Makes settings.
  package init(
    domain: DomainID,
    capacity: ByteCount? = nil,
    watermarks: WatermarkSettings? = nil,
    thresholds: PressureThresholds? = nil
  ) {
    self.domain = domain
    self.capacity = capacity
    self.watermarks = watermarks
    self.thresholds = thresholds
  }
}

/// The rules by which a target can be split.
package enum QuotaRule: UInt8, Sendable, Equatable, CaseIterable {
  /// Weighted max-min of what is kept.
  case levelDown
  /// The same fraction of what everybody could give.
  case proportional
  /// As the kernel asks its own caches, at falling priority.
  case kernel
  /// Near the fair part, from whoever is cheapest.
  case band

  /// The word in the configuration.
  package var name: String {
    switch self {
    case .levelDown: "level-down"
    case .proportional: "proportional"
    case .kernel: "kernel"
    case .band: "band"
    }
  }
}
