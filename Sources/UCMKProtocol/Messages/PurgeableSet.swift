// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Names memory of the client that may be paged out, and takes names back.
public struct PurgeableSet: MessageParams, Hashable {
  /// `purgeable.set`.
  public static let method = Method.purgeableSet

  /// Rises with each set.
  public var sequence: UInt64
  /// Ranges that are named, and ranges that no longer are.
  public var added: [AddressRange], removed: [AddressRange]

  /// A range of addresses of the client.
  public struct AddressRange: Sendable, Hashable {
    /// The first byte.
    public var address: UInt64
    /// How many; more than 0, and the range ends within 64 bits.
    public var length: ByteCount

    /// Makes a range.
    public init(address: UInt64, length: ByteCount) {
      self.address = address
      self.length = length
    }
  }

  /// Makes the params.
  public init(sequence: UInt64, added: [AddressRange] = [], removed: [AddressRange] = []) {
    self.sequence = sequence
    self.added = added
    self.removed = removed
  }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong, or
  ///   `RPCError.limitExceeded` where there are more ranges than one client may name.
  public init(params: JSONValue?) throws(RPCError) {
    let reader = try ParamReader(params)
    sequence = try reader.requireUnsigned("seq", WireRange.count)
    added = try PurgeableSet.ranges(reader, "add")
    removed = try PurgeableSet.ranges(reader, "remove")
  }

  /// Checks that every range begins and ends at a page.
  ///
  /// - Parameter page: The size of a page in bytes; must be positive.
  /// - Throws: `RPCError.invalidParams` with the path of the first range that does not.
  public func requireAlignment(toPage page: UInt64) throws(RPCError) {
    precondition(page > 0, "a page has a size")
    try PurgeableSet.requireAlignment(of: added, "add", page)
    try PurgeableSet.requireAlignment(of: removed, "remove", page)
  }

  private static func requireAlignment(
    of ranges: [AddressRange],
    _ key: StaticString,
    _ page: UInt64
  ) throws(RPCError) {
    for (index, range) in ranges.enumerated()
    where range.address % page != 0 || range.length.value % page != 0 {
      throw ParamPath.root.element(index, of: key).invalid(nil, want: "multiples of \(page)")
    }
  }

  private static func ranges(
    _ reader: ParamReader,
    _ key: StaticString
  ) throws(RPCError) -> [AddressRange] {
    guard let list = try reader.list(key, 0...Int.max) else { return [] }
    let maximum = ProtocolLimits().ranges
    guard list.elementCount <= maximum else {
      throw .limitExceeded(limit: "ranges", maximum: UInt64(maximum), retryAfter: nil)
    }
    var ranges: [AddressRange] = []
    for pair in list.elements {
      guard let range = range(pair) else {
        let path = ParamPath.root.element(ranges.count, of: key)
        throw path.invalid(nil, want: "[\"0x…\",\"0x…\"]: address and length")
      }
      ranges.append(range)
    }
    return ranges
  }

  private static func range(_ pair: JSONValue) -> AddressRange? {
    var elements = pair.elements
    guard let first = elements.next(), let second = elements.next(), elements.next() == nil,
      let address = hexadecimal(first), let length = hexadecimal(second), length > 0,
      !address.addingReportingOverflow(length - 1).overflow
    else { return nil }
    return AddressRange(address: address, length: ByteCount(length))
  }

  /// `0x` and 1…16 digits.
  private static func hexadecimal(_ value: JSONValue) -> UInt64? {
    guard let count = value.utf8Count, (3...18).contains(count) else { return nil }
    var number: UInt64 = 0
    for (index, byte) in value.stringBytes.enumerated() {
      switch index {
      case 0: guard byte == UInt8(ascii: "0") else { return nil }
      case 1: guard byte == UInt8(ascii: "x") else { return nil }
      default:
        guard let digit = JSONScanner.hexDigit(byte) else { return nil }
        number = number << 4 | UInt64(digit)
      }
    }
    return number
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("seq", sequence)
      if !added.isEmpty { PurgeableSet.write(added, "add", to: &writer) }
      if !removed.isEmpty { PurgeableSet.write(removed, "remove", to: &writer) }
    }
  }

  private static func write(
    _ ranges: [AddressRange],
    _ key: StaticString,
    to writer: inout JSONWriter
  ) {
    writer.member(array: key) { writer in
      for range in ranges {
        writer.beginArray()
        writer.string("0x" + String(range.address, radix: 16))
        writer.string("0x" + String(range.length.value, radix: 16))
        writer.endArray()
      }
    }
  }
}

/// What is named after a set.
public struct PurgeableSetResult: MessageResult, Hashable {
  /// How many ranges.
  public var ranges: Int
  /// How much in all.
  public var bytes: ByteCount

  /// Makes the result.
  public init(ranges: Int, bytes: ByteCount) {
    self.ranges = ranges
    self.bytes = bytes
  }

  /// Reads it.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(result: JSONValue) throws(RPCError) {
    let reader = try ParamReader(result)
    ranges = Int(try reader.requireUnsigned("ranges", WireRange.count))
    bytes = try reader.requireBytes("bytes")
  }

  /// Writes the result.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("ranges", UInt64(ranges))
      writer.member("bytes", bytes)
    }
  }
}
