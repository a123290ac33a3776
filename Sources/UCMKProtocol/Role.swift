// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What a uid may do, by the kernel's word and never by the message's (`docs/PROTOCOL.md` §3).
public enum Role: UInt8, Sendable, Hashable, Comparable, CaseIterable {
  /// Anyone: its own caches, and what its own uid runs.
  case member
  /// uid 0 or the observers' group: sees everything.
  case observer
  /// uid 0, the administrators' group, or the owner of a user instance: changes things.
  case admin

  /// By what they may do: each may what the one before may.
  public static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }

  /// The word on the wire.
  public var name: StaticString {
    switch self {
    case .member: "member"
    case .observer: "observer"
    case .admin: "admin"
    }
  }

  /// The role that `name` names, or nil for any other word.
  public init?(name: String) {
    for role in Role.allCases where role.name.text.utf8.elementsEqual(name.utf8) {
      self = role
      return
    }
    return nil
  }
}
