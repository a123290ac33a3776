// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

internal import UCMKModel

/// Reads one object of the params, member by member, and says exactly which one is wrong.
///
/// An absent member is nil; `null` is a wrong type but where the protocol says "or null".
struct ParamReader {
  /// The object, or nil where the message has no params.
  let object: JSONValue?
  let path: ParamPath
  /// Where its members stand, so that the object is walked once and not for each of them.
  private let index: MemberIndex

  /// - Throws: Where `value` is something else than an object.
  init(_ value: JSONValue?, path: ParamPath = .root) throws(RPCError) {
    if let value, value.kind != .object { throw path.invalid(nil, want: "object") }
    self.object = value
    self.path = path
    index = MemberIndex(value)
  }

  func value(_ key: StaticString) -> JSONValue? {
    guard let object else { return nil }
    return index.isComplete ? index.value(key, of: object) : object.member(key)
  }

  func invalid(_ key: StaticString, want: String) -> RPCError { path.invalid(key, want: want) }

  // MARK: - Numbers

  func unsigned(
    _ key: StaticString,
    _ range: ClosedRange<UInt64>
  ) throws(RPCError) -> UInt64? {
    guard let value = value(key) else { return nil }
    return try number(value, key, range)
  }

  func requireUnsigned(
    _ key: StaticString,
    _ range: ClosedRange<UInt64>
  ) throws(RPCError) -> UInt64 {
    guard let value = value(key) else { throw invalid(key, want: WireRange.text(range)) }
    return try number(value, key, range)
  }

  func number(
    _ value: JSONValue,
    _ key: StaticString?,
    _ range: ClosedRange<UInt64>
  ) throws(RPCError) -> UInt64 {
    guard let number = value.unsigned, range.contains(number) else {
      throw path.invalid(key, want: WireRange.text(range))
    }
    return number
  }

  func bytes(_ key: StaticString) throws(RPCError) -> ByteCount? {
    try unsigned(key, WireRange.count).map { ByteCount($0) }
  }

  func requireBytes(_ key: StaticString) throws(RPCError) -> ByteCount {
    ByteCount(try requireUnsigned(key, WireRange.count))
  }

  func count(_ key: StaticString) throws(RPCError) -> Int? {
    try unsigned(key, WireRange.count).map { Int($0) }
  }

  func milliseconds(
    _ key: StaticString,
    _ range: ClosedRange<UInt64> = WireRange.count
  ) throws(RPCError) -> TimeSpan? {
    try unsigned(key, range).map { TimeSpan.milliseconds($0) }
  }

  func requireMilliseconds(
    _ key: StaticString,
    _ range: ClosedRange<UInt64> = WireRange.count
  ) throws(RPCError) -> TimeSpan {
    .milliseconds(try requireUnsigned(key, range))
  }

  func requireCacheID(_ key: StaticString = "id") throws(RPCError) -> CacheID {
    CacheID(UInt32(try requireUnsigned(key, WireRange.cacheID)))
  }

  func requireRound(_ key: StaticString = "round") throws(RPCError) -> RoundID {
    RoundID(try requireUnsigned(key, WireRange.count))
  }

  // MARK: - Words

  func bool(_ key: StaticString) throws(RPCError) -> Bool? {
    guard let value = value(key) else { return nil }
    guard let bool = value.bool else { throw invalid(key, want: "true or false") }
    return bool
  }

  func text(_ key: StaticString, _ bytes: ClosedRange<Int>) throws(RPCError) -> String? {
    guard let value = value(key) else { return nil }
    guard let count = value.utf8Count, bytes.contains(count), let text = value.string else {
      throw invalid(key, want: WireRange.text(bytes))
    }
    return text
  }

  func requireText(_ key: StaticString, _ bytes: ClosedRange<Int>) throws(RPCError) -> String {
    guard let text = try text(key, bytes) else { throw invalid(key, want: WireRange.text(bytes)) }
    return text
  }

  /// A level as a request has to name it: known, and one at which something is asked.
  func askingLevel(_ key: StaticString) throws(RPCError) -> PressureLevel? {
    guard let value = value(key) else { return nil }
    guard let level = PressureLevel(exactly: value), level != .none else {
      throw invalid(key, want: "low, medium or critical")
    }
    return level
  }

  /// A level as the daemon names it: a word that is not known yet counts as low.
  func toldLevel(_ key: StaticString = "level") throws(RPCError) -> PressureLevel {
    guard let value = value(key), value.kind == .string else { throw invalid(key, want: "level") }
    return PressureLevel(told: value)
  }

  // MARK: - Structure

  /// The object under `key`, or nil where it is absent.
  func reader(_ key: StaticString) throws(RPCError) -> ParamReader? {
    guard let value = value(key) else { return nil }
    return try ParamReader(value, path: path.member(key))
  }

  func requireReader(_ key: StaticString) throws(RPCError) -> ParamReader {
    guard let reader = try reader(key) else { throw invalid(key, want: "object") }
    return reader
  }

  /// The array under `key` with so many elements, or nil where it is absent.
  func list(_ key: StaticString, _ count: ClosedRange<Int>) throws(RPCError) -> JSONValue? {
    guard let value = value(key) else { return nil }
    guard value.kind == .array, count.contains(value.elementCount) else {
      throw invalid(key, want: "list of \(count.lowerBound)...\(count.upperBound)")
    }
    return value
  }

  func requireList(_ key: StaticString, _ count: ClosedRange<Int>) throws(RPCError) -> JSONValue {
    guard let list = try list(key, count) else {
      throw invalid(key, want: "list of \(count.lowerBound)...\(count.upperBound)")
    }
    return list
  }
}

extension PressureLevel {
  /// The level that `value` names, or nil; takes no memory.
  init?(exactly value: JSONValue) {
    if value.stringEquals("none") {
      self = .none
    } else if value.stringEquals("low") {
      self = .low
    } else if value.stringEquals("medium") {
      self = .medium
    } else if value.stringEquals("critical") {
      self = .critical
    } else {
      return nil
    }
  }

  /// The level that the daemon means by `value`.
  ///
  /// Where a word stands among the others cannot be told from it, so one that is not known counts
  /// as low, the calmest at which anything is asked (`docs/PROTOCOL.md` §4).
  init(told value: JSONValue) { self = PressureLevel(exactly: value) ?? .low }
}
