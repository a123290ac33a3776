// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// A cache that can say how large it is and give memory back.
///
/// The requirements are asynchronous so that an actor can meet them; a synchronous method meets
/// them as well. All three run on the client's workers, never on the thread that serves the
/// socket, and never two of them at once for the same registration.
public protocol ShrinkableCache: Sendable {
  /// How large the cache is now. Must be cheap: no walk over all entries.
  func usage() async -> CacheUsage

  /// Frees what `request` asks, or less, or refuses by throwing ``ShrinkRefusal``.
  func shrink(_ request: ShrinkRequest) async throws -> ShrinkResult

  /// Learns a new soft ceiling. Must not free anything; ``shrink(_:)`` is called for that.
  func limitDidChange(_ limit: MemoryLimit) async
}

extension ShrinkableCache {
  /// Does nothing: ``CacheRegistration/limit`` can be read at any time instead.
  public func limitDidChange(_ limit: MemoryLimit) async {}
}

/// The size that a cache may grow to.
public struct MemoryLimit: Sendable, Hashable {
  /// The ceiling, or nil where there is none.
  public let bytes: ByteCount?

  /// Makes a limit.
  public init(bytes: ByteCount?) { self.bytes = bytes }

  /// No ceiling.
  public static let none = MemoryLimit(bytes: nil)
}

/// A change of pressure, as a program may want to follow it.
public struct PressureEvent: Sendable, Hashable {
  /// The level; `none` is the all-clear.
  public let level: PressureLevel
  /// What is short.
  public let scope: Scope
  /// The daemon's round; 0 where the event comes from the program's own pressure file.
  public let round: UInt64

  /// Makes an event.
  public init(level: PressureLevel, scope: Scope, round: UInt64) {
    self.level = level
    self.scope = scope
    self.round = round
  }

  /// Whether pressure fell and caches may grow to their limits.
  public var isRelaxed: Bool { level == .none }
}
