// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// Where a page of attempts begins: an attempt, and a row among its cgroups, clients and excluded
/// clients, in this order.
struct AttemptCursor: Equatable {
  /// The attempt, from 1.
  var attempt: UInt8
  /// The row, from 0.
  var row: Int

  /// The first of all.
  static let start = AttemptCursor(attempt: 1, row: 0)

  /// Makes a cursor.
  init(attempt: UInt8, row: Int) {
    self.attempt = attempt
    self.row = row
  }

  /// Reads what `name` wrote, such as `2.345`; nil for anything else.
  init?(name: String) {
    let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 2, let attempt = UInt8(String(Substring(parts[0]))), attempt > 0,
      let row = Int(String(Substring(parts[1]))), row >= 0
    else { return nil }
    self.init(attempt: attempt, row: row)
  }

  /// As it stands in `next`.
  var name: String { "\(attempt).\(row)" }
}

/// Writes the attempts of a round: everything from which each part and each ask can be computed
/// again (`docs/PROTOCOL.md` §7).
enum AttemptRender {
  /// Writes `attempts` from `start` on, until the line is long enough.
  ///
  /// An attempt of which a page shows only some rows has its terms in each.
  ///
  /// - Returns: Where to go on; nil at the end.
  static func write(
    _ attempts: [AttemptView],
    from start: AttemptCursor,
    to writer: inout JSONWriter
  ) -> AttemptCursor? {
    var next: AttemptCursor?
    writer.key("attempts")
    writer.beginArray()
    for attempt in attempts where attempt.attempt >= start.attempt {
      let first = attempt.attempt == start.attempt ? start.row : 0
      let row = write(attempt, from: first, to: &writer)
      guard let row else { continue }
      next = AttemptCursor(attempt: attempt.attempt, row: row)
      break
    }
    writer.endArray()
    return next
  }

  /// Writes one attempt from a row on; returns the first row for which there is no room.
  private static func write(
    _ attempt: AttemptView,
    from first: Int,
    to writer: inout JSONWriter
  ) -> Int? {
    writer.beginObject()
    writer.member("attempt", UInt64(attempt.attempt))
    writer.member("level", attempt.level)
    writer.member("rule", attempt.rule.name)
    writer.member("bounded", attempt.isBounded)
    writer.member("settled", attempt.isSettled)
    writer.member("page_size", attempt.pageSize)
    writer.member("median_cost_us_per_mib", UInt64(attempt.medianCost))
    writer.member("target", attempt.target)
    writer.member("capacity", attempt.capacity)
    writer.member("part", attempt.part)
    if !attempt.isRemembered { writer.member("rows_forgotten", true) }
    var row = first
    var base = 0
    list("nodes", attempt.nodes.count, from: &base, at: &row, &writer) { index, writer in
      write(attempt.nodes[index], at: index, to: &writer)
    }
    list("clients", attempt.clients.count, from: &base, at: &row, &writer) { index, writer in
      write(attempt.clients[index], of: attempt, to: &writer)
    }
    list("excluded", attempt.excluded.count, from: &base, at: &row, &writer) { index, writer in
      write(attempt.excluded[index], to: &writer)
    }
    writer.endObject()
    return row < base ? row : nil
  }

  /// Writes those of `count` rows that come from `row` on and fit.
  ///
  /// - Parameters:
  ///   - name: Of the list.
  ///   - count: How many rows it has.
  ///   - base: The number of the first among all rows; afterwards, of the list behind it.
  ///   - row: The first row not written yet; moved on.
  ///   - writer: Where to.
  ///   - body: Writes one row.
  private static func list(
    _ name: StaticString,
    _ count: Int,
    from base: inout Int,
    at row: inout Int,
    _ writer: inout JSONWriter,
    _ body: (Int, inout JSONWriter) -> Void
  ) {
    writer.key(name)
    writer.beginArray()
    while row >= base, row - base < count, writer.count < Daemon.listBytes {
      body(row - base, &writer)
      row += 1
    }
    writer.endArray()
    base += count
  }

  private static func write(_ node: NodeQuota, at index: Int, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("node", count: index)
    writer.member("parent", count: node.parent)
    NodeRender.members(node, to: &writer)
    writer.endObject()
  }

  private static func write(
    _ client: AttemptClient,
    of attempt: AttemptView,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("session", client.client.name)
    writer.member("name", client.name)
    writer.member("node", count: client.node)
    writer.member("trust", UInt64(client.trust.parts))
    writer.member("ledger", signed: client.ledger)
    writer.member("probe", orNull: client.probe)
    NodeRender.write(
      entry: (client.size, client.cap, client.weight, client.cold, client.cost),
      to: &writer
    )
    writer.member("fair", client.fair)
    writer.member("left_out", client.isLeftOut)
    writer.member("part", client.part)
    NodeRender.write("level", client.level, to: &writer)
    writer.key("caches")
    writer.beginArray()
    for cache in attempt.caches[client.caches] { write(cache, of: attempt, to: &writer) }
    writer.endArray()
    writer.endObject()
  }

  private static func write(
    _ cache: AttemptCache,
    of attempt: AttemptView,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("id", UInt64(cache.id.number))
    writer.member("bytes", cache.bytes)
    writer.member("reclaimable", cache.reclaimable)
    writer.member("cold_reported", cache.coldReported)
    writer.member("in_flight", cache.inFlight)
    writer.member("floor", cache.floor)
    writer.member("askable", cache.askable)
    writer.member("cap", cache.cap)
    writer.member("cold", cache.cold)
    writer.member("share", UInt64(cache.share))
    writer.member("cost_us_per_mib", UInt64(cache.costMicrosecondsPerMiB))
    writer.member("vouched", cache.isVouched)
    writer.member("cost_band", UInt64(cache.costBand.parts))
    writer.member("weight", cache.weight)
    writer.member("part", cache.part)
    writer.member("ask", cache.ask)
    writer.member("asked", cache.asked(pageSize: attempt.pageSize))
    writer.endObject()
  }

  /// Writes one client that takes no part.
  static func write(_ client: ExcludedClient, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("session", client.client.name)
    writer.member("name", client.name)
    writer.member("pid", signed: Int64(client.process.number))
    writer.member("reason", client.reason.name)
    writer.endObject()
  }
}
