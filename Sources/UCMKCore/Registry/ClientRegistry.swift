// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// All accounts in order of arrival, and the processes behind them.
///
/// Sorted arrays instead of dictionaries: an order that depends on hashes would make two runs of
/// one recording differ.
struct ClientRegistry: Sendable, Equatable {
  /// The accounts, by id; detached ones among them.
  var accounts: [ClientAccount] = []
  /// The processes of all accounts, by number.
  private(set) var processes: [ProcessAccount] = []
  /// The cgroups of all accounts.
  private(set) var cgroups = CgroupTree()
  /// Caches of all accounts, and processes with more than one session.
  private(set) var cacheCount = 0, sharedProcessCount = 0

  /// Where a client is, or nil.
  func index(of client: ClientID) -> Int? {
    let place = place(of: client)
    return place < accounts.count && accounts[place].id == client ? place : nil
  }

  /// Where an attached client is, or nil.
  func attachedIndex(of client: ClientID) -> Int? {
    guard let index = index(of: client), accounts[index].isAttached else { return nil }
    return index
  }

  /// The first place whose id is not below `client`.
  func place(of client: ClientID) -> Int {
    // Ids rise, so a newcomer goes to the end.
    if let last = accounts.last, last.id < client { return accounts.count }
    var low = 0
    var high = accounts.count
    while low < high {
      let middle = low + (high - low) / 2
      if accounts[middle].id < client { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Adds an account, whose id must be new, and returns its place.
  mutating func add(_ account: ClientAccount) -> Int {
    let place = place(of: account.id)
    precondition(
      place == accounts.count || accounts[place].id != account.id,
      "an account is added once"
    )
    accounts.insert(account, at: place)
    accounts[place].cgroup = cgroups.enter(account.facts.cgroup)
    retain(account.facts.process)
    return place
  }

  /// Takes an account away.
  mutating func remove(at index: Int) {
    cacheCount -= accounts[index].caches.count
    release(accounts[index].facts.process)
    cgroups.leave(accounts[index].cgroup)
    accounts.remove(at: index)
  }

  /// Replaces what is known from outside of a client.
  mutating func setFacts(_ facts: ClientFacts, at index: Int) {
    let previous = accounts[index].facts
    accounts[index].facts = facts
    if previous.cgroup != facts.cgroup {
      // Into the new one first: what both lie in keeps its protection.
      let left = accounts[index].cgroup
      accounts[index].cgroup = cgroups.enter(facts.cgroup)
      cgroups.leave(left)
    }
    guard previous.process != facts.process else { return }
    retain(facts.process)
    release(previous.process)
  }

  /// Adds a cache to an account.
  mutating func addCache(_ cache: CacheAccount, at index: Int) {
    let before = accounts[index].caches.count
    accounts[index].add(cache)
    cacheCount += accounts[index].caches.count - before
  }

  /// Takes a cache from an account.
  mutating func removeCache(_ cache: Int, at index: Int) {
    accounts[index].remove(at: cache)
    cacheCount -= 1
  }

  /// Takes note of what the kernel keeps for a cgroup.
  mutating func protect(_ path: String, _ protection: CgroupProtection) {
    cgroups.protect(path, protection)
  }

  // MARK: - Processes

  /// Where a process is, or nil.
  func processIndex(of process: ProcessID) -> Int? {
    let place = processPlace(of: process)
    return place < processes.count && processes[place].process == process ? place : nil
  }

  /// Keeps what was read of a process.
  mutating func note(_ reading: ProcessReading?, of process: ProcessID) {
    guard let index = processIndex(of: process) else { return }
    processes[index].reading = reading
  }

  /// Marks a process as touched by a round.
  mutating func touch(_ process: ProcessID, by round: RoundID) {
    guard let index = processIndex(of: process) else { return }
    processes[index].touchedBy = round
  }

  private mutating func retain(_ process: ProcessID) {
    let place = processPlace(of: process)
    if place < processes.count, processes[place].process == process {
      processes[place].sessions += 1
      if processes[place].sessions == 2 { sharedProcessCount += 1 }
    } else {
      processes.insert(ProcessAccount(process: process), at: place)
    }
  }

  private mutating func release(_ process: ProcessID) {
    guard let index = processIndex(of: process) else {
      preconditionFailure("a client's process has an account as long as the client")
    }
    processes[index].sessions -= 1
    if processes[index].sessions == 1 { sharedProcessCount -= 1 }
    if processes[index].sessions == 0 { processes.remove(at: index) }
  }

  private func processPlace(of process: ProcessID) -> Int {
    var low = 0
    var high = processes.count
    while low < high {
      let middle = low + (high - low) / 2
      if processes[middle].process < process { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// One process with at least one session.
struct ProcessAccount: Sendable, Equatable {
  /// The process.
  let process: ProcessID
  /// Its sessions, attached or not.
  var sessions = 1
  /// What was read of it last.
  var reading: ProcessReading?
  /// The last round that asked one of its sessions.
  var touchedBy: RoundID?
}
