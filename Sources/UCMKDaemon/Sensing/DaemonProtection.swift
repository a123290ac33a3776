// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel

/// What the kernel keeps for the cgroups of clients: `memory.low` and `memory.min`.
extension Daemon {
  /// How often they are read again while a domain is read, and before an administrator's plan.
  static let protectionPeriod = TimeSpan.seconds(2), protectionPause = TimeSpan.milliseconds(100)

  /// Reads what is kept for all cgroups that clients are in or below, and tells the core of what
  /// changed: two small files for each, so not more often than `period`.
  func readProtections(atMostEvery period: TimeSpan) {
    guard now >= protectionsReadAt + period else { return }
    protectionsReadAt = now
    for group in broker.cgroups { readProtection(of: group) }
  }

  /// Reads what is kept for the cgroups that came with a client; those that others were in before
  /// are known.
  func readNewProtections(of client: ClientID) {
    for group in broker.cgroups(of: client) where group.clients == 1 { readProtection(of: group) }
  }

  private func readProtection(of group: CgroupView) {
    let protection = reader.protection(of: group.path)
    if protection != group.protection { submit(.protected(group.path, protection)) }
  }
}
