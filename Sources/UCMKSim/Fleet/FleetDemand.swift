// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A program that needs memory for a while: it rises to its height, stays, and falls.
struct FleetJob: Sendable, Equatable {
  /// Seconds since the start: when it begins, how long it rises and falls, how long it stays.
  var starts: Double, slope: Double, stays: Double
  /// Bytes at its height.
  var height: Double

  /// When it is over.
  var ends: Double { starts + 2 * slope + stays }

  /// Bytes at `seconds`.
  func demand(at seconds: Double) -> Double {
    let age = seconds - starts
    guard age > 0, seconds < ends else { return 0 }
    if age < slope { return height * age / slope }
    if age < slope + stays { return height }
    return height * (ends - seconds) / slope
  }

  /// Bytes per second by which it rises at `seconds`.
  func rise(at seconds: Double) -> Double {
    seconds >= starts && seconds < starts + slope ? height / slope : 0
  }

  /// When its slope changes next after `seconds`.
  func change(after seconds: Double) -> Double {
    for moment in [starts, starts + slope, starts + slope + stays] where moment > seconds {
      return moment
    }
    return ends
  }
}

/// What a host of a fleet has to do in some days: jobs that come by chance and a tide by the hour.
struct FleetDemand: Sendable {
  /// Jobs that are still to come, the next one last, and those that run.
  private var coming: [FleetJob], running: [FleetJob] = []
  private let tide: Double, phase: Double

  private static let day = 86_400.0
  /// Jobs of a day.
  private static let jobs = 24.0

  init(capacity: Double, days: Double, chance: inout Chance) {
    tide = chance.between(0.005, 0.02) * capacity
    phase = chance.between(0, FleetDemand.day)
    var jobs: [FleetJob] = []
    var at = 0.0
    while true {
      at += chance.waiting(rate: FleetDemand.jobs / FleetDemand.day)
      guard at < days * FleetDemand.day else { break }
      // Most jobs are small and slow; one in ten needs much at once.
      let isSudden = chance.fraction() < 0.1
      let slope = isSudden ? chance.between(1, 20) : chance.between(10, 600)
      let height = chance.between(0.005, isSudden ? 0.12 : 0.05) * capacity
      let stays = chance.waiting(rate: 1 / 600)
      jobs.append(FleetJob(starts: at, slope: slope, stays: stays, height: height))
    }
    coming = jobs.reversed()
  }

  /// Bytes at `seconds`, which must not go backwards.
  mutating func bytes(at seconds: Double) -> Double {
    while let next = coming.last, next.starts <= seconds {
      running.append(next)
      coming.removeLast()
    }
    if running.contains(where: { $0.ends <= seconds }) {
      running.removeAll { $0.ends <= seconds }
    }
    var sum = tide * (1 + sin(2 * .pi * (seconds + phase) / FleetDemand.day))
    for job in running { sum += job.demand(at: seconds) }
    return sum
  }

  /// Bytes per second by which it rises at `seconds`, at most.
  func rise(at seconds: Double) -> Double {
    var sum = tide * 2 * .pi / FleetDemand.day
    for job in running { sum += job.rise(at: seconds) }
    return sum
  }

  /// When the slope of anything changes next after `seconds`.
  func change(after seconds: Double) -> Double {
    var next = coming.last?.starts ?? .infinity
    for job in running { next = min(next, job.change(after: seconds)) }
    return next
  }

  /// The kernel kills the job that needs most.
  mutating func killBiggest(at seconds: Double) {
    let biggest = running.indices.max { left, right in
      running[left].demand(at: seconds) < running[right].demand(at: seconds)
    }
    if let biggest { running.remove(at: biggest) }
  }
}
