// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// The domains that are watched, host first, then by path.
struct DomainTable: Sendable {
  /// The domains.
  var controls: [DomainControl] = []

  /// Where a domain is, or nil.
  func index(of domain: DomainID) -> Int? {
    let place = place(of: domain)
    return place < controls.count && controls[place].domain == domain ? place : nil
  }

  /// The control of a domain, or nil.
  subscript(_ domain: DomainID) -> DomainControl? { index(of: domain).map { controls[$0] } }

  /// Adds a domain and returns its place; one that is there already stays.
  mutating func add(_ control: DomainControl) -> Int {
    let place = place(of: control.domain)
    if place == controls.count || controls[place].domain != control.domain {
      controls.insert(control, at: place)
    }
    return place
  }

  /// Takes a domain away.
  mutating func remove(at index: Int) { controls.remove(at: index) }

  /// The earliest poll.
  var nextPoll: MonotonicInstant? {
    var earliest: MonotonicInstant?
    for control in controls { earliest = sooner(earliest, control.nextPoll) }
    return earliest
  }

  private func place(of domain: DomainID) -> Int {
    var low = 0
    var high = controls.count
    while low < high {
      let middle = low + (high - low) / 2
      if precedes(controls[middle].domain, domain) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func precedes(_ left: DomainID, _ right: DomainID) -> Bool {
    switch (left, right) {
    case (.host, .host): false
    case (.host, .cgroup): true
    case (.cgroup, .host): false
    case (.cgroup(let left), .cgroup(let right)): left < right
    }
  }
}

/// The earlier of two instants that may both be absent.
func sooner(_ left: MonotonicInstant?, _ right: MonotonicInstant?) -> MonotonicInstant? {
  guard let left else { return right }
  guard let right else { return left }
  return min(left, right)
}
