// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Asks how the daemon stands (`docs/PROTOCOL.md` §7, Status).
public struct DaemonStatus: EmptyParams, Hashable {
  /// `daemon.status`.
  public static let method = Method.daemonStatus

  /// Makes the params, which are empty.
  public init() {}
}
