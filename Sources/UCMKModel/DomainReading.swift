// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Everything that was read of one domain at one moment.
///
/// A part that the host does not have is nil: absent is a normal state, not an error.
public struct DomainReading: Sendable, Hashable {
  /// The size of the domain: `MemTotal`, or the smaller of `memory.high` and `memory.max`, or the
  /// configured budget.
  public var capacity: ByteCount
  /// What can still be had without harm: `MemAvailable`, or the limit less what is used and cannot
  /// be dropped by the kernel at no cost (`inactive_file`, `slab_reclaimable`).
  public var available: ByteCount
  /// The domain's stall times, where its PSI file can be read.
  public var pressure: PressureReading?
  /// A counter of pages that reclaim has scanned (`pgscan_kswapd` + `pgscan_direct`, or a cgroup's
  /// `pgscan`); only its movement matters.
  public var reclaimScanned: UInt64?
  /// A counter of refaults of pages that were in the working set; only its movement matters.
  public var refaults: UInt64?
  /// Free swap, where the domain is the host.
  public var swapFree: ByteCount?

  /// Makes a reading.
  public init(
    capacity: ByteCount,
    available: ByteCount,
    pressure: PressureReading? = nil,
    reclaimScanned: UInt64? = nil,
    refaults: UInt64? = nil,
    swapFree: ByteCount? = nil
  ) {
    self.capacity = capacity
    self.available = available
    self.pressure = pressure
    self.reclaimScanned = reclaimScanned
    self.refaults = refaults
    self.swapFree = swapFree
  }
}

/// What the kernel keeps for a cgroup and what is below it, whatever the pressure outside.
public struct CgroupProtection: Sendable, Hashable {
  /// `memory.low`: not taken as long as anything else can be had.
  public var low: ByteCount
  /// `memory.min`: never taken.
  public var min: ByteCount

  /// Makes a protection.
  public init(low: ByteCount, min: ByteCount) {
    self.low = low
    self.min = min
  }

  /// Nothing is kept.
  public static let none = CgroupProtection(low: .zero, min: .zero)
}

/// What was read of one process: the ruler by which a claim is checked.
public struct ProcessReading: Sendable, Hashable {
  /// `RssAnon` + `RssShmem` of `/proc/PID/status`.
  public var resident: ByteCount
  /// `LazyFree` of `smaps_rollup`: pages given back by `MADV_FREE` that still count as resident.
  ///
  /// Nil where it was not read (it walks the page tables) or may not be.
  public var lazyFree: ByteCount?
  /// `memory.current` of the process's cgroup, where it is the only process in it.
  public var soleCgroupCurrent: ByteCount?

  /// Makes a reading.
  public init(
    resident: ByteCount,
    lazyFree: ByteCount? = nil,
    soleCgroupCurrent: ByteCount? = nil
  ) {
    self.resident = resident
    self.lazyFree = lazyFree
    self.soleCgroupCurrent = soleCgroupCurrent
  }

  /// Resident bytes that the kernel cannot simply take: `RssAnon + RssShmem - LazyFree`.
  public var held: ByteCount { resident - (lazyFree ?? .zero) }
}
