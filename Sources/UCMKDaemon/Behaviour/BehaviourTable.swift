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

  /// What is kept under a key.
  private struct Program: Sendable {
    /// What is told to one that joins, and written down.
    var known: RememberedBehaviour
    /// What those left behind that went since the last one joined, and how many they are.
    var left: RememberedBehaviour?
    var leftCount = 0
    /// What those that are there have done, as far as the latest survey came.
    var present: RememberedBehaviour?
    /// When it was noted last, in order, and in which survey.
    var turn: UInt64
    var survey: UInt64
  }

  private var programs: [String: Program] = [:]
  /// How many sessions each program has, where it has any.
  private var live: [String: Int] = [:]
  private var turn: UInt64 = 0
  private var survey: UInt64 = 0

  /// Makes an empty table.
  package init() {}

  /// How many programs are remembered.
  package var count: Int { programs.count }

  /// What is remembered, the one that was noted longest ago first.
  package var entries: [Entry] {
    programs.sorted { $0.value.turn < $1.value.turn }
      .map { Entry(key: $0.key, memory: $0.value.known) }
  }

  /// What is remembered of a program.
  package subscript(key: String) -> RememberedBehaviour? { programs[key]?.known }

  /// Takes over what an earlier run of the daemon wrote down.
  package mutating func restore(_ memory: RememberedBehaviour, of key: String) {
    keep(memory, of: key) { $0.known = memory }
  }

  // MARK: - Sessions

  /// Another session of a program: it carries on what those left behind that went before it.
  ///
  /// - Returns: What it is told; nil where nothing is known.
  package mutating func join(_ key: String) -> RememberedBehaviour? {
    live[key, default: 0] += 1
    programs[key]?.left = nil
    programs[key]?.leftCount = 0
    return programs[key]?.known
  }

  /// A session that went came back with all that was its own.
  package mutating func comeBack(_ key: String) {
    live[key, default: 0] += 1
    guard let count = programs[key]?.leftCount, count > 0 else { return }
    programs[key]?.leftCount = count - 1
    // What others left behind cannot be told from its own: it stays until the next one joins.
    if count == 1 { programs[key]?.left = nil }
  }

  /// A session goes.
  ///
  /// - Parameters:
  ///   - key: Its program.
  ///   - memory: What is known of it.
  package mutating func leave(_ key: String, _ memory: RememberedBehaviour) {
    let others = (live[key] ?? 1) - 1
    live[key] = others > 0 ? others : nil
    change(memory, of: key) { program, memory in
      program.left = worse(program.left, memory)
      program.leftCount += 1
      program.known = (others > 0 ? worse(program.known, memory) : program.left) ?? .blank
    }
  }

  /// Begins to note what is known of all sessions now.
  package mutating func beginSurvey() { survey += 1 }

  /// Notes what is known of one session, in any order.
  package mutating func note(_ memory: RememberedBehaviour, of key: String) {
    let survey = survey
    change(memory, of: key) { program, memory in
      if program.survey != survey { program.present = nil }
      program.survey = survey
      program.present = worse(program.present, memory)
      program.known = worse(program.left, program.present) ?? .blank
    }
  }

  /// A session with which nothing ever happened says nothing of its program: it is nil then.
  private mutating func change(
    _ memory: RememberedBehaviour,
    of key: String,
    _ body: (inout Program, RememberedBehaviour?) -> Void
  ) {
    let isBlank = memory == .blank
    guard !isBlank || programs[key] != nil else { return }
    keep(memory, of: key) { body(&$0, isBlank ? nil : memory) }
  }

  private mutating func keep(
    _ memory: RememberedBehaviour,
    of key: String,
    _ change: (inout Program) -> Void
  ) {
    turn += 1
    var program = programs[key] ?? Program(known: memory, turn: turn, survey: 0)
    program.turn = turn
    change(&program)
    programs[key] = program
    guard programs.count > Self.limit else { return }
    guard let oldest = programs.min(by: { $0.value.turn < $1.value.turn }) else { return }
    programs[oldest.key] = nil
  }
}

private func worse(
  _ one: RememberedBehaviour?,
  _ other: RememberedBehaviour?
) -> RememberedBehaviour? {
  guard let one, let other else { return one ?? other }
  return one.merged(with: other)
}

extension RememberedBehaviour {
  /// What is remembered of a program of which two sessions are known: the worse of each.
  ///
  /// The order does not matter, and how often one is counted neither. Nobody gains by another
  /// process that behaves, nor by going and coming back.
  package func merged(with other: RememberedBehaviour) -> RememberedBehaviour {
    RememberedBehaviour(
      trust: min(trust, other.trust),
      fellShort: fellShort || other.fellShort,
      ledger: min(ledger, other.ledger),
      keepsMemory: keepsMemory || other.keepsMemory,
      measuredRounds: min(measuredRounds, other.measuredRounds)
    )
  }
}
