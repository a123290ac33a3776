// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A JSON text as a tree that keeps the order of members and every integer as it was written.
///
/// Foundation's reader loses both; what `--json` prints must be what the daemon said, member by
/// member, so that a script may compare two outputs byte by byte.
package enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// A number without point and exponent that fits 64 bits; the wire carries at most 2^53 - 1.
  case integer(Int64)
  /// Any other number, as it was written.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// One member of an object.
  package struct Member: Sendable, Hashable {
    /// Its name.
    package var key: String
    /// Its value.
    package var value: JSONValue

    /// Makes a member.
    package init(key: String, value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// The member `key` of an object; null where there is none, or where this is no object.
  ///
  /// Reading never fails: a daemon of a later version may leave out or add what this one shows.
  package subscript(key: String) -> JSONValue {
    guard case .object(let members) = self else { return .null }
    return members.last { $0.key == key }?.value ?? .null
  }

  /// The items of an array; none where this is no array.
  package var items: [JSONValue] {
    guard case .array(let items) = self else { return [] }
    return items
  }

  /// The members of an object in their order; none where this is no object.
  package var members: [Member] {
    guard case .object(let members) = self else { return [] }
    return members
  }

  /// The integer, where this is one.
  package var integer: Int64? {
    guard case .integer(let value) = self else { return nil }
    return value
  }

  /// The string, where this is one.
  package var string: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }

  /// The truth value, where this is one.
  package var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  /// Whether this is null, which is also what a missing member reads as.
  package var isNull: Bool { self == .null }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member(key: $0.0, value: $0.1) })
  }

  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSONValue {
  /// An object of those members that are there: how optional params are left out.
  package static func object(skippingNull members: [(String, JSONValue?)]) -> JSONValue {
    .object(
      members.compactMap { key, value in
        value.map { Member(key: key, value: $0) }
      }
    )
  }

  /// This object without its member `key`.
  package func removing(_ key: String) -> JSONValue {
    guard case .object(let members) = self else { return self }
    return .object(members.filter { $0.key != key })
  }

  /// This object with `value` as its member `key`, in its old place or else at the end.
  package func replacing(_ key: String, with value: JSONValue) -> JSONValue {
    var members = self.members
    if let index = members.lastIndex(where: { $0.key == key }) {
      members[index].value = value
    } else {
      members.append(Member(key: key, value: value))
    }
    return .object(members)
  }
}
