// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// What a client is doing, for a program's own status page.
public struct ClientStatus: Sendable, Hashable {
  /// How the client stands to the daemon.
  public enum Connection: Sendable, Hashable {
    /// Switched off by the configuration, or shut down.
    case disabled
    /// No daemon reached; tried again by itself.
    case disconnected
    /// Connected under this session name.
    case connected(session: String)
  }

  /// What takes the daemon's place while there is none.
  public enum PressureWatch: Sendable, Hashable {
    /// Nothing: connected, not wanted, or not to be had on this host.
    case none
    /// The file, FIFO or socket at this path.
    case watching(path: String)
  }

  /// How the client stands to the daemon.
  public package(set) var connection: Connection
  /// What takes its place.
  public package(set) var pressureWatch: PressureWatch
  /// The level last heard of.
  public package(set) var level: PressureLevel
  /// Caches registered now.
  public package(set) var caches: Int
  /// Requests to shrink that were answered, from the daemon and from the pressure file.
  public package(set) var requests: UInt64
  /// All bytes that the caches said they freed.
  public package(set) var freed: ByteCount
  /// Connections that were lost or failed.
  public package(set) var disconnects: UInt64

  /// Makes the status of a client that has not started.
  package init() {
    connection = .disconnected
    pressureWatch = .none
    level = .none
    caches = 0
    requests = 0
    freed = .zero
    disconnects = 0
  }
}
