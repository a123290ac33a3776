// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux
package import UCMKModel

/// Who is at the other end of a socket, as the kernel knows it.
package struct PeerCredentials: Sendable {
  /// The process that connected, in the daemon's pid namespace; 0 for one outside it.
  package let process: ProcessID
  /// Its effective user and group when it connected.
  package let uid: UInt32, gid: UInt32
  /// Its supplementary groups when it connected; empty where the kernel does not tell.
  package let groups: [UInt32]
  /// A descriptor of that very process, readable once it has ended, whoever has its number then.
  ///
  /// Nil before Linux 6.5, and where it is gone already.
  package let pidfd: OwnedDescriptor?

  /// Makes credentials, for tests and for what stands in for a peer.
  package init(
    process: ProcessID,
    uid: UInt32,
    gid: UInt32,
    groups: [UInt32] = [],
    pidfd: OwnedDescriptor? = nil
  ) {
    self.process = process
    self.uid = uid
    self.gid = gid
    self.groups = groups
    self.pidfd = pidfd
  }

  /// Who connected the socket `fd` (SO_PEERCRED, SO_PEERGROUPS, SO_PEERPIDFD).
  ///
  /// - Parameters:
  ///   - fd: The socket.
  ///   - wantsDescriptor: Whether `pidfd` is opened too: a second descriptor for each connection.
  /// - Throws: ENOTSOCK and its like where `fd` is no connected Unix socket.
  package init(of fd: Int32, wantsDescriptor: Bool = true) throws(SystemError) {
    var peer = ucmk_peer()
    try SystemError.check(unsafe ucmk_peer_credentials(fd, &peer), "getsockopt")
    process = ProcessID(peer.pid)
    uid = peer.uid
    gid = peer.gid
    groups = PeerCredentials.groups(of: fd)
    let descriptor = wantsDescriptor ? ucmk_peer_pidfd(fd) : -1
    pidfd = descriptor >= 0 ? OwnedDescriptor(descriptor) : nil
  }

  /// Few have more than 64 groups, nobody more than 65,536 (`NGROUPS_MAX`).
  private static func groups(of fd: Int32) -> [UInt32] {
    for capacity in [64, 65_536] {
      var result: Int32 = 0
      let groups = unsafe [UInt32](unsafeUninitializedCapacity: capacity) { slots, count in
        result = unsafe ucmk_peer_groups(fd, slots.baseAddress, UInt32(capacity))
        count = max(0, Int(result))
      }
      if result != -ERANGE { return groups }
    }
    return []
  }

  /// Whether the process itself has the group `group`, as primary or supplementary one.
  ///
  /// A user who was added to a group after logging in does not have it yet.
  package func isMember(of group: UInt32) -> Bool { gid == group || groups.contains(group) }
}

/// Groups in the system's database.
///
/// The database may be a file or a directory service; a look-up may block, and belongs into the
/// greeting of a connection or the reading of the configuration.
package enum Groups {
  /// The number of the group `name`; nil where there is none.
  package static func id(named name: String) throws(SystemError) -> UInt32? {
    guard !name.isEmpty, !name.utf8.contains(0) else { return nil }
    var gid: UInt32 = 0
    let result = unsafe ucmk_group_id(name, &gid)
    if result == -ENOENT { return nil }
    try SystemError.check(result, "getgrnam_r", name)
    return gid
  }

  /// Whether the database puts the user `uid`, with the primary group `gid`, into `group`.
  package static func contains(
    uid: UInt32,
    gid: UInt32,
    group: UInt32
  ) throws(SystemError) -> Bool {
    try SystemError.check(ucmk_group_contains(uid, gid, group), "getgrouplist") == 1
  }

  /// Whether the database puts the user `uid`, with the primary group `gid`, into the group `name`;
  /// false where there is no such group.
  package static func contains(
    uid: UInt32,
    gid: UInt32,
    group name: String
  ) throws(SystemError) -> Bool {
    guard let group = try id(named: name) else { return false }
    return try contains(uid: uid, gid: gid, group: group)
  }
}
