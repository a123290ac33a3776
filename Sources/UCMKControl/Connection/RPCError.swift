// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// An error that the daemon answered with (`docs/PROTOCOL.md` §8).
package struct RPCError: Error, Hashable {
  /// The number of §8.
  package let code: Int64
  /// The daemon's own words.
  package let text: String
  /// What goes with the number; null where nothing does.
  package let data: JSONValue

  /// Makes an error.
  package init(code: Int64, text: String, data: JSONValue = .null) {
    self.code = code
    self.text = text
    self.data = data
  }

  /// The codes that this tool says something of its own about.
  package enum Code {
    /// The daemon speaks no version that this tool speaks.
    package static let versionNotSupported: Int64 = -32001
    /// The caller's role does not allow it.
    package static let permissionDenied: Int64 = -32002
    /// No such session, cache, round or subscription.
    package static let unknown: Int64 = -32004
    /// Not now.
    package static let busy: Int64 = -32006
    /// The daemon stops.
    package static let shuttingDown: Int64 = -32007
    /// The daemon cannot do it on this host.
    package static let notSupported: Int64 = -32011
    /// Bad params.
    package static let invalidParams: Int64 = -32602
    /// The method is not there.
    package static let methodNotFound: Int64 = -32601
  }

  /// What a person is told: the daemon's words, what they are about, and what to do.
  package var message: String {
    let said = printable(text)
    switch code {
    case Code.permissionDenied:
      let need = data["need"].string.map(printable) ?? "another role"
      return "\(said): this needs the role \(need)\n(be root, or a member of the group that "
        + "ucmkd.conf names for it)"
    case Code.unknown:
      return said + (subject(of: "id").map { ": \($0)" } ?? "")
    case Code.busy:
      guard let wait = data["retry_after_ms"].integer else { return said }
      return "\(said): a round is running; try again in \(wait) ms"
    case Code.shuttingDown:
      guard let wait = data["reconnect_after_ms"].integer else { return said }
      return "\(said): back in about \(wait) ms"
    case Code.notSupported:
      return said + (subject(of: "feature").map { ": \($0)" } ?? "")
    case Code.methodNotFound:
      return said + (subject(of: "method").map { ": \($0) (an older daemon?)" } ?? "")
    case Code.versionNotSupported:
      guard let least = data["min"].integer, let most = data["max"].integer else { return said }
      return "\(said): the daemon speaks protocol \(least) to \(most), this tool speaks 1"
    case Code.invalidParams:
      guard let path = subject(of: "path") else { return said }
      return "\(said): \(path)" + (subject(of: "want").map { ", wanted: \($0)" } ?? "")
    default:
      return "\(said) (\(code))"
    }
  }

  private func subject(of key: String) -> String? {
    if let number = data[key].integer { return String(number) }
    return data[key].string.map(printable)
  }
}
