// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

@_exported public import UCMKModel

/// What a cache is called on the wire and in every table that people read.
///
/// 1…64 bytes: a lower-case letter or a digit, then those and `.`, `_`, `-`. Where two caches of
/// one client carry the same name, the later one is sent as `NAME.2`, `NAME.3` and so on.
public struct CacheName: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The name.
  public let text: String

  /// Makes a name of `text`, or nil where that breaks the rule.
  public init?(_ text: String) {
    guard CacheName.isValid(text) else { return nil }
    self.text = text
  }

  /// Makes a name of a literal; one that breaks the rule is a programming error and traps.
  public init(stringLiteral text: String) {
    precondition(CacheName.isValid(text), "a cache name is 1...64 of [a-z0-9][a-z0-9._-]*")
    self.text = text
  }

  /// The name.
  public var description: String { text }

  /// This name with `.ordinal` behind it, cut so that it stays within 64 bytes.
  package func numbered(_ ordinal: Int) -> String {
    let suffix = ".\(ordinal)"
    return String(text.prefix(64 - suffix.utf8.count)) + suffix
  }

  private static func isValid(_ text: String) -> Bool {
    guard (1...64).contains(text.utf8.count) else { return false }
    for (offset, byte) in text.utf8.enumerated() {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): continue
      case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        if offset == 0 { return false }
      default: return false
      }
    }
    return true
  }
}
