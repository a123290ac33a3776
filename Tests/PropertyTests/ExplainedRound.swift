// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKCore
import UCMKModel
import UCMKProtocol

@testable import UCMKDaemon

/// The answers to `round.get`, page by page, as text.
struct ExplainedRound {
  /// One line each.
  let pages: [String]

  /// Has a round rendered, following `next`.
  init(_ number: RoundID, of broker: Broker) throws {
    var pages: [String] = []
    var cursor = RoundCursor.start
    while true {
      var round = try #require(broker.round(number))
      round.attempts = broker.attempts(of: number)
      var writer = JSONWriter()
      RoundRender.write(
        round,
        openedAtMicroseconds: 0,
        detail: .arithmetic,
        from: cursor,
        to: &writer
      )
      let text = String(decoding: writer.bytes, as: UTF8.self)
      pages.append(text)
      let next = try ExplainedObject(parsing: text).word("next")
      if let place = AttemptCursor(name: next) {
        cursor = .attempt(place)
      } else if let client = ClientID(name: next) {
        cursor = .client(client)
      } else {
        break
      }
    }
    self.pages = pages
  }

  /// Makes a round of text that somebody changed.
  init(pages: [String]) { self.pages = pages }

  /// The only page with one number of an attempt one larger: the first, the middle and the last one
  /// of that name.
  func changing(_ key: String) -> [String] {
    let text = pages[0]
    guard let attempts = text.range(of: #""attempts":"#) else { return [] }
    var places: [Range<String.Index>] = []
    var rest = attempts.upperBound..<text.endIndex
    while let place = text.range(of: "\"\(key)\":", range: rest) {
      let digits = text[place.upperBound...].prefix { $0.isNumber }
      if !digits.isEmpty { places.append(digits.startIndex..<digits.endIndex) }
      rest = place.upperBound..<text.endIndex
    }
    guard !places.isEmpty else { return [] }
    return [0, places.count / 2, places.count - 1].map { index in
      let number = UInt64(text[places[index]]) ?? 0
      return text.replacingCharacters(in: places[index], with: String(number + 1))
    }
  }

  /// The whole, from the text alone.
  func whole() throws -> ExplainedObject {
    var whole: [String: Any] = [:]
    for page in pages {
      let members = try ExplainedObject(parsing: page).members
      for (key, value) in members where key != "clients" && key != "attempts" {
        whole[key] = value
      }
      whole["clients"] = Self.joined(whole["clients"], members["clients"])
      for attempt in members["attempts"] as? [[String: Any]] ?? [] {
        var attempts = whole["attempts"] as? [[String: Any]] ?? []
        if var last = attempts.popLast() {
          if ExplainedObject(last).number("attempt") == ExplainedObject(attempt).number("attempt") {
            for list in ["nodes", "clients", "excluded"] {
              last[list] = Self.joined(last[list], attempt[list])
            }
            attempts.append(last)
          } else {
            attempts += [last, attempt]
          }
        } else {
          attempts = [attempt]
        }
        whole["attempts"] = attempts
      }
    }
    return ExplainedObject(whole)
  }

  private static func joined(_ list: Any?, _ more: Any?) -> [Any] {
    (list as? [Any] ?? []) + (more as? [Any] ?? [])
  }
}
