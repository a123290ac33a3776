// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Asks the daemon to read its configuration again; a bad file changes nothing.
public struct DaemonReload: MessageParams, Hashable {
  /// `daemon.reload`.
  public static let method = Method.daemonReload

  /// Whether the files are only looked at.
  public var checksOnly: Bool

  /// Makes the params.
  public init(checksOnly: Bool = false) { self.checksOnly = checksOnly }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where the member is neither true nor false.
  public init(params: JSONValue?) throws(RPCError) {
    checksOnly = try ParamReader(params).bool("check_only") ?? false
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { $0.member("check_only", checksOnly) }
  }
}
