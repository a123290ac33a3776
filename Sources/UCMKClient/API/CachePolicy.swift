// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// How dear it is to rebuild what a cache frees.
///
/// The four words are decades around the protocol's default of 10,000 µs per MiB.
public enum RebuildCost: Sendable, Hashable {
  /// 100 µs per MiB: copied or decompressed from memory.
  case trivial
  /// 1,000 µs per MiB: read from a fast disk.
  case cheap
  /// 10,000 µs per MiB: read from a disk and parsed. The default.
  case moderate
  /// 100,000 µs per MiB: fetched over a network, rendered, compiled.
  case expensive
  /// A measured time, 0…10^9 µs per MiB; larger ones count as 10^9.
  case microsecondsPerMiB(UInt32)

  /// The number on the wire, in µs per MiB.
  public var microsecondsPerMiB: UInt32 {
    switch self {
    case .trivial: 100
    case .cheap: 1_000
    case .moderate: CacheDeclaration.defaultCost
    case .expensive: 100_000
    case .microsecondsPerMiB(let value): min(value, 1_000_000_000)
    }
  }
}

/// What a program wishes for one of its caches.
///
/// Every value outside its range is moved to the nearer end: registering a cache never fails.
public struct CachePolicy: Sendable, Hashable {
  /// 1…100: a program can make a cache less important than others, never more.
  public var share: UInt32
  /// Bytes it wishes to keep; the daemon bounds what it honours, and at critical honours none.
  public var floor: ByteCount
  /// The size it would like at most.
  public var ceiling: ByteCount?
  /// How dear it is to rebuild what is freed.
  public var rebuildCost: RebuildCost
  /// Asked from this level on; `none` counts as `low`.
  ///
  /// Critical is always asked.
  public var minimumLevel: PressureLevel
  /// How the cache frees.
  public var release: ReleaseKind
  /// Up to 8 pairs for people; the surplus is dropped, longer texts are cut (32 and 64 bytes).
  public var labels: [CacheDeclaration.Label]

  /// Makes a policy; the defaults are those of the protocol (`docs/PROTOCOL.md` §5).
  public init(
    share: UInt32 = 100,
    floor: ByteCount = .zero,
    ceiling: ByteCount? = nil,
    rebuildCost: RebuildCost = .moderate,
    minimumLevel: PressureLevel = .low,
    release: ReleaseKind = .sync,
    labels: [CacheDeclaration.Label] = []
  ) {
    self.share = share
    self.floor = floor
    self.ceiling = ceiling
    self.rebuildCost = rebuildCost
    self.minimumLevel = minimumLevel
    self.release = release
    self.labels = labels
  }

  /// What is sent for a cache of this policy, every value within its range.
  package func declaration(name: String, usage: CacheUsage) -> CacheDeclaration {
    CacheDeclaration(
      name: name,
      share: min(max(share, 1), 100),
      floor: min(floor, .wireMaximum),
      ceiling: ceiling.map { min($0, .wireMaximum) },
      costMicrosecondsPerMiB: rebuildCost.microsecondsPerMiB,
      minimumLevel: minimumLevel == .none ? .low : minimumLevel,
      release: release,
      usage: usage,
      labels: labels.prefix(8).map { label in
        .init(
          key: CachePolicy.cut(label.key, toBytes: 32),
          value: CachePolicy.cut(label.value, toBytes: 64)
        )
      }
    )
  }

  /// The longest prefix of whole characters that fits into `limit` bytes.
  package static func cut(_ text: String, toBytes limit: Int) -> String {
    guard text.utf8.count > limit else { return text }
    var size = 0
    return String(
      text.prefix { character in
        size += character.utf8.count
        return size <= limit
      }
    )
  }
}
