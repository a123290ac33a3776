// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Asks for the list of methods, `MessageCatalog`.
public struct Discover: EmptyParams, Hashable {
  /// `rpc.discover`.
  public static let method = Method.discover

  /// Makes the params, which are empty.
  public init() {}
}
