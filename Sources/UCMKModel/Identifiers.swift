// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One session of one client, printed as `c17`.
///
/// Rises while the daemon lives and is never used again, so that ordering by it is the order of
/// arrival: the tie-break of every list in the core.
public struct ClientID: Sendable, Hashable, Comparable {
  /// The ordinal; starts at 1.
  public let ordinal: UInt64

  /// Makes the id with this ordinal.
  @inlinable public init(_ ordinal: UInt64) { self.ordinal = ordinal }

  /// Orders by the number.
  @inlinable public static func < (left: ClientID, right: ClientID) -> Bool {
    left.ordinal < right.ordinal
  }

  /// The name used on the wire: `c` and the ordinal.
  public var name: String { "c\(ordinal)" }

  /// The id that `name` names, or nil where it is no such name.
  public init?(name: String) {
    guard name.utf8.first == UInt8(ascii: "c"), let ordinal = UInt64(name.dropFirst()) else {
      return nil
    }
    guard name.utf8.count > 1, name == "c\(ordinal)" else { return nil }
    self.init(ordinal)
  }
}

/// One cache of a client: 1…2^31-1, given by the daemon, valid on that session.
public struct CacheID: Sendable, Hashable, Comparable {
  /// The number on the wire.
  public let number: UInt32

  /// Makes the id with this number.
  @inlinable public init(_ number: UInt32) { self.number = number }

  /// Orders by the number.
  @inlinable public static func < (left: CacheID, right: CacheID) -> Bool {
    left.number < right.number
  }
}

/// One round, rising while the daemon lives; starts at 1.
public struct RoundID: Sendable, Hashable, Comparable {
  /// The number on the wire.
  public let number: UInt64

  /// Makes the id with this number.
  @inlinable public init(_ number: UInt64) { self.number = number }

  /// Orders by the number.
  @inlinable public static func < (left: RoundID, right: RoundID) -> Bool {
    left.number < right.number
  }
}

/// A process as the kernel numbers it in the daemon's namespace.
public struct ProcessID: Sendable, Hashable, Comparable {
  /// The kernel's number.
  public let number: Int32

  /// Makes the id with this number.
  @inlinable public init(_ number: Int32) { self.number = number }

  /// Orders by the number.
  @inlinable public static func < (left: ProcessID, right: ProcessID) -> Bool {
    left.number < right.number
  }
}
