// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// Sessions whose connection ended and that may come back with their token.
package struct ResumeTable: Sendable {
  /// What is kept of a session.
  package struct Entry: Sendable, Equatable {
    /// The secret that brings it back.
    package var token: String
    /// Whose it is; another user's token is no token.
    package var user: UInt32
    /// The session.
    package var client: ClientID
    /// When it is over.
    package var expires: MonotonicInstant
    /// Its caches by id, and the next id it would be given.
    package var caches: [SessionCache], nextCache: UInt32

    /// Makes an entry.
    package init(
      token: String,
      user: UInt32,
      client: ClientID,
      expires: MonotonicInstant,
      caches: [SessionCache],
      nextCache: UInt32
    ) {
      self.token = token
      self.user = user
      self.client = client
      self.expires = expires
      self.caches = caches
      self.nextCache = nextCache
    }
  }

  /// The most that are kept; beyond it the one that would expire first is given up.
  package let limit: Int
  /// In the order in which they expire.
  private var entries: [Entry] = []

  /// Makes an empty table.
  package init(limit: Int) { self.limit = limit }

  /// When the first entry expires.
  package var nextExpiry: MonotonicInstant? { entries.first?.expires }

  /// Whether nobody is waited for.
  package var isEmpty: Bool { entries.isEmpty }

  /// Keeps a session.
  ///
  /// Returns a session that was given up for it, if any.
  package mutating func keep(_ entry: Entry) -> ClientID? {
    entries.append(entry)
    guard entries.count > limit else { return nil }
    return entries.removeFirst().client
  }

  /// Takes a session out, where token and user are right and it is not over.
  package mutating func take(
    _ token: String,
    user: UInt32,
    at now: MonotonicInstant
  ) -> Entry? {
    guard
      let index = entries.firstIndex(where: {
        $0.token == token && $0.user == user && now < $0.expires
      })
    else { return nil }
    return entries.remove(at: index)
  }

  /// Takes out one session that is over.
  package mutating func expire(at now: MonotonicInstant) -> ClientID? {
    guard let first = entries.first, first.expires <= now else { return nil }
    return entries.removeFirst().client
  }
}

/// What the shell keeps of a cache: enough to answer for names and ids without the core.
package struct SessionCache: Sendable, Equatable {
  /// Its id.
  package var id: CacheID
  /// Its name.
  package var name: String

  /// Makes a cache.
  package init(id: CacheID, name: String) {
    self.id = id
    self.name = name
  }
}
