// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

extension ControlConnection {
  /// Asks, and puts the pages of the result's `clients` and `attempts` together.
  ///
  /// A line of the daemon holds at most 256 KiB (`docs/PROTOCOL.md` §2), so that a long list comes
  /// with a `next`, which is the `cursor` of the next question.
  ///
  /// - Parameters:
  ///   - method: What is asked first.
  ///   - params: An object.
  ///   - extra: Time to wait for the first answer beyond this connection's patience.
  ///   - follow: What the further pages are asked of, made from the first; nil for the same again.
  /// - Returns: The first result with the clients of all, without `next`.
  /// - Throws: What `call` throws, and `garbage` where the list does not end.
  package func callWhole(
    _ method: String,
    _ params: JSONValue,
    waiting extra: TimeSpan = .zero,
    following follow: ((JSONValue) -> (method: String, params: JSONValue))? = nil
  ) throws(ControlError) -> JSONValue {
    let first = try call(method, params, waiting: extra)
    var next = first["next"]
    guard !next.isNull else { return first.removing("next") }
    let question = follow?(first) ?? (method: method, params: params)
    var clients = first["clients"].items
    var attempts = Attempts(first)
    var isForgotten = false
    while !next.isNull {
      let page = try call(question.method, question.params.replacing("cursor", with: next))
      guard page["next"] != next else { throw .garbage("\(method) does not end") }
      clients += page["clients"].items
      isForgotten = isForgotten || page["clients_forgotten"].bool == true
      attempts.add(page)
      next = page["next"]
    }
    // What was forgotten between two pages is forgotten whole: some clients would pass for all.
    let whole = (isForgotten ? first.replacing("clients_forgotten", with: .bool(true)) : first)
      .replacing("clients", with: .array(isForgotten ? [] : clients)).removing("next")
    return attempts.isAbsent ? whole : whole.replacing("attempts", with: .array(attempts.items))
  }
}

/// The attempts of a round, put together from pages: an attempt whose rows go on in the next page
/// stands in both.
private struct Attempts {
  private(set) var items: [JSONValue] = []
  private(set) var isAbsent = true

  init(_ page: JSONValue) { add(page) }

  mutating func add(_ page: JSONValue) {
    if !page["attempts"].isNull { isAbsent = false }
    for attempt in page["attempts"].items {
      guard let last = items.last, last["attempt"] == attempt["attempt"] else {
        items.append(attempt)
        continue
      }
      // Rows that were forgotten between two pages: some would pass for all.
      guard attempt["rows_forgotten"].bool != true else {
        items[items.count - 1] = attempt
        continue
      }
      items[items.count - 1] = ["nodes", "clients", "excluded"].reduce(last) { whole, list in
        whole.replacing(list, with: .array(whole[list].items + attempt[list].items))
      }
    }
  }
}
