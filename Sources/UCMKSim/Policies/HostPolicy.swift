// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What decides who is asked for how much, and who may grow.
protocol HostPolicy: Sendable {
  /// What it asked so far.
  var work: PolicyWork { get }

  /// Looks at the plant and acts; called once a step, after the memory of now was sensed.
  mutating func act(on plant: inout HostPlant)

  /// One letter for what it is about, for pictures.
  var letter: Character { get }

  /// When it wants to look again although nothing happens, in nanoseconds; nil for never.
  var nextWake: UInt64? { get }

  /// Whether it wants to look only to see whether memory comes near its marks, and would change
  /// nothing before.
  var isOnlyWatching: Bool { get }
}

extension HostPolicy {
  /// Acts only on what it sees of the plant.
  var nextWake: UInt64? { nil }

  /// Whoever never wakes has nothing to watch.
  var isOnlyWatching: Bool { false }
}

/// What a policy has asked of clients.
struct PolicyWork: Sendable, Equatable {
  /// Times at which anybody was asked, and requests sent.
  var rounds = 0, asks = 0
  /// When somebody was asked last, in nanoseconds.
  var lastAsked: UInt64?

  /// Counts a request; those of one instant are one round.
  mutating func count(at now: UInt64) {
    asks += 1
    if lastAsked != now { rounds += 1 }
    lastAsked = now
  }
}

/// The policies that can be tried.
package enum PolicyName: String, Sendable, CaseIterable {
  /// Nobody is ever asked.
  case none
  /// Everybody drops everything at each alarm, as a level without an amount suggests.
  case dropAll = "dropall"
  /// Everybody drops a tenth at each alarm.
  case fixedTenth = "fixed10"
  /// The deficit is split fairly at each poll, without an account of what was asked for already.
  case deficit
  /// The daemon's own core.
  case ucmkd
  /// Every cache always has the best size, at once.
  case oracle

  /// The policy, ready to start on `plant`.
  func make(for plant: HostPlant) -> any HostPolicy {
    switch self {
    case .none: NoPolicy()
    case .dropAll: AlarmPolicy(fraction: 1)
    case .fixedTenth: AlarmPolicy(fraction: 0.1)
    case .deficit: DeficitPolicy()
    case .ucmkd: BrokerPolicy(on: plant)
    case .oracle: OraclePolicy()
    }
  }
}
