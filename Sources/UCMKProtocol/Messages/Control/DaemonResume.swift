// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Ends a pause.
public struct DaemonResume: EmptyParams, Hashable {
  /// `daemon.resume`.
  public static let method = Method.daemonResume

  /// Makes the params, which are empty.
  public init() {}
}
