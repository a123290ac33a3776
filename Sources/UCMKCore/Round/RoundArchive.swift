// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// The last elements of an endless list, each under the number it has in the whole list.
struct Ring<Element: Sendable>: Sendable {
  /// How many are kept.
  let capacity: Int
  /// The number of the next element.
  private(set) var end = 0
  private var storage: [Element] = []

  /// Makes a list that keeps `capacity` elements.
  init(capacity: Int) { self.capacity = capacity }

  /// The number of the oldest element that is kept.
  var start: Int { end - storage.count }

  /// Makes room for all that will ever be kept; pages that are not written stay untouched.
  mutating func reserve() { storage.makeRoom(for: capacity) }

  /// Adds an element, in place of the oldest where the list is full.
  mutating func append(_ element: Element) {
    if storage.count < capacity {
      storage.append(element)
    } else {
      storage[end % capacity] = element
    }
    end += 1
  }

  /// Whether these are all kept; so are none at all.
  func holds(_ numbers: Range<Int>) -> Bool { numbers.isEmpty || numbers.lowerBound >= start }

  /// The element of this number, which must be kept.
  subscript(number: Int) -> Element {
    precondition(number >= start && number < end, "the element is still kept")
    return storage[number % capacity]
  }
}

/// The rounds that are over, as long as they are remembered.
///
/// Rows lie in two rings, so that closing a round writes where an older one was and memory does not
/// grow with the number of rounds. A round whose rows were written over keeps its sums.
struct RoundArchive: Sendable {
  /// Rows of caches that are kept: two for each row of a client.
  static let cacheRowsKept = 2 * Defaults.roundRowsKept

  private var rounds = Ring<Header>(capacity: Defaults.roundsKept)
  private var rows = Ring<Row>(capacity: Defaults.roundRowsKept)
  private var cacheRows = Ring<CacheQuota>(capacity: RoundArchive.cacheRowsKept)
  private var nodeRows = Ring<NodeQuota>(capacity: RoundArchive.cacheRowsKept)

  private struct Header: Sendable {
    var view: RoundView
    var rows: Range<Int>
    var cacheRows: Range<Int>
    var nodeRows: Range<Int>
  }

  private struct Row: Sendable {
    /// The client, without its caches and its path, and where that ends among the nodes.
    var quota: ClientQuota
    var node: Int?
    var cacheRows: Range<Int>
  }

  /// Makes room for all that will ever be kept.
  mutating func reserve() {
    rounds.reserve()
    rows.reserve()
    cacheRows.reserve()
    nodeRows.reserve()
  }

  /// Keeps a round that is over.
  mutating func keep(_ round: borrowing OpenRound, measured: ByteCount, at now: MonotonicInstant) {
    let firstRow = rows.end
    let firstCache = cacheRows.end
    let firstNode = nodeRows.end
    for node in round.nodes { nodeRows.append(node) }
    for index in round.members.indices where round.members[index].asked > .zero {
      let first = cacheRows.end
      for cache in round.members[index].caches where round.caches[cache].asked > .zero {
        cacheRows.append(round.cacheQuota(cache, of: index))
      }
      rows.append(
        Row(
          quota: round.clientQuota(index),
          node: round.members[index].node,
          cacheRows: first..<cacheRows.end
        )
      )
    }
    rounds.append(
      Header(
        view: round.header(measured: measured, isOpen: false, at: now),
        rows: firstRow..<rows.end,
        cacheRows: firstCache..<cacheRows.end,
        nodeRows: firstNode..<nodeRows.end
      )
    )
  }

  /// The rounds kept, newest first, at most `count`, without their clients.
  func newest(_ count: Int) -> [RoundView] {
    let least = max(rounds.start, rounds.end - max(0, count))
    return (least..<rounds.end).reversed().map { number in
      var view = rounds[number].view
      view.remembersClients = isComplete(rounds[number])
      return view
    }
  }

  /// One round with its clients, as far as they are kept.
  func round(_ id: RoundID) -> RoundView? {
    for number in rounds.start..<rounds.end where rounds[number].view.round == id {
      let header = rounds[number]
      var view = header.view
      view.remembersClients = isComplete(header)
      guard view.remembersClients else { return view }
      let nodes = header.nodeRows.map { nodeRows[$0] }
      view.clients = header.rows.map { row in
        var quota = rows[row].quota
        quota.path = nodes.path(to: rows[row].node)
        quota.caches = rows[row].cacheRows.map { cacheRows[$0] }
        return quota
      }
      return view
    }
    return nil
  }

  /// What a client gave in the last rounds, oldest first, at most `count`.
  func history(of client: ClientID, count: Int) -> [HistoryEntry] {
    var entries: [HistoryEntry] = []
    for number in (rounds.start..<rounds.end).reversed() {
      guard entries.count < count else { break }
      let header = rounds[number]
      guard isComplete(header), let row = row(of: client, in: header.rows) else { continue }
      let quota = rows[row].quota
      entries.append(
        HistoryEntry(
          round: header.view.round,
          asked: quota.asked,
          claimed: quota.claimed,
          measured: quota.measured,
          took: quota.took,
          outcome: quota.outcome
        )
      )
    }
    return entries.reversed()
  }

  private func isComplete(_ header: Header) -> Bool {
    header.rows.lowerBound >= rows.start && header.cacheRows.lowerBound >= cacheRows.start
      && header.nodeRows.lowerBound >= nodeRows.start
  }

  /// The rows of a round are sorted by client.
  private func row(of client: ClientID, in range: Range<Int>) -> Int? {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = low + (high - low) / 2
      if rows[middle].quota.client < client { low = middle + 1 } else { high = middle }
    }
    return low < range.upperBound && rows[low].quota.client == client ? low : nil
  }
}
