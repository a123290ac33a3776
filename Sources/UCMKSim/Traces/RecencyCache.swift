// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A cache of objects by bytes that lets go what was not used for longest.
struct RecencyCache: Sendable {
  /// The most it may hold.
  var capacity: UInt64
  /// What it holds.
  private(set) var bytes: UInt64 = 0

  private struct Entry: Sendable {
    var object: UInt64, size: UInt64
    /// When it was used last, as the caller counts.
    var used: Int
    var older: Int, newer: Int
  }

  /// Entries in a ring through the first, which stands for the ends of the list.
  private var entries = [Entry(object: 0, size: 0, used: 0, older: 0, newer: 0)]
  private var free: [Int] = []
  private var places: [UInt64: Int] = [:]

  /// Makes an empty cache.
  init(capacity: UInt64) { self.capacity = capacity }

  /// When the object was used that would go next; nil in an empty cache.
  var oldestUse: Int? {
    let oldest = entries[0].newer
    return oldest == 0 ? nil : entries[oldest].used
  }

  /// Uses an object, taking it in where it is not there; returns whether it was.
  mutating func use(_ request: TraceRequest, at moment: Int) -> Bool {
    if let place = places[request.object] {
      unlink(place)
      link(place)
      entries[place].used = moment
      return true
    }
    guard request.size <= capacity else { return false }
    let entry = Entry(
      object: request.object,
      size: request.size,
      used: moment,
      older: 0,
      newer: 0
    )
    let place: Int
    if let last = free.popLast() {
      place = last
      entries[place] = entry
    } else {
      place = entries.count
      entries.append(entry)
    }
    places[request.object] = place
    bytes += request.size
    link(place)
    trim()
    return false
  }

  /// Lets go of what is too much.
  mutating func trim() { while bytes > capacity, dropOldest() > 0 {} }

  /// Lets go of the object that was not used for longest; returns its size, 0 in an empty cache.
  mutating func dropOldest() -> UInt64 {
    let oldest = entries[0].newer
    guard oldest != 0 else { return 0 }
    unlink(oldest)
    places[entries[oldest].object] = nil
    free.append(oldest)
    bytes -= entries[oldest].size
    return entries[oldest].size
  }

  private mutating func link(_ place: Int) {
    let newest = entries[0].older
    entries[place].older = newest
    entries[place].newer = 0
    entries[newest].newer = place
    entries[0].older = place
  }

  private mutating func unlink(_ place: Int) {
    let (older, newer) = (entries[place].older, entries[place].newer)
    entries[older].newer = newer
    entries[newer].older = older
  }
}
