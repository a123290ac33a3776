// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The places of an object's members, found in one walk and kept without taking memory.
///
/// Messages have at most ten members; an object with more than there are slots is walked for
/// each member instead.
struct MemberIndex {
  /// Offsets in the buffer: a line is far below 4 GiB.
  private struct Slot {
    var keyStart: UInt32 = 0, keyEnd: UInt32 = 0
    var valueStart: UInt32 = 0, valueEnd: UInt32 = 0
  }

  private var slots = InlineArray<10, Slot>(repeating: Slot())
  private var count = 0
  /// Whether every member has its slot.
  private(set) var isComplete = true

  /// Walks the object; nothing has no members.
  init(_ object: JSONValue?) {
    guard let object, object.kind == .object else { return }
    var position = object.start + 1
    while let place = JSONValue.nextMember(object.bytes, at: &position, end: object.end - 1) {
      append(place.key, place.value)
      if !isComplete { return }
    }
  }

  /// Makes an index to which members are added.
  init() {}

  /// Adds a member behind those that are there.
  mutating func append(_ key: Range<Int>, _ value: Range<Int>) {
    guard count < slots.count else {
      isComplete = false
      return
    }
    slots[count] = Slot(
      keyStart: UInt32(truncatingIfNeeded: key.lowerBound),
      keyEnd: UInt32(truncatingIfNeeded: key.upperBound),
      valueStart: UInt32(truncatingIfNeeded: value.lowerBound),
      valueEnd: UInt32(truncatingIfNeeded: value.upperBound)
    )
    count += 1
  }

  /// Hands the places of each member's name and value to `body`, in the order of the text.
  @inline(__always)
  func forEach(_ body: (Range<Int>, Range<Int>) -> Void) {
    for place in 0..<count {
      let slot = slots[place]
      body(Int(slot.keyStart)..<Int(slot.keyEnd), Int(slot.valueStart)..<Int(slot.valueEnd))
    }
  }

  /// What the object holds under `key`, or nil; of duplicates the last.
  func value(_ key: StaticString, of object: JSONValue) -> JSONValue? {
    var place = count
    while place > 0 {
      place -= 1
      let slot = slots[place]
      let name = Int(slot.keyStart)..<Int(slot.keyEnd)
      if JSONValue.string(object.bytes, name, equals: key) {
        return JSONValue(
          bytes: object.bytes,
          start: Int(slot.valueStart),
          end: Int(slot.valueEnd)
        )
      }
    }
    return nil
  }
}
