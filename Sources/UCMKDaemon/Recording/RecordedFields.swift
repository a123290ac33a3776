// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel
package import UCMKProtocol

/// What a line of a recording should have held.
package struct RecordingFault: Error, Sendable, Equatable {
  /// What was wanted, for people.
  package var wanted: String

  /// Makes a fault.
  package init(_ wanted: String) { self.wanted = wanted }
}

/// Typed access to the members of one recorded line.
package struct RecordedFields {
  private let value: JSONValue

  /// Looks into `value`.
  package init(_ value: JSONValue) { self.value = value }

  func has(_ name: StaticString) -> Bool { value.member(name) != nil }

  func text(_ name: StaticString) throws(RecordingFault) -> String {
    guard let text = value.member(name)?.string else { throw RecordingFault("a string \(name)") }
    return text
  }

  func optionalText(_ name: StaticString) throws(RecordingFault) -> String? {
    has(name) ? try text(name) : nil
  }

  func number(_ name: StaticString) throws(RecordingFault) -> UInt64 {
    guard let number = value.member(name)?.unsigned else {
      throw RecordingFault("a number \(name)")
    }
    return number
  }

  func optionalNumber(_ name: StaticString) throws(RecordingFault) -> UInt64? {
    has(name) ? try number(name) : nil
  }

  func signed(_ name: StaticString) throws(RecordingFault) -> Int64 {
    guard let number = value.member(name)?.integer else {
      throw RecordingFault("a whole number \(name)")
    }
    return number
  }

  func number32(_ name: StaticString) throws(RecordingFault) -> UInt32 {
    guard let number = UInt32(exactly: try number(name)) else {
      throw RecordingFault("a number \(name) of 32 bits")
    }
    return number
  }

  func optionalNumber32(_ name: StaticString) throws(RecordingFault) -> UInt32? {
    has(name) ? try number32(name) : nil
  }

  /// A small count that older files do not have: there it is zero.
  func laterCount(_ name: StaticString) throws(RecordingFault) -> UInt8 {
    UInt8(clamping: try optionalNumber(name) ?? 0)
  }

  func truth(_ name: StaticString) throws(RecordingFault) -> Bool {
    guard let truth = value.member(name)?.bool else {
      throw RecordingFault("true or false for \(name)")
    }
    return truth
  }

  func bytes(_ name: StaticString) throws(RecordingFault) -> ByteCount {
    ByteCount(try number(name))
  }

  func optionalBytes(_ name: StaticString) throws(RecordingFault) -> ByteCount? {
    try optionalNumber(name).map { ByteCount($0) }
  }

  func list(_ name: StaticString) throws(RecordingFault) -> [JSONValue] {
    guard let list = value.member(name), list.kind == .array else {
      throw RecordingFault("a list \(name)")
    }
    return Array(list.elements)
  }

  func domain(_ name: StaticString) throws(RecordingFault) -> DomainID {
    let text = try text(name)
    if text == "host" { return .host }
    guard text.first == "/" else { throw RecordingFault("host or a path in \(name)") }
    return .cgroup(text)
  }

  func level(_ name: StaticString) throws(RecordingFault) -> PressureLevel {
    guard let level = PressureLevel(name: try text(name)) else {
      throw RecordingFault("a level in \(name)")
    }
    return level
  }

  func process(_ name: StaticString) throws(RecordingFault) -> ProcessID {
    guard let number = value.member(name)?.integer, let pid = Int32(exactly: number) else {
      throw RecordingFault("a process \(name)")
    }
    return ProcessID(pid)
  }

  func client() throws(RecordingFault) -> ClientID { ClientID(try number("client")) }
  func cache() throws(RecordingFault) -> CacheID { CacheID(try number32("cache")) }
  func round() throws(RecordingFault) -> RoundID { RoundID(try number("round")) }

  func attempt() throws(RecordingFault) -> UInt8 {
    guard let attempt = UInt8(exactly: try number("attempt")) else {
      throw RecordingFault("an attempt of 8 bits")
    }
    return attempt
  }

  func instant(_ name: StaticString) throws(RecordingFault) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: try number(name))
  }
}
