// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

internal import UCMKModel

/// The members that `cache.register` and `cache.update` share.
extension ParamReader {
  func share() throws(RPCError) -> UInt32? {
    try unsigned("share", WireRange.share).map { UInt32($0) }
  }

  func cost() throws(RPCError) -> UInt32? {
    try unsigned("cost_us_per_mib", WireRange.cost).map { UInt32($0) }
  }

  /// A count of bytes, or nil inside where the member is `null`; nil outside where it is absent.
  func bytesOrNull(_ key: StaticString) throws(RPCError) -> ByteCount?? {
    guard let value = value(key) else { return nil }
    if value.isNull { return .some(nil) }
    guard let bytes = value.unsigned, WireRange.count.contains(bytes) else {
      throw invalid(key, want: "\(WireRange.text(WireRange.count)) or null")
    }
    return .some(ByteCount(bytes))
  }

  func release() throws(RPCError) -> ReleaseKind? {
    guard let value = value("release") else { return nil }
    if value.stringEquals("sync") { return .sync }
    if value.stringEquals("gc") { return .gc }
    if value.stringEquals("slow") { return .slow }
    throw invalid("release", want: "sync, gc or slow")
  }

  func labels() throws(RPCError) -> [CacheDeclaration.Label]? {
    guard let labels = try reader("labels")?.object else { return nil }
    let (keys, values) = (0...ProtocolLimits.labelKey, 0...ProtocolLimits.labelValue)
    var list: [CacheDeclaration.Label] = []
    for member in labels.members {
      guard list.count < ProtocolLimits.labels else {
        throw invalid("labels", want: "at most \(ProtocolLimits.labels) pairs")
      }
      guard let count = member.key.utf8Count, keys.contains(count), let key = member.key.string
      else { throw invalid("labels", want: "keys of \(WireRange.text(keys))") }
      guard let length = member.value.utf8Count, values.contains(length),
        let value = member.value.string
      else { throw invalid("labels", want: "values of \(WireRange.text(values))") }
      list.append(CacheDeclaration.Label(key: key, value: value))
    }
    return list
  }

  /// The members of a usage, as they stand in this very object; one walk and no memory.
  func usage() throws(RPCError) -> CacheUsage {
    var usage = UsageMembers()
    if let object {
      var position = object.start + 1
      while let place = JSONValue.nextMember(object.bytes, at: &position, end: object.end - 1) {
        usage.take(object.bytes, key: place.key, value: place.value)
      }
    }
    return try usage.usage(path)
  }
}

/// The members of a usage, gathered while an object is walked.
struct UsageMembers {
  private var bytes: UInt64?, reclaimable: UInt64?, cold: UInt64?, refill: UInt64?
  private var entries: UInt64?, hits: UInt64?, misses: UInt64?
  /// The first member that is no count, or outside its range: told at the end, because another
  /// member may come first.
  private var wrong: (key: StaticString, want: ClosedRange<UInt64>)?

  /// Takes a member of the object; one that is not of a usage is passed over.
  mutating func take(_ text: [UInt8], key: Range<Int>, value: Range<Int>) {
    if JSONValue.string(text, key, equals: "bytes") {
      bytes = count(text, value, "bytes")
    } else if JSONValue.string(text, key, equals: "reclaimable") {
      reclaimable = count(text, value, "reclaimable")
    } else if JSONValue.string(text, key, equals: "entries") {
      entries = count(text, value, "entries")
    } else if JSONValue.string(text, key, equals: "hits") {
      hits = count(text, value, "hits")
    } else if JSONValue.string(text, key, equals: "misses") {
      misses = count(text, value, "misses")
    } else if JSONValue.string(text, key, equals: "cold") {
      cold = count(text, value, "cold")
    } else if JSONValue.string(text, key, equals: "refill_us_per_mib") {
      refill = count(text, value, "refill_us_per_mib", within: WireRange.cost)
    }
  }

  /// The usage, or the error of the object at `path`.
  func usage(_ path: ParamPath) throws(RPCError) -> CacheUsage {
    if let wrong { throw path.invalid(wrong.key, want: WireRange.text(wrong.want)) }
    guard let bytes else { throw path.invalid("bytes", want: WireRange.text(WireRange.count)) }
    guard let reclaimable, reclaimable <= bytes else {
      throw path.invalid("reclaimable", want: WireRange.text(0...bytes))
    }
    return CacheUsage(
      bytes: ByteCount(bytes),
      reclaimable: ByteCount(reclaimable),
      cold: cold.map { ByteCount($0) },
      refillMicrosecondsPerMiB: refill.map { UInt32($0) },
      entries: entries,
      hits: hits,
      misses: misses
    )
  }

  private mutating func count(
    _ text: [UInt8],
    _ place: Range<Int>,
    _ key: StaticString,
    within range: ClosedRange<UInt64> = WireRange.count
  ) -> UInt64? {
    if let count = JSONValue.unsigned(text, place), range.contains(count) { return count }
    wrong = wrong ?? (key, range)
    return nil
  }
}

extension JSONWriter {
  /// Writes the members of a usage into the object that is open.
  mutating func members(of usage: CacheUsage) {
    member("bytes", usage.bytes)
    member("reclaimable", usage.reclaimable)
    if let cold = usage.cold { member("cold", cold) }
    if let refill = usage.refillMicrosecondsPerMiB {
      member("refill_us_per_mib", min(UInt64(refill), WireRange.cost.upperBound))
    }
    if let entries = usage.entries { member("entries", entries) }
    if let hits = usage.hits { member("hits", hits) }
    if let misses = usage.misses { member("misses", misses) }
  }

  mutating func member(labels: [CacheDeclaration.Label]) {
    member(object: "labels") { writer in
      for label in labels {
        writer.key(label.key)
        writer.string(label.value)
      }
    }
  }
}

extension ReleaseKind {
  /// The word on the wire, as a literal.
  var wireName: StaticString {
    switch self {
    case .sync: "sync"
    case .gc: "gc"
    case .slow: "slow"
    }
  }
}
