// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// The sizes of one cgroup (`Documentation/admin-guide/cgroup-v2.rst`, "Memory").
package struct CgroupMemory: Sendable, Hashable {
  /// `memory.current`.
  package var current: ByteCount
  /// `memory.high` and `memory.max`; nil where unlimited or absent (the root has neither).
  package var high: ByteCount?, max: ByteCount?
  /// `memory.low` and `memory.min`: protection; zero where absent.
  package var low: ByteCount, min: ByteCount
  /// The entries of `memory.stat`.
  package var statistics: CgroupStatistics

  /// The smaller of `memory.high` and `memory.max`; nil where unlimited.
  package var limit: ByteCount? {
    smaller(high, max)
  }

  /// What is used and cannot be dropped by the kernel at no cost.
  package var held: ByteCount {
    current - statistics.inactiveFile - statistics.slabReclaimable
  }

  /// Makes sizes.
  package init(
    current: ByteCount,
    high: ByteCount? = nil,
    max: ByteCount? = nil,
    low: ByteCount = .zero,
    min: ByteCount = .zero,
    statistics: CgroupStatistics = CgroupStatistics()
  ) {
    self.current = current
    self.high = high
    self.max = max
    self.low = low
    self.min = min
    self.statistics = statistics
  }
}

/// The smaller of two sizes that may be absent.
private func smaller(_ one: ByteCount?, _ other: ByteCount?) -> ByteCount? {
  guard let one, let other else { return one ?? other }
  return min(one, other)
}

/// The entries of `memory.stat` that are used.
package struct CgroupStatistics: Sendable, Hashable {
  /// `inactive_file` and `slab_reclaimable`: what the kernel drops without writing; zero where
  /// absent.
  package var inactiveFile = ByteCount.zero, slabReclaimable = ByteCount.zero
  /// `pgscan`, and `workingset_refault_anon` + `workingset_refault_file`, in pages.
  package var counters = ReclaimCounters()

  /// Makes empty entries.
  package init() {}
}

/// Reads the memory of cgroups.
package enum CgroupMemoryReader {
  /// The entries in the text of `memory.stat`; nil where not one of them is there.
  package static func parseStatistics(_ text: Span<UInt8>) -> CgroupStatistics? {
    var statistics = CgroupStatistics()
    var found = false
    var position = 0
    while let line = TextScanner.nextLine(text, &position) {
      if let value = TextScanner.value(of: "inactive_file", text, line: line) {
        statistics.inactiveFile = ByteCount(value)
      } else if let value = TextScanner.value(of: "slab_reclaimable", text, line: line) {
        statistics.slabReclaimable = ByteCount(value)
      } else if let value = TextScanner.value(of: "pgscan", text, line: line) {
        statistics.counters.scanned = value
      } else if let value = TextScanner.value(of: "workingset_refault_anon", text, line: line)
        ?? TextScanner.value(of: "workingset_refault_file", text, line: line)
      {
        statistics.counters.refaults = (statistics.counters.refaults ?? 0) &+ value
      } else {
        continue
      }
      found = true
    }
    return found ? statistics : nil
  }

  /// The number in a file such as `memory.high`; nil for `max` (unlimited) and for no number.
  package static func parseLimit(_ text: Span<UInt8>) -> ByteCount? {
    TextScanner.soleNumber(text).map { ByteCount($0) }
  }

  /// The sizes of the cgroup `path`.
  ///
  /// - Returns: nil where it is gone, or memory is not accounted there (the root, a hierarchy
  ///   without the memory controller).
  package static func memory(
    of path: Substring,
    _ files: KernelFiles
  ) throws(SystemError) -> CgroupMemory? {
    guard let current = try files.read(.cgroup(path, "memory.current"), parseLimit) else {
      return nil
    }
    return CgroupMemory(
      current: current,
      high: try files.read(.cgroup(path, "memory.high"), parseLimit),
      max: try files.read(.cgroup(path, "memory.max"), parseLimit),
      low: try files.read(.cgroup(path, "memory.low"), parseLimit) ?? .zero,
      min: try files.read(.cgroup(path, "memory.min"), parseLimit) ?? .zero,
      statistics: try files.read(.cgroup(path, "memory.stat"), parseStatistics)
        ?? CgroupStatistics()
    )
  }

  /// What the kernel keeps for the cgroup `path`: nothing where it is gone, or memory is not
  /// accounted there.
  package static func protection(
    of path: Substring,
    _ files: KernelFiles
  ) throws(SystemError) -> CgroupProtection {
    CgroupProtection(
      low: try files.read(.cgroup(path, "memory.low"), parseProtection) ?? .zero,
      min: try files.read(.cgroup(path, "memory.min"), parseProtection) ?? .zero
    )
  }

  /// The number in `memory.low` or `memory.min`: `max` keeps everything.
  package static func parseProtection(_ text: Span<UInt8>) -> ByteCount? {
    if let bytes = parseLimit(text) { return bytes }
    return text.count >= 3 && text[0] == UInt8(ascii: "m") ? ByteCount(.max) : nil
  }

  /// Whether the cgroup `path` itself has `memory.high` or `memory.max`, and so is a domain.
  package static func isLimited(
    _ path: Substring,
    _ files: KernelFiles
  ) throws(SystemError) -> Bool {
    if try files.read(.cgroup(path, "memory.high"), parseLimit) != nil { return true }
    return try files.read(.cgroup(path, "memory.max"), parseLimit) != nil
  }

  /// Everything that is known of the cgroup `path` as a domain.
  ///
  /// Its capacity is its own limit, or `budget` where that is smaller. What is available is the
  /// least room under any limit on the way from it to the root: a group in a full slice is full,
  /// whatever its own limit says.
  ///
  /// - Parameters:
  ///   - path: The v2 path.
  ///   - budget: A configured capacity (`Capacity=`), if any.
  ///   - files: Where to read.
  /// - Returns: nil where the group is gone, memory is not accounted there, or it has neither a
  ///   limit nor a budget.
  /// - Throws: What a file that should be readable failed with.
  package static func reading(
    of path: String,
    budget: ByteCount? = nil,
    _ files: KernelFiles
  ) throws(SystemError) -> DomainReading? {
    guard let own = try memory(of: path[...], files) else { return nil }
    guard let capacity = smaller(own.limit, budget) else { return nil }
    var available = capacity - own.held
    var above = CgroupPath.parent(of: path[...])
    while let group = above {
      if try isLimited(group, files), let memory = try memory(of: group, files),
        let limit = memory.limit
      {
        available = min(available, limit - memory.held)
      }
      above = CgroupPath.parent(of: group)
    }
    return DomainReading(
      capacity: capacity,
      available: available,
      pressure: try PSIReader.cgroup(path, files),
      reclaimScanned: own.statistics.counters.scanned,
      refaults: own.statistics.counters.refaults
    )
  }
}
