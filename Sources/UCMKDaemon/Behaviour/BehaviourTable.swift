// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKCore

/// What is remembered of programs over restarts of theirs and of the daemon.
///
/// The key says which program it is in words that outlive a process: its user, the label it gives
/// and its executable, or its unit where that may not be read.
package struct BehaviourTable: Sendable {
  /// One program.
  package struct Entry: Sendable, Equatable {
    /// Which.
    package var key: String
    /// What is remembered of it.
    package var memory: RememberedBehaviour

    /// Makes an entry.
    package init(key: String, memory: RememberedBehaviour) {
      self.key = key
      self.memory = memory
    }
  }

  /// The most programs that are remembered; the one that was noted longest ago goes first.
  package static let limit = 4_096

  private var memories: [String: (memory: RememberedBehaviour, turn: UInt64)] = [:]
  private var turn: UInt64 = 0

  /// Makes an empty table.
  package init() {}

  /// How many programs are remembered.
  package var count: Int { memories.count }

  /// What is remembered, the one that was noted longest ago first.
  package var entries: [Entry] {
    memories.sorted { $0.value.turn < $1.value.turn }
      .map { Entry(key: $0.key, memory: $0.value.memory) }
  }

  /// What is remembered of a program.
  package subscript(key: String) -> RememberedBehaviour? { memories[key]?.memory }

  /// Notes what is known of a program now.
  package mutating func note(_ memory: RememberedBehaviour, of key: String) {
    turn += 1
    memories[key] = (memory, turn)
    guard memories.count > Self.limit else { return }
    guard let oldest = memories.min(by: { $0.value.turn < $1.value.turn }) else { return }
    memories[oldest.key] = nil
  }
}
