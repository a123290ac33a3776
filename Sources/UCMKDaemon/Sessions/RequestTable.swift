// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// Requests of the daemon that one client has not answered yet: at most 32.
///
/// There is room for those of every day from the beginning, so that asking takes no memory.
package struct RequestTable: Sendable {
  /// What was asked.
  package enum Kind: Sendable, Equatable {
    /// Free memory.
    case shrink(RoundID, attempt: UInt8)
    /// Are you there.
    case ping
  }

  private struct Entry: Sendable {
    let id: UInt64
    let kind: Kind
  }

  /// The most that are open at once (`docs/PROTOCOL.md` §2).
  package static let capacity = 32

  /// A request of each of two rounds, one that is repeated, and a ping.
  ///
  /// More are open only while a client answers none of them, and room for all would be a quarter of
  /// what a session takes.
  private static let usual = 4

  private var entries: [Entry] = []
  private var nextID: UInt64 = 1

  /// Makes an empty table.
  package init() { entries.reserveCapacity(RequestTable.usual) }

  /// How many are open.
  package var count: Int { entries.count }

  /// Takes a place and an id; nil when all places are taken.
  package mutating func open(_ kind: Kind) -> UInt64? {
    guard entries.count < RequestTable.capacity else { return nil }
    let id = nextID
    nextID += 1
    entries.append(Entry(id: id, kind: kind))
    return id
  }

  /// Gives the place back and says what was asked; nil for an id that is not open.
  package mutating func close(_ id: UInt64) -> Kind? {
    guard let index = entries.firstIndex(where: { $0.id == id }) else { return nil }
    return entries.remove(at: index).kind
  }

  /// The id of an open request of this kind.
  package func id(of kind: Kind) -> UInt64? { entries.first { $0.kind == kind }?.id }
}

/// Ten reports a second with a burst of twenty (`docs/PROTOCOL.md` §2).
package struct ReportBudget: Sendable {
  private var tokens: UInt64
  private var filledAt: MonotonicInstant

  /// Makes a full budget.
  package init(at now: MonotonicInstant) {
    tokens = ReportBudget.burst
    filledAt = now
  }

  /// Reports that may come at once.
  package static let burst: UInt64 = 20
  /// Reports a second.
  package static let rate: UInt64 = 10

  /// Takes one report; false where it is one too many.
  package mutating func take(at now: MonotonicInstant) -> Bool {
    let each = 1_000_000_000 / ReportBudget.rate
    let fresh = now.since(filledAt).nanoseconds / each
    if fresh > 0 {
      tokens = min(ReportBudget.burst, tokens + fresh)
      filledAt = filledAt + TimeSpan(nanoseconds: fresh * each)
    }
    guard tokens > 0 else { return false }
    tokens -= 1
    return true
  }
}
