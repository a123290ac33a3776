// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A JSON value as a reader of its own reads it: a second opinion on what our writer wrote.
///
/// A member or an element that is not there is `absent`, so that a test can ask for
/// `answer["error"]["data"]["path"]` in one go.
package enum WireValue: Sendable, Equatable {
  case absent
  case null
  case truth(Bool)
  case number(Int64)
  case text(String)
  case list([WireValue])
  case object([String: WireValue])

  /// Reads one line.
  ///
  /// One that is no JSON is `absent`.
  package init(line: some Sequence<UInt8>) {
    var parser = WireParser(Array(line))
    self = parser.document() ?? .absent
  }

  /// The member of an object.
  package subscript(key: String) -> WireValue {
    guard case .object(let members) = self else { return .absent }
    return members[key] ?? .absent
  }

  /// The element of a list.
  package subscript(index: Int) -> WireValue {
    guard case .list(let elements) = self, elements.indices.contains(index) else {
      return .absent
    }
    return elements[index]
  }

  /// The number, where it is one.
  package var int: Int? {
    guard case .number(let number) = self else { return nil }
    return Int(number)
  }

  /// The text, where it is one.
  package var string: String? {
    guard case .text(let text) = self else { return nil }
    return text
  }

  /// True or false, where it is one of them.
  package var bool: Bool? {
    guard case .truth(let truth) = self else { return nil }
    return truth
  }

  /// The elements; none of what is no list.
  package var elements: [WireValue] {
    guard case .list(let elements) = self else { return [] }
    return elements
  }

  /// The keys of an object, sorted; none of what is no object.
  package var keys: [String] {
    guard case .object(let members) = self else { return [] }
    return members.keys.sorted()
  }

  /// The sum of a member over all elements of a list.
  package func sum(_ key: String) -> Int {
    elements.reduce(0) { $0 + ($1[key].int ?? 0) }
  }
}

extension WireValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(integerLiteral value: Int64) { self = .number(value) }
  package init(stringLiteral value: String) { self = .text(value) }
  package init(booleanLiteral value: Bool) { self = .truth(value) }
  package init(arrayLiteral elements: WireValue...) { self = .list(elements) }
  package init(dictionaryLiteral elements: (String, WireValue)...) {
    self = .object([String: WireValue](uniqueKeysWithValues: elements))
  }
}
