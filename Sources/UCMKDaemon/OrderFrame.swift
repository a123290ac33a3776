// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// The text that the requests of one attempt have in common.
///
/// A thousand clients of a round are sent the same line but for the id and the targets. The rest is
/// written once, by the writer of every other message, and copied.
struct OrderFrame {
  /// The order for which the text was written, without its client and its targets.
  private var order: ShrinkOrder?
  /// Up to the id, from there into the list of targets, and behind it.
  private var head: [UInt8] = [], middle: [UInt8] = [], tail: [UInt8] = []

  /// Writes a whole request, line end included, in place of what `writer` holds.
  mutating func write(
    _ order: ShrinkOrder,
    id: UInt64,
    _ targets: ArraySlice<ShrinkTarget>,
    to writer: inout JSONWriter
  ) {
    if !isFor(order) { prepare(order, &writer) }
    writer.removeAll()
    writer.splice(head)
    writer.unsigned(id)
    writer.splice(middle)
    for target in targets {
      writer.beginObject()
      writer.member("id", UInt64(target.cache.number))
      writer.member("bytes", target.bytes)
      if let limit = target.limit { writer.member("limit", limit) }
      writer.endObject()
    }
    writer.splice(tail)
  }

  private func isFor(_ order: ShrinkOrder) -> Bool {
    guard let known = self.order else { return false }
    return known.round == order.round && known.attempt == order.attempt
      && known.level == order.level && known.deadline == order.deadline
      && known.trim == order.trim && known.dryRun == order.dryRun && known.scope == order.scope
  }

  /// Writes the request once, with the id 0 and no target, and takes it apart there.
  private mutating func prepare(_ order: ShrinkOrder, _ writer: inout JSONWriter) {
    self.order = order
    writer.removeAll()
    writer.beginRequest(.shrink, id: .integer(0))
    ShrinkWriter.write(order, [], to: &writer)
    writer.endMessage()
    let text = writer.bytes
    let id = OrderFrame.end(of: "\"id\":", in: text)
    let list = OrderFrame.end(of: "\"targets\":[", in: text)
    head = Array(text[..<id])
    middle = Array(text[(id + 1)..<list])
    tail = Array(text[list...])
  }

  /// The place behind the first `mark`, which must be there.
  private static func end(of mark: String, in text: [UInt8]) -> Int {
    let mark = Array(mark.utf8)
    for start in 0...(text.count - mark.count)
    where text[start..<start + mark.count].elementsEqual(mark) {
      return start + mark.count
    }
    preconditionFailure("a request has an id and targets")
  }
}
