// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Why an entry left a ``UCMKCache``.
public enum CacheEvictionReason: Sendable, Hashable {
  /// A limit on cost or count, or the daemon's limit, left no room for it.
  case limit
  /// Memory was short and the daemon asked.
  case pressure
  /// The program removed it.
  case explicit
  /// Another value took its key.
  case replaced
}
